// The Merkle tree hash against the vectors of Certificate Transparency, and against the RFC's own
// recursive definition.
#include "libdig/chunking/merkle.h"

#include <algorithm>
#include <bit>
#include <random>
#include <string>

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

// The leaves and roots that CT implementations share (RFC 6962's reference code, merkletree tests).
const std::vector<std::string> leaves = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	"606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> roots = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Buffer unhex(const std::string &text)
{
	Buffer bytes(text.size() / 2);
	BOOST_REQUIRE(from_hex(text, bytes));
	return bytes;
}

Digest tree_hash(const std::vector<Buffer> &items)
{
	Buffer all;
	std::vector<std::uint32_t> sizes;
	for (const Buffer &item : items) {
		append(all, item);
		sizes.push_back(static_cast<std::uint32_t>(item.size()));
	}
	MerkleTree scratch;
	return merkle_tree_hash(all, sizes, scratch);
}

// RFC 9162, section 2.1.1, to the letter.
Digest by_definition(std::span<const Buffer> items)
{
	if (items.empty())
		return digest_of(Bytes());
	const std::uint8_t zero = 0, one = 1;
	if (items.size() == 1)
		return digest_of({Bytes(&zero, 1), items[0]});
	std::size_t k = 1;
	while (2 * k < items.size())
		k *= 2;
	return digest_of({Bytes(&one, 1), by_definition(items.first(k)), by_definition(items.subspan(k))});
}

} // namespace

BOOST_AUTO_TEST_SUITE(merkle)

BOOST_AUTO_TEST_CASE(the_vectors_of_certificate_transparency)
{
	std::vector<Buffer> items;
	MerklePeaks peaks;
	BOOST_TEST(to_hex(tree_hash(items)) == roots[0]);
	BOOST_TEST(to_hex(peaks.root()) == roots[0]);
	for (std::size_t i = 0; i < leaves.size(); i++) {
		items.push_back(unhex(leaves[i]));
		peaks.append(leaf_hash(items.back()));
		BOOST_TEST(to_hex(tree_hash(items)) == roots[i + 1]);
		BOOST_TEST(to_hex(peaks.root()) == roots[i + 1]);
	}
}

BOOST_AUTO_TEST_CASE(leaf_and_node_are_told_apart)
{
	const Digest a = leaf_hash(unhex("00")), b = leaf_hash(unhex("10"));
	Buffer both;
	append(both, a);
	append(both, b);
	BOOST_TEST((node_hash(a, b) != leaf_hash(both)));
	BOOST_TEST((tree_hash({unhex("00"), unhex("10")}) == node_hash(a, b)));
	// An odd node goes up as it is: doubling it gives another tree (CVE-2012-2459).
	BOOST_TEST((tree_hash({unhex("00"), unhex("10"), unhex("20")}) !=
		tree_hash({unhex("00"), unhex("10"), unhex("20"), unhex("20")})));
}

BOOST_AUTO_TEST_CASE(trees_of_every_size_follow_the_definition)
{
	std::mt19937 random(1);
	std::vector<Buffer> items;
	MerklePeaks peaks;
	for (int i = 0; i < 600; i++) {
		Buffer item(random() % 120);
		for (std::uint8_t &byte : item)
			byte = static_cast<std::uint8_t>(random());
		items.push_back(item);
		peaks.append(leaf_hash(item));
		if (i < 70 || i % 41 == 0 || i == 511 || i == 512) {
			const Digest expected = by_definition(items);
			BOOST_REQUIRE((tree_hash(items) == expected));
			BOOST_REQUIRE((peaks.root() == expected));
		}
		BOOST_REQUIRE(peaks.size() == items.size());
		BOOST_REQUIRE(peaks.peaks().size() == static_cast<std::size_t>(__builtin_popcount(i + 1)));
		const MerklePeaks again(peaks.size(), peaks.peaks());
		BOOST_REQUIRE((again.root() == peaks.root()));
	}
}

