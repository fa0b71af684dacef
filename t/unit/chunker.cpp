// The cuts depend on the content and on nothing else, and equal those of a naive reading of
// dig-chunking(7).
#include "libdig/chunking/chunker.h"

#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

namespace {

ChunkingParameters one_size(std::uint64_t target)
{
	ChunkingParameters parameters;
	parameters.target = target;
	return parameters;
}

// Tiers so small that little content passes all of them.
ChunkingParameters small_tiers()
{
	ChunkingParameters parameters;
	parameters.small_file_chunk_size = 8_KiB;
	parameters.small_file_threshold = 100000;
	parameters.medium_file_chunk_size = 32_KiB;
	parameters.medium_file_threshold = 400001;
	parameters.large_file_chunk_size = 4_KiB;
	parameters.huge_file_chunk_size = 64_KiB;
	parameters.huge_file_threshold = 700000;
	return parameters;
}

Buffer random_bytes(std::size_t size, unsigned seed, unsigned letters = 256)
{
	std::mt19937 random(seed);
	Buffer bytes(size);
	for (std::uint8_t &byte : bytes)
		byte = static_cast<std::uint8_t>(random() % letters);
	return bytes;
}

using Cuts = std::vector<std::size_t>; // sizes

// Byte by byte, the hash computed anew over the 32 bytes before each position.
Cuts naive_cuts(Bytes content, const ChunkingParameters &parameters)
{
	Cuts cuts;
	for (std::size_t start = 0; start < content.size();) {
		std::uint64_t target = parameters.target;
		if (!target)
			target = start < parameters.small_file_threshold ? parameters.small_file_chunk_size
				: start < parameters.medium_file_threshold ? parameters.medium_file_chunk_size
				: start < parameters.huge_file_threshold   ? parameters.large_file_chunk_size
									   : parameters.huge_file_chunk_size;
		const std::uint64_t strong = (std::uint64_t(1) << 33) / target;
		const std::uint64_t weak = std::min<std::uint64_t>(16 * strong, 0xffffffff);
		const std::size_t left = content.size() - start, maximum = 4 * target;
		std::size_t cut = 0, last_weak = 0;
		for (std::size_t end = target / 2; !cut && end <= std::min(left, maximum); end++) {
			std::uint32_t hash = 0;
			for (std::size_t i = end - 32; i < end; i++)
				hash = 2 * hash + gear_table[content[start + i]];
			if (hash < strong)
				cut = end;
			else if (hash < weak)
				last_weak = end;
		}
		if (!cut && left >= maximum)
			cut = last_weak ? last_weak : maximum;
		if (!cut)
			cut = left;
		cuts.push_back(cut);
		start += cut;
	}
	return cuts;
}

Cuts cuts_at_once(Bytes content, const ChunkingParameters &parameters)
{
	Chunker chunker(parameters);
	Cuts cuts;
	Buffer window(64); // readable bytes before the content
	append(window, content);
	Bytes rest = Bytes(window).subspan(64);
	while (const std::size_t size = chunker.next(rest, true)) {
		cuts.push_back(size);
		rest = rest.subspan(size);
		BOOST_REQUIRE(chunker.offset() == content.size() - rest.size());
	}
	BOOST_REQUIRE(rest.empty());
	return cuts;
}

// The content arrives in pieces of random sizes.
Cuts cuts_in_pieces(Bytes content, const ChunkingParameters &parameters, std::mt19937 &random, std::size_t most)
{
	Chunker chunker(parameters);
	Cuts cuts;
	Buffer window(64);
	append(window, content);
	std::size_t start = 64, known = 64;
	while (start < window.size()) {
		known = std::min(window.size(), known + random() % most);
		// The end may be told with the last bytes or after them.
		const bool is_last = known == window.size() && random() % 2;
		while (const std::size_t size =
				chunker.next(Bytes(window).subspan(start, known - start), is_last)) {
			cuts.push_back(size);
			start += size;
		}
	}
	return cuts;
}

void check_limits(const Cuts &cuts, const ChunkingParameters &parameters)
{
	std::uint64_t offset = 0;
	for (std::size_t i = 0; i < cuts.size(); i++) {
		const std::uint64_t target = parameters.target_at(offset);
		BOOST_REQUIRE(cuts[i] <= 4 * target);
		BOOST_REQUIRE((cuts[i] >= target / 2 || i + 1 == cuts.size()));
		offset += cuts[i];
	}
}

} // namespace

