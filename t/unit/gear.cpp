#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>

#include "libdig/base/digest.h"
#include "libdig/chunking/gear.h"
#include "libdig/chunking/gear_kernels.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(gear)

using Candidates = std::vector<Candidate>;

static const std::uint32_t thresholds[] = {0, 1 << 21, 1 << 23, 1 << 25, 1u << 31, UINT32_MAX};

static Buffer random_bytes(std::size_t size, std::uint32_t seed, unsigned letters = 256)
{
	std::mt19937 generator(seed);
	Buffer bytes(size);
	for (std::uint8_t &byte : bytes)
		byte = static_cast<std::uint8_t>(generator() % letters);
	return bytes;
}

// What lies behind the 32 bytes that a window needs.
static Bytes after_window(const Buffer &buffer) { return Bytes(buffer).subspan(gear_window); }

static Candidates expected(Bytes segment, std::uint32_t threshold)
{
	Candidates candidates;
	find_candidates_scalar(segment, threshold, candidates);
	return candidates;
}

static void check_kernels(Bytes segment, std::uint32_t threshold, const Candidates &wanted)
{
	for (const Kernel<FindCandidates> &kernel : gear_kernels()) {
		if (!kernel.runs_here)
			continue;
		Candidates candidates;
		kernel.function(segment, threshold, candidates);
		BOOST_REQUIRE_MESSAGE(candidates == wanted, kernel.name << " differs in " <<
			segment.size() << " bytes, threshold " << threshold);
	}
}

static void check_kernels(Bytes segment, std::uint32_t threshold)
{
	check_kernels(segment, threshold, expected(segment, threshold));
}

BOOST_AUTO_TEST_CASE(the_table_is_the_beginnings_of_256_digests)
{
	for (unsigned i = 0; i < 256; i++) {
		const std::uint8_t byte = static_cast<std::uint8_t>(i);
		const Digest digest = digest_of({bytes_of("dig gear table 1"), Bytes(&byte, 1)});
		BOOST_TEST(gear_table[i] == digest.first_word());
	}
	BOOST_TEST(gear_table[0] == 0xdabde62f);
}

BOOST_AUTO_TEST_CASE(the_hash_of_32_zero_bytes_is_known)
{
	const Buffer zeros(gear_window + 1);
	const Candidates candidates = expected(after_window(zeros), UINT32_MAX);
	BOOST_REQUIRE(candidates.size() == 1);
	BOOST_TEST(candidates[0].end == 1);
	BOOST_TEST(candidates[0].hash == 0x254219d1);
}

BOOST_AUTO_TEST_CASE(the_hash_is_that_of_the_last_32_bytes)
{
	const Buffer buffer = random_bytes(gear_window + 1, 1);
	std::uint32_t hash = 0;
	for (std::size_t i = 1; i <= gear_window; i++)
		hash += gear_table[buffer[i]] << (gear_window - i);
	BOOST_TEST(expected(after_window(buffer), UINT32_MAX).at(0).hash == hash);
}

BOOST_AUTO_TEST_CASE(runs_of_zeros_have_no_candidates)
{
	const Buffer zeros(gear_window + 300000);
	check_kernels(after_window(zeros), 1 << 25, {});
}

BOOST_AUTO_TEST_CASE(an_empty_segment_has_no_candidates)
{
	check_kernels({}, UINT32_MAX, {});
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_every_size_at_every_alignment)
{
	const Buffer data = random_bytes(gear_window + 300, 2);
	Buffer buffer(64 + data.size());
	for (std::size_t alignment = 0; alignment < 64; alignment++) {
		std::copy(data.begin(), data.end(), buffer.begin() + alignment);
		for (std::size_t size = 0; size <= 300; size++)
			check_kernels(Bytes(buffer).subspan(alignment + gear_window, size), 1u << 31);
	}
}

