#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <random>

#include "libdig/chunking/sha256_kernels.h"
#include "libdig/chunking/sha256_lanes.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(sha256_lanes)

#ifdef __x86_64__
static void in_avx512_lanes_only(std::span<const HashJob> jobs)
{
	sha256_in_avx512_lanes(jobs, 1);
}
#endif

static std::vector<Kernel<Sha256Many>> kernels()
{
	std::vector<Kernel<Sha256Many>> list;
	for (const Kernel<Sha256Many> &kernel : sha256_kernels()) {
		if (!kernel.runs_here)
			continue;
		list.push_back(kernel);
#ifdef __x86_64__
		if (kernel.name == "avx512")
			list.push_back({"avx512 without shani", true, in_avx512_lanes_only});
#endif
	}
	list.push_back({"chosen", true, sha256_many});
	return list;
}

static Buffer random_bytes(std::size_t size, std::uint32_t seed)
{
	std::mt19937 generator(seed);
	Buffer bytes(size);
	for (std::uint8_t &byte : bytes)
		byte = static_cast<std::uint8_t>(generator());
	return bytes;
}

using Prefixes = std::vector<std::optional<std::uint8_t>>;

static std::vector<Digest> run(Sha256Many *many, const std::vector<Bytes> &messages, const Prefixes &prefixes)
{
	std::vector<Digest> digests(messages.size());
	std::vector<HashJob> jobs;
	for (std::size_t i = 0; i < messages.size(); i++)
		jobs.push_back({messages[i], &digests[i], prefixes[i % prefixes.size()]});
	many(jobs);
	return digests;
}

// Prefixes take turns.
static void check_kernels(const std::vector<Bytes> &messages, const Prefixes &prefixes)
{
	std::vector<Digest> expected;
	for (std::size_t i = 0; i < messages.size(); i++) {
		const std::optional<std::uint8_t> prefix = prefixes[i % prefixes.size()];
		expected.push_back(prefix ? digest_of({Bytes(&*prefix, 1), messages[i]}) : digest_of(messages[i]));
	}
	for (const Kernel<Sha256Many> &kernel : kernels()) {
		const std::vector<Digest> digests = run(kernel.function, messages, prefixes);
		for (std::size_t i = 0; i < messages.size(); i++) {
			BOOST_REQUIRE_MESSAGE(digests[i] == expected[i], kernel.name << " differs in message " <<
				i << " of " << messages.size() << ", " << messages[i].size() << " bytes");
		}
	}
}

static void check_kernels(const std::vector<Bytes> &messages)
{
	check_kernels(messages, {{}});
	check_kernels(messages, {0x00});
	check_kernels(messages, {0xa5, {}, 0x01});
}

// Messages of these sizes, one after the other in random bytes, so at any alignment.
static void check_sizes(const std::vector<std::size_t> &sizes, std::uint32_t seed)
{
	std::size_t total = 0;
	for (std::size_t size : sizes)
		total += size;
	const Buffer bytes = random_bytes(total, seed);
	std::vector<Bytes> messages;
	std::size_t at = 0;
	for (std::size_t size : sizes) {
		messages.push_back(Bytes(bytes).subspan(at, size));
		at += size;
	}
	check_kernels(messages);
}

// FIPS 180-2, appendix B, and the empty message.
BOOST_AUTO_TEST_CASE(published_digests_come_out)
{
	const std::string million(1000000, 'a');
	const std::pair<std::string_view, std::string_view> vectors[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
		{million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	std::vector<Bytes> messages;
	std::vector<std::string_view> expected;
	for (int i = 0; i < 4; i++) {
		for (const auto &[message, digest] : vectors) {
			messages.push_back(bytes_of(message));
			expected.push_back(digest);
		}
	}
	for (const Kernel<Sha256Many> &kernel : kernels()) {
		const std::vector<Digest> digests = run(kernel.function, messages, {{}});
		for (std::size_t i = 0; i < digests.size(); i++)
			BOOST_TEST(to_hex(digests[i]) == expected[i], kernel.name);
	}
}

BOOST_AUTO_TEST_CASE(no_messages_are_no_work)
{
	check_kernels({});
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_every_length_alone)
{
	for (std::size_t size = 0; size <= 300; size++)
		check_sizes({size}, 1);
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_every_length_together)
{
	std::vector<std::size_t> sizes;
	for (std::size_t size = 0; size <= 300; size++)
		sizes.push_back(size);
	check_sizes(sizes, 2);
	std::reverse(sizes.begin(), sizes.end());
	check_sizes(sizes, 3);
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_every_number_of_messages)
{
	for (std::size_t count = 1; count <= 50; count++)
		check_sizes(std::vector<std::size_t>(count, 500 + count), 4);
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_random_batches)
{
	std::mt19937 generator(5);
	for (int i = 0; i < 60; i++) {
		const std::size_t longest = std::size_t{1} << generator() % 15;
		std::vector<std::size_t> sizes(1 + generator() % 60);
		for (std::size_t &size : sizes)
			size = generator() % longest;
		check_sizes(sizes, generator());
	}
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_long_messages_among_short_ones)
{
	std::vector<std::size_t> sizes(40, 100);
	sizes[0] = 700000;
	sizes[20] = 300000;
	sizes[39] = 262144;
	check_sizes(sizes, 6);
}

BOOST_AUTO_TEST_SUITE_END()