BOOST_AUTO_TEST_SUITE(chunker)

BOOST_AUTO_TEST_CASE(runs_of_zeros_are_counted_by_tier)
{
	for (const ChunkingParameters &parameters : {one_size(4_KiB), one_size(10000), small_tiers()}) {
		Cuts cuts;
		Chunker chunker(parameters);
		std::uint64_t left = 1500000, runs = 0;
		while (const std::uint64_t count = chunker.zero_chunk_count(left)) {
			const std::uint64_t size = chunker.zero_chunk_size();
			cuts.insert(cuts.end(), count, size);
			chunker.skip(size, count);
			left -= size * count;
			runs++;
		}
		if (left > 0)
			cuts.push_back(left);
		BOOST_TEST(runs <= 4U);
		BOOST_REQUIRE((cuts == naive_cuts(Buffer(1500000), parameters)));
	}
}

BOOST_AUTO_TEST_CASE(cuts_equal_those_of_a_naive_reading)
{
	for (const ChunkingParameters &parameters : {one_size(4_KiB), one_size(10000), small_tiers()})
		for (unsigned letters : {256, 3, 2}) {
			const Buffer content = random_bytes(900000, letters, letters);
			const Cuts cuts = cuts_at_once(content, parameters);
			BOOST_REQUIRE((cuts == naive_cuts(content, parameters)));
			check_limits(cuts, parameters);
		}
}

BOOST_AUTO_TEST_CASE(any_split_gives_the_same_cuts)
{
	std::mt19937 random(7);
	for (const ChunkingParameters &parameters : {one_size(4_KiB), small_tiers()}) {
		const Buffer content = random_bytes(700000, 8);
		const Cuts expected = cuts_at_once(content, parameters);
		for (std::size_t most : {50, 1000, 10000, 100000, 800000})
			BOOST_REQUIRE((cuts_in_pieces(content, parameters, random, most) == expected));
	}
}

BOOST_AUTO_TEST_CASE(every_chunk_start_is_a_resume_point)
{
	const ChunkingParameters parameters = small_tiers();
	const Buffer content = random_bytes(900000, 9);
	const Cuts cuts = cuts_at_once(content, parameters);
	Buffer window(64);
	append(window, content);
	std::size_t offset = 0;
	for (std::size_t i = 0; i < cuts.size(); i++) {
		Chunker chunker(parameters, offset);
		BOOST_REQUIRE(chunker.next(Bytes(window).subspan(64 + offset), true) == cuts[i]);
		offset += cuts[i];
	}
}

BOOST_AUTO_TEST_CASE(zeros_are_cut_at_the_maximum)
{
	const Buffer zeros(1000000);
	const Cuts cuts = cuts_at_once(zeros, one_size(8_KiB));
	for (std::size_t i = 0; i + 1 < cuts.size(); i++)
		BOOST_TEST(cuts[i] == 32768U);
	BOOST_TEST(cuts.back() == 1000000U % 32768);
	BOOST_TEST(Chunker(one_size(8_KiB)).zero_chunk_size() == 32768U);
	BOOST_TEST((cuts_at_once(zeros, small_tiers()) == naive_cuts(zeros, small_tiers())));
}

BOOST_AUTO_TEST_CASE(zeros_may_be_skipped_unseen)
{
	const ChunkingParameters parameters = small_tiers();
	Buffer content = random_bytes(50000, 4);
	content.resize(850000);
	append(content, random_bytes(90000, 5));
	const Cuts expected = cuts_at_once(content, parameters);
	Chunker chunker(parameters);
	Buffer window(64);
	append(window, content);
	Cuts cuts;
	std::size_t offset = 0;
	while (offset < content.size()) {
		const std::size_t zeros = chunker.zero_chunk_size();
		if (offset >= 50000 && offset + zeros <= 850000) {
			chunker.skip(zeros);
			cuts.push_back(zeros);
		} else {
			cuts.push_back(chunker.next(Bytes(window).subspan(64 + offset), true));
		}
		offset += cuts.back();
	}
	BOOST_TEST((cuts == expected));
}