// Around the sizes at which the kernels of eight and of sixteen stripes begin to work, and at
// which a second round of stripes does.
BOOST_AUTO_TEST_CASE(kernels_agree_on_sizes_that_their_stripes_do_not_divide)
{
	const Buffer buffer = random_bytes(gear_window + 70000, 3);
	const auto check = [&](std::size_t from, std::size_t to) {
		for (std::size_t size = from; size < to; size++)
			check_kernels(after_window(buffer).first(size), 1 << 25);
	};
	check(300, 2400);
	check(8 * 65 * 64 + 500, 8 * 65 * 64 + 520);
	check(16 * 65 * 64 - 20, 16 * 65 * 64 + 20);
	check(16 * 65 * 64 + 1020, 16 * 65 * 64 + 1060);
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_long_segments_for_every_threshold)
{
	for (const std::uint32_t threshold : thresholds) {
		for (std::size_t alignment : {0, 1, 17, 63}) {
			const Buffer buffer = random_bytes(gear_window + 300000 + alignment, 4);
			check_kernels(after_window(buffer).subspan(alignment), threshold);
		}
	}
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_random_segments)
{
	std::mt19937 generator(5);
	for (int i = 0; i < 100; i++) {
		const std::uint32_t threshold = (1 << 21) + generator() % (UINT32_MAX - (1 << 21));
		const Buffer buffer = random_bytes(gear_window + generator() % 100000, generator());
		check_kernels(after_window(buffer), threshold >> generator() % 11);
	}
}

BOOST_AUTO_TEST_CASE(kernels_agree_on_text_of_few_letters)
{
	for (unsigned letters : {1, 2, 3, 4}) {
		const Buffer buffer = random_bytes(gear_window + 200000, 6, letters);
		for (const std::uint32_t threshold : thresholds)
			check_kernels(after_window(buffer), threshold);
	}
}

// A run of one byte has a candidate everywhere or nowhere.
BOOST_AUTO_TEST_CASE(kernels_agree_on_runs_of_every_byte)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		const Buffer run(gear_window + 3000, static_cast<std::uint8_t>(byte));
		check_kernels(after_window(run), 1u << 28);
	}
}

BOOST_AUTO_TEST_CASE(candidates_do_not_depend_on_where_segments_end)
{
	const Buffer buffer = random_bytes(gear_window + 150000, 7);
	const Bytes whole = after_window(buffer);
	Candidates together;
	std::mt19937 generator(8);
	for (std::size_t at = 0; at < whole.size();) {
		const std::size_t size = std::min<std::size_t>(generator() % 9000, whole.size() - at);
		Candidates candidates;
		find_candidates(whole.subspan(at, size), 1 << 25, candidates);
		for (const Candidate &candidate : candidates)
			together.push_back({static_cast<std::uint32_t>(at + candidate.end), candidate.hash});
		at += size;
	}
	BOOST_TEST((together == expected(whole, 1 << 25)));
}

BOOST_AUTO_TEST_CASE(candidates_are_appended)
{
	const Buffer buffer = random_bytes(gear_window + 20000, 9);
	for (const Kernel<FindCandidates> &kernel : gear_kernels()) {
		if (!kernel.runs_here)
			continue;
		Candidates candidates = {{7, 8}};
		kernel.function(after_window(buffer), 1 << 25, candidates);
		BOOST_REQUIRE(candidates.size() > 1);
		BOOST_TEST((candidates.front() == Candidate{7, 8}));
		candidates.erase(candidates.begin());
		BOOST_TEST((candidates == expected(after_window(buffer), 1 << 25)));
	}
}

static const Kernel<void()> fakes[] = {
	{"fast", false, nullptr}, {"fair", true, nullptr}, {"plain", true, nullptr}};

static std::string_view choose(const char *value)
{
	::setenv("DIG_TEST_KERNEL", value, 1);
	return choose_kernel<void()>("DIG_TEST_KERNEL", fakes).name;
}

static std::string refusal(const char *value)
{
	try {
		choose(value);
	} catch (const Error &error) {
		BOOST_TEST(error.status() == exit_status::failed);
		return error.what();
	}
	return "none";
}

BOOST_AUTO_TEST_CASE(a_kernel_is_chosen_by_its_name)
{
	BOOST_TEST(choose("plain") == "plain");
	BOOST_TEST(choose("fair") == "fair");
	BOOST_TEST(choose("") == "fair");
	::unsetenv("DIG_TEST_KERNEL");
	BOOST_TEST(choose_kernel<void()>("DIG_TEST_KERNEL", fakes).name == "fair");
}

BOOST_AUTO_TEST_CASE(a_kernel_that_is_unknown_or_cannot_run_is_an_error)
{
	BOOST_TEST(refusal("quick") ==
		"DIG_TEST_KERNEL is 'quick': no such kernel (allowed: fair, plain)");
	BOOST_TEST(refusal("fast") ==
		"DIG_TEST_KERNEL is 'fast': this CPU cannot run it (allowed: fair, plain)");
}

BOOST_AUTO_TEST_SUITE_END()