// A tree after another that has some of its leaves, at the same place or elsewhere.
BOOST_AUTO_TEST_CASE(what_like_trees_share_is_taken_over)
{
	std::mt19937 random(2);
	MerkleTree trees[2];
	std::vector<Buffer> before;
	for (int round = 0; round < 400; round++) {
		std::vector<Buffer> items = before;
		items.resize(std::min<std::size_t>(items.size(), random() % 100));
		for (int change = 0; change < round % 7; change++)
			items.insert(items.begin() + random() % (items.size() + 1), Buffer(random() % 90, random() % 20));
		std::vector<std::uint32_t> same, sizes;
		Buffer all;
		for (const Buffer &item : items) {
			const auto at = std::find(before.begin(), before.end(), item);
			same.push_back(at == before.end() || random() % 5 == 0
					? no_leaf
					: static_cast<std::uint32_t>(at - before.begin()));
			append(all, item);
			sizes.push_back(static_cast<std::uint32_t>(item.size()));
		}
		BOOST_REQUIRE((merkle_tree_hash(all, sizes, trees[round % 2], same,
						   trees[(round + 1) % 2]) == by_definition(items)));
		before = items;
	}
}

BOOST_AUTO_TEST_CASE(items_of_64_KiB_are_hashed_like_others)
{
	std::vector<Buffer> items;
	for (std::size_t size : {65535, 1, 65536, 0, 100000, 7})
		items.push_back(Buffer(size, static_cast<std::uint8_t>(size)));
	BOOST_TEST((tree_hash(items) == by_definition(items)));
}

// PATH of RFC 9162, section 2.1.3.1.
static void add_inclusion(
	std::uint64_t number, std::span<const Digest> hashes, std::vector<Digest> &path)
{
	if (hashes.size() == 1)
		return;
	const std::size_t left = std::bit_floor(hashes.size() - 1);
	const SubtreeHash subtree = subtrees_of(hashes);
	if (number < left) {
		add_inclusion(number, hashes.first(left), path);
		path.push_back(subtree(left, hashes.size()));
	} else {
		add_inclusion(number - left, hashes.subspan(left), path);
		path.push_back(subtree(0, left));
	}
}

BOOST_AUTO_TEST_CASE(paths_lead_from_any_leaves_to_the_root)
{
	std::vector<Digest> hashes;
	for (std::uint8_t size = 1; size <= 20; size++) {
		hashes.push_back(leaf_hash(Bytes(&size, 1)));
		const SubtreeHash subtree = subtrees_of(hashes);
		const Digest root = subtree(0, size);
		for (std::uint64_t first = 0; first < size; first++)
			for (std::uint64_t last = first + 1; last <= size; last++) {
				std::vector<Digest> path = merkle_path(size, first, last, subtree);
				BOOST_REQUIRE(path.size() == merkle_path_length(size, first, last));
				const auto root_by = [&] {
					std::uint64_t at = first;
					return root_of_path(
						size, first, last, [&] { return hashes[at++]; }, path);
				};
				BOOST_REQUIRE((root_by() == root));
				if (last == first + 1) {
					std::vector<Digest> by_rfc;
					add_inclusion(first, hashes, by_rfc);
					BOOST_REQUIRE((by_rfc == path));
				}
				for (Digest &hash : path) {
					hash.bytes[0] ^= 1;
					BOOST_REQUIRE((root_by() != root));
					hash.bytes[0] ^= 1;
				}
			}
	}
}

BOOST_AUTO_TEST_CASE(consistency_is_proved_for_each_pair_and_nothing_else)
{
	std::vector<Digest> hashes;
	for (std::uint8_t i = 0; i < 40; i++)
		hashes.push_back(leaf_hash(Bytes(&i, 1)));
	const SubtreeHash subtree = subtrees_of(hashes);
	for (std::uint64_t size = 1; size <= hashes.size(); size++)
		for (std::uint64_t older = 1; older <= size; older++) {
			std::vector<Digest> path = consistency_path(older, size, subtree);
			const Digest old_root = subtree(0, older), root = subtree(0, size);
			BOOST_REQUIRE(is_consistent(older, old_root, size, root, path));
			BOOST_REQUIRE(!is_consistent(older, root, size, old_root, path) || older == size);
			BOOST_REQUIRE(!is_consistent(older - 1, old_root, size, root, path));
			for (Digest &hash : path) {
				hash.bytes[31] ^= 0x80;
				BOOST_REQUIRE(!is_consistent(older, old_root, size, root, path));
				hash.bytes[31] ^= 0x80;
			}
			path.push_back(root);
			BOOST_REQUIRE(!is_consistent(older, old_root, size, root, path));
		}
}

BOOST_AUTO_TEST_SUITE_END()