BOOST_AUTO_TEST_CASE(content_up_to_the_minimum_is_one_chunk)
{
	for (std::size_t size : {1, 31, 32, 100, 2047, 2048}) {
		const Cuts expected{size};
		BOOST_TEST(cuts_at_once(random_bytes(size, 1), one_size(4_KiB)) == expected,
			boost::test_tools::per_element());
	}
	BOOST_TEST(cuts_at_once({}, one_size(4_KiB)).empty());
	BOOST_TEST(one_size(4_KiB).single_chunk_size() == 2048U);
	BOOST_TEST(ChunkingParameters().single_chunk_size() == 128_KiB);
}

BOOST_AUTO_TEST_CASE(the_mean_is_the_target)
{
	const Buffer content = random_bytes(20000000, 6);
	const Cuts cuts = cuts_at_once(content, one_size(16_KiB));
	const double mean = static_cast<double>(content.size()) / static_cast<double>(cuts.size());
	BOOST_TEST(mean > 0.9 * 16384);
	BOOST_TEST(mean < 1.1 * 16384);
	// No blind cuts in content: where the maximum was reached, something shorter was found.
	BOOST_TEST(std::count(cuts.begin(), cuts.end(), std::size_t(65536)) == 0);
}

BOOST_AUTO_TEST_CASE(a_changed_byte_changes_cuts_near_it_only)
{
	Buffer content = random_bytes(2000000, 12);
	const Cuts before = cuts_at_once(content, one_size(8_KiB));
	content.insert(content.begin() + 1000000, 0x55);
	const Cuts after = cuts_at_once(content, one_size(8_KiB));
	std::size_t front = 0, back = 0;
	while (before[front] == after[front])
		front++;
	while (before[before.size() - 1 - back] == after[after.size() - 1 - back])
		back++;
	BOOST_TEST(before.size() - front - back <= 6U);
}

BOOST_AUTO_TEST_CASE(tiers_follow_the_offset)
{
	const ChunkingParameters parameters;
	BOOST_TEST(parameters.target_at(0) == 256_KiB);
	BOOST_TEST(parameters.target_at(1_MiB - 1) == 256_KiB);
	BOOST_TEST(parameters.target_at(1_MiB) == 1_MiB);
	BOOST_TEST(parameters.target_at(100_MiB - 1) == 1_MiB);
	BOOST_TEST(parameters.target_at(100_MiB) == 512_KiB);
	BOOST_TEST(parameters.target_at(1_GiB) == 2_MiB);
	BOOST_TEST(parameters.target_at(std::uint64_t(1) << 60) == 2_MiB);
	BOOST_TEST(parameters.largest_chunk() == 8_MiB);
	BOOST_TEST(one_size(4_KiB).target_at(std::uint64_t(1) << 60) == 4_KiB);
}

BOOST_AUTO_TEST_CASE(thresholds_follow_the_target)
{
	const ChunkLimits least = limits_for_target(4_KiB), most = limits_for_target(2_MiB);
	BOOST_TEST(least.minimum == 2048U);
	BOOST_TEST(least.maximum == 16384U);
	BOOST_TEST(least.strong == std::uint32_t(1) << 21);
	BOOST_TEST(least.weak == std::uint32_t(1) << 25);
	BOOST_TEST(most.minimum == 1_MiB);
	BOOST_TEST(most.maximum == 8_MiB);
	BOOST_TEST(most.strong == std::uint32_t(1) << 12);
	BOOST_TEST(limits_for_target(10000).strong == 858993U);
}

BOOST_AUTO_TEST_CASE(parameters_come_back_and_are_checked)
{
	const ChunkingParameters parameters = small_tiers();
	const Buffer encoded = parameters.encoded();
	BOOST_TEST(encoded.size() == encoded_parameters_size);
	BOOST_TEST((ChunkingParameters::decode(encoded, "test") == parameters));
	for (std::size_t size = 0; size < encoded.size(); size++)
		BOOST_CHECK_THROW(ChunkingParameters::decode(Bytes(encoded).first(size), "test"), Error);
	for (std::size_t field : {2, 18, 34, 42, 58}) {
		for (std::uint64_t value : {std::uint64_t(1), 4_KiB - 1, 2_MiB + 1, ~std::uint64_t(0)}) {
			Buffer bad = encoded;
			std::memcpy(bad.data() + field, &value, sizeof value);
			BOOST_CHECK_THROW(ChunkingParameters::decode(bad, "test"), CorruptError);
		}
	}
	Buffer other_table = encoded;
	other_table[0] = 2;
	BOOST_CHECK_THROW(ChunkingParameters::decode(other_table, "test"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
