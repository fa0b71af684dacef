// Trees of blocks against the RFC's own recursive definition.
#include "libdig/chunking/block_tree.h"

#include <algorithm>
#include <map>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/base/zeros.h"

using namespace dig;

namespace {

// RFC 9162, section 2.1.1, to the letter, over blocks of content.
Digest by_definition(Bytes content)
{
	const std::uint8_t zero = 0, one = 1;
	if (content.empty())
		return digest_of(Bytes());
	const std::size_t blocks = (content.size() + block_tree_block - 1) / block_tree_block;
	if (blocks == 1)
		return digest_of({Bytes(&zero, 1), content});
	std::size_t k = 1;
	while (2 * k < blocks)
		k *= 2;
	return digest_of({Bytes(&one, 1), by_definition(content.first(k * block_tree_block)),
		by_definition(content.subspan(k * block_tree_block))});
}

Buffer random_bytes(std::size_t size, std::uint32_t seed)
{
	std::mt19937 generator(seed);
	Buffer bytes(size);
	for (std::uint8_t &byte : bytes)
		byte = static_cast<std::uint8_t>(generator());
	return bytes;
}

// Content with runs of zeros, some of which are whole blocks.
Buffer holed_bytes(std::size_t size, std::uint32_t seed)
{
	Buffer bytes = random_bytes(size, seed);
	std::mt19937 generator(seed);
	for (int i = 0; i < 3; i++) {
		const std::size_t begin = generator() % size;
		std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
			std::min<std::size_t>(size - begin, generator() % 400'000), 0);
	}
	return bytes;
}

// Appends content in pieces of up to most bytes; what is all zeros goes as zeros, with one piece in two.
template <typename To> void append_in_pieces(To &to, Bytes content, std::size_t most, std::mt19937 &generator)
{
	while (!content.empty()) {
		const Bytes piece = content.first(std::min<std::size_t>(content.size(), 1 + generator() % most));
		if (generator() % 2 && is_zero(piece))
			to.append_zeros(piece.size());
		else
			to.append(piece);
		content = content.subspan(piece.size());
	}
}

Digest root_of(Bytes content)
{
	BlockTree tree;
	tree.append(content);
	BOOST_TEST(tree.size() == content.size());
	return tree.root();
}

} // namespace

BOOST_AUTO_TEST_SUITE(block_tree)

BOOST_AUTO_TEST_CASE(known_roots_come_out)
{
	// By the program of t/reference.
	BOOST_TEST(to_hex(root_of({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	const std::string_view leaf("\0a", 2);
	BOOST_TEST((root_of(bytes_of("a")) == digest_of(bytes_of(leaf))));
	const std::string more(1'048'577, 'a');
	BOOST_TEST(to_hex(root_of(bytes_of(more))) == "b214509f9d21037f9cd0d2c695cd07ee56851e6151e0361132292beeaab8955b");
}

BOOST_AUTO_TEST_CASE(every_number_of_blocks_gives_the_tree_of_the_definition)
{
	const Buffer content = random_bytes(150 * block_tree_block, 1);
	for (std::size_t blocks = 0; blocks <= 150; blocks++)
		for (const std::size_t more : {0u, 1u, 16'383u}) {
			const Bytes part = Bytes(content).first(std::min(content.size(), blocks * block_tree_block + more));
			BOOST_REQUIRE_MESSAGE(root_of(part) == by_definition(part), part.size() << " bytes");
		}
}

BOOST_AUTO_TEST_CASE(pieces_of_any_size_give_the_same_tree)
{
	std::mt19937 generator(2);
	for (std::uint32_t seed = 0; seed < 40; seed++) {
		const Buffer content = holed_bytes(1 + generator() % 5'000'000, seed);
		BlockTree tree;
		append_in_pieces(tree, content, seed % 2 ? 5000 : 3'000'000, generator);
		BOOST_REQUIRE_MESSAGE(tree.root() == by_definition(content), "seed " << seed);
	}
}

BOOST_AUTO_TEST_CASE(parts_that_are_hashed_alone_give_the_same_tree)
{
	std::mt19937 generator(3);
	BlockPart part; // used again and again
	for (std::uint32_t seed = 0; seed < 60; seed++) {
		const Buffer content = holed_bytes(1 + generator() % 6'000'000, seed);
		BlockTree tree;
		const std::size_t most = seed % 3 == 0 ? 20'000 : seed % 3 == 1 ? 1'000'000 : 4'000'000;
		for (std::size_t at = 0; at < content.size();) {
			std::size_t size = std::min<std::size_t>(content.size() - at, 1 + generator() % most);
			if (seed % 2) // as segments are
				size = std::min<std::size_t>(content.size() - at, (size + 4095) / 4096 * 4096);
			part.begin(at);
			append_in_pieces(part, Bytes(content).subspan(at, size), 700'000, generator);
			part.add_to(tree);
			at += size;
			BOOST_TEST(tree.size() == at);
		}
		BOOST_REQUIRE_MESSAGE(tree.root() == by_definition(content), "seed " << seed);
	}
}

BOOST_AUTO_TEST_CASE(zeros_cost_nothing_and_are_content)
{
	const Buffer some = random_bytes(100'000, 4);
	for (const std::size_t zeros : {0u, 1u, 16'384u, 1'048'576u, 5'000'001u}) {
		Buffer content = some;
		content.insert(content.end(), zeros, 0);
		append(content, some);
		BlockTree tree;
		tree.append(some);
		tree.append_zeros(zeros);
		tree.append(some);
		BOOST_TEST((tree.root() == by_definition(content)), zeros << " zeros");
	}
	// 8 EiB less a byte.
	BlockTree largest, halves;
	largest.append_zeros((std::uint64_t{1} << 63) - 1);
	for (int i = 0; i < 2; i++)
		halves.append_zeros((std::uint64_t{1} << 62) - i);
	BOOST_TEST((largest.root() == halves.root()));
	BOOST_TEST(largest.size() == halves.size());
}

BOOST_AUTO_TEST_CASE(a_checkpoint_goes_on_anywhere)
{
	std::mt19937 generator(5);
	const Buffer content = holed_bytes(3'500'000, 5);
	for (int i = 0; i < 60; i++) {
		const std::size_t at = i == 0 ? 0 : i == 1 ? content.size() : i < 10 ? i * block_tree_block
			: generator() % content.size();
		BlockTree before;
		before.append(Bytes(content).first(at));
		const Buffer checkpoint = before.checkpoint();
		BOOST_TEST(checkpoint.size() < 8 + 64 * sizeof(Digest) + block_tree_block);
		BlockTree after = BlockTree::resume(checkpoint, "test");
		BOOST_TEST(after.size() == at);
		after.append(Bytes(content).subspan(at));
		BOOST_REQUIRE_MESSAGE(after.root() == by_definition(content), "at " << at);
	}
}

BOOST_AUTO_TEST_CASE(what_is_no_checkpoint_is_refused)
{
	BlockTree tree;
	tree.append(random_bytes(50'000, 6));
	Buffer checkpoint = tree.checkpoint();
	for (std::size_t size = 0; size < checkpoint.size(); size++)
		BOOST_CHECK_THROW(BlockTree::resume(Bytes(checkpoint).first(size), "test"), CorruptError);
	checkpoint.push_back(0);
	BOOST_CHECK_THROW(BlockTree::resume(checkpoint, "test"), CorruptError);
	const Buffer far(8, 0xff);
	BOOST_CHECK_THROW(BlockTree::resume(far, "test"), CorruptError);
}

BOOST_AUTO_TEST_CASE(complete_subtrees_are_told)
{
	const Buffer some = random_bytes(3'000'000, 7);
	Buffer content = some;
	content.resize(some.size() + 40_MiB);
	append(content, some);
	std::map<std::pair<int, std::uint64_t>, Digest> told;
	BlockTree tree;
	tree.tell([&](int level, std::uint64_t index, const Digest &root) {
		BOOST_TEST((told.emplace(std::pair(level, index), root).second));
	});
	tree.append(some);
	tree.append_zeros(40_MiB);
	tree.append(some);
	const std::uint64_t blocks = content.size() / block_tree_block;
	for (int level = 6; level < 20; level++)
		for (std::uint64_t index = 0; (index + 1) << level <= blocks; index++) {
			const Bytes part = Bytes(content).subspan((index << level) * block_tree_block, block_tree_block << level);
			const auto at = told.find({level, index});
			if (at == told.end())
				BOOST_TEST(is_zero(part));
			else
				BOOST_TEST((at->second == by_definition(part)));
		}
	BOOST_TEST(told.size() < 40u);
}

BOOST_AUTO_TEST_CASE(the_end_has_a_root_of_its_own)
{
	const Buffer content = random_bytes(3'500'000, 9);
	BlockTree tree;
	tree.append(content);
	for (const std::uint64_t block : {0u, 128u, 192u, 208u})
		BOOST_TEST((tree.root_from(block) == by_definition(Bytes(content).subspan(block * block_tree_block))), block);
}

BOOST_AUTO_TEST_CASE(nodes_of_one_level_are_joined)
{
	const Buffer content = random_bytes(1'000'001, 8);
	std::vector<Digest> leaves((content.size() + block_tree_block - 1) / block_tree_block);
	hash_blocks(content, leaves);
	BOOST_TEST((join_subtrees(leaves) == by_definition(content)));
	BOOST_TEST((zero_subtree(6) == by_definition(zero_bytes(1_MiB))));
}

BOOST_AUTO_TEST_SUITE_END()
