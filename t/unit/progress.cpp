// What is shown of work: figures from counters, lines from figures, and the trace.
#include "libdig/watch/progress.h"

#include <thread>

#include <boost/test/unit_test.hpp>

#include "libdig/base/bytes.h"
#include "libdig/base/trace.h"

using namespace dig;

namespace {

const std::vector<ProgressStage> stages{{"take", 80}, {"finish", 20, false}};

bool has(const std::string &text, const std::string &part) { return text.find(part) != text.npos; }

// A Work where half of the files and bytes of "take" went through.
struct HalfDone {
	Work work;
	HalfDone()
	{
		work.begin_stage("take");
		work.total_files.add(10);
		work.total_bytes.add(10_MiB);
		work.is_total_known = true;
		work.files.add(5);
		work.bytes.add(5_MiB);
		work.chunks.add(7);
	}
};

std::string value_of(const std::vector<Metric> &metrics, const std::string &name)
{
	for (const Metric &metric : metrics)
		if (metric.name == name)
			return metric.value;
	return "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(the_words_of_the_option_are_four)
{
	BOOST_TEST((parse_progress({}) == ShowProgress::automatic));
	BOOST_TEST((parse_progress("auto") == ShowProgress::automatic));
	BOOST_TEST((parse_progress("") == ShowProgress::always));
	BOOST_TEST((parse_progress("always") == ShowProgress::always));
	BOOST_TEST((parse_progress("never") == ShowProgress::never));
	BOOST_TEST((parse_progress("json") == ShowProgress::json));
	BOOST_CHECK_THROW(parse_progress("sometimes"), UsageError);
}

BOOST_AUTO_TEST_CASE(a_percentage_comes_only_from_known_totals)
{
	HalfDone half;
	ProgressEstimate estimate(stages);
	half.work.is_total_known = false;
	BOOST_TEST(!estimate.look(half.work, 1).percent);
	BOOST_TEST(!estimate.look(half.work, 1).total_files);
	half.work.is_total_known = true;
	const ProgressState state = estimate.look(half.work, 1);
	BOOST_TEST(*state.stage_percent == 50.0);
	BOOST_TEST(*state.percent == 40.0);
	BOOST_TEST(*state.total_files == 10U);
	BOOST_TEST(*state.total_bytes == 10_MiB);
}

BOOST_AUTO_TEST_CASE(stages_have_their_places_in_the_whole)
{
	HalfDone half;
	ProgressEstimate estimate(stages);
	BOOST_TEST(*estimate.look(half.work, 1).percent == 40.0);
	half.work.begin_stage("finish");
	const ProgressState state = estimate.look(half.work, 1);
	BOOST_TEST(*state.percent == 80.0);
	BOOST_TEST(!state.stage_percent);
	half.work.begin_stage("something else");
	BOOST_TEST(!estimate.look(half.work, 1).percent);
}

BOOST_AUTO_TEST_CASE(a_stage_that_is_passed_over_is_no_part_of_the_whole)
{
	Work work;
	ProgressEstimate estimate({{"references", 80}, {"manifest", 5, false}, {"copy", 80}, {"publish", 15, false}});
	work.begin_stage("manifest");
	BOOST_TEST(*estimate.look(work, 0).percent == 0.0);
	work.begin_stage("copy", {.bytes = 100_MiB});
	BOOST_TEST(*estimate.look(work, 0.1).percent == 5.0);
	ProgressState state;
	for (int second = 1; second <= 10; second++) {
		work.bytes.add(5_MiB);
		state = estimate.look(work, 0.1 + second);
		// At 4 % a second; the jump to 5 % was none of that.
		if (second >= 2)
			BOOST_TEST(*state.eta_s == (95.0 - 4 * second) / 4, boost::test_tools::tolerance(0.001));
	}
	BOOST_TEST(*state.percent == 45.0);
}

BOOST_AUTO_TEST_CASE(a_stage_may_count_other_things_than_files)
{
	HalfDone half;
	ProgressEstimate estimate({{"check", 1}, {"take", 3}});
	half.work.begin_stage("check");
	half.work.items_total.set(4);
	half.work.items_done.set(1);
	const ProgressState state = estimate.look(half.work, 1);
	BOOST_TEST(*state.stage_percent == 25.0);
	BOOST_TEST(*state.percent == 6.25);
	BOOST_TEST(has(terminal_lines(state, 80)[1], "check: 1 of 4"));
}

BOOST_AUTO_TEST_CASE(what_earlier_stages_counted_is_no_part_of_this_one)
{
	HalfDone half;
	ProgressEstimate estimate(stages);
	half.work.begin_stage("take");
	half.work.total_files.add(10);
	half.work.is_total_known = true;
	const ProgressState state = estimate.look(half.work, 1);
	BOOST_TEST(*state.stage_percent == 0.0);
	BOOST_TEST(*state.total_files == 15U);
}

BOOST_AUTO_TEST_CASE(small_files_count_by_more_than_their_bytes)
{
	Work work;
	ProgressEstimate estimate({{"take", 1}});
	work.begin_stage("take");
	work.total_files.add(101);
	work.total_bytes.add(1_MiB);
	work.is_total_known = true;
	work.files.add(1);
	work.bytes.add(1_MiB);
	BOOST_TEST(*estimate.look(work, 1).percent < 50.0);
}

BOOST_AUTO_TEST_CASE(more_than_there_was_to_do_is_no_more_than_all)
{
	HalfDone half;
	ProgressEstimate estimate(stages);
	half.work.bytes.add(1_GiB);
	BOOST_TEST(*estimate.look(half.work, 1).stage_percent == 100.0);
}

BOOST_AUTO_TEST_CASE(rates_and_the_time_left_follow_from_the_last_seconds)
{
	Work work;
	ProgressEstimate estimate({{"take", 1}});
	work.begin_stage("take");
	work.total_bytes.add(100_MiB);
	work.is_total_known = true;
	estimate.look(work, 0);
	ProgressState state;
	for (int second = 1; second <= 40; second++) {
		work.bytes.add(second <= 20 ? 1_MiB : 2_MiB);
		state = estimate.look(work, second);
		if (second == 10) {
			BOOST_TEST(state.bytes_per_s == 1_MiB, boost::test_tools::tolerance(0.001));
			BOOST_TEST(*state.eta_s == 90.0, boost::test_tools::tolerance(0.001));
		}
	}
	BOOST_TEST(state.bytes_per_s == 2_MiB, boost::test_tools::tolerance(0.01));
	BOOST_TEST(*state.eta_s == 20.0, boost::test_tools::tolerance(0.1));
	for (int second = 41; second <= 400; second++)
		state = estimate.look(work, second);
	BOOST_TEST(state.bytes_per_s < 1.0);
	BOOST_TEST((!state.eta_s || *state.eta_s > 1e5));
}

BOOST_AUTO_TEST_CASE(lines_for_a_terminal_are_two_and_no_wider_than_it)
{
	HalfDone half;
	ProgressEstimate estimate(stages);
	const ProgressState state = estimate.look(half.work, 12);
	const std::vector<std::string> lines = terminal_lines(state, 200);
	BOOST_TEST(lines.size() == 2U);
	BOOST_TEST(lines[0] == "[=========>              ]  40 %   0:12");
	BOOST_TEST(lines[1] == "take: 5 of 10 files, 5.00 MiB of 10.0 MiB, 7 chunks, 427 KiB/s");
	for (int columns : {0, 1, 10, 40, 79})
		for (const std::string &line : terminal_lines(state, columns))
			BOOST_TEST(line.size() <= static_cast<std::size_t>(columns));
}

BOOST_AUTO_TEST_CASE(json_has_null_for_what_is_not_known)
{
	Work work;
	ProgressEstimate estimate(stages);
	BOOST_TEST(progress_json(estimate.look(work, 0)) ==
		"{\"schema\":1,\"type\":\"progress\",\"stage\":\"start\",\"files\":0,\"bytes\":0,\"chunks\":0,"
		"\"files_seen\":0,\"total_files\":null,\"total_bytes\":null,\"percent\":null,\"stage_percent\":null,"
		"\"eta_s\":null,\"bytes_per_s\":0.000,\"files_per_s\":0.000,\"elapsed_s\":0.000}\n");
	const std::string done = progress_json(estimate.look(work, 2), 3);
	BOOST_TEST(has(done, "\"type\":\"done\""));
	BOOST_TEST(has(done, "\"status\":3}"));
}

BOOST_AUTO_TEST_CASE(messages_are_json_strings_whatever_is_in_them)
{
	BOOST_TEST(message_json("message", "dig add", "say \"a\\b\"", "x") ==
		"{\"schema\":1,\"type\":\"message\",\"command\":\"dig add\",\"message\":\"say \\\"a\\\\b\\\"\","
		"\"text\":\"x\"}\n");
	BOOST_TEST(message_json("error", "", "", "\xff\n\x1b", 4) ==
		"{\"schema\":1,\"type\":\"error\",\"message\":\"\",\"text\":\"\\\\377\\\\n\\\\033\",\"status\":4}\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(the_fields_of_the_specification_are_there)
{
	HalfDone half;
	half.work.new_bytes.add(2_MiB);
	half.work.add_time(Step::hash, 250'000'000);
	ProcessUse use;
	use.peak_memory = 77;
	const std::vector<Metric> metrics = metrics_of(half.work, 2.5, use);
	BOOST_TEST(value_of(metrics, "files_processed") == "5");
	BOOST_TEST(value_of(metrics, "bytes_processed") == "5242880");
	BOOST_TEST(value_of(metrics, "chunks_created") == "7");
	BOOST_TEST(value_of(metrics, "deduplication_ratio") == "2.500");
	BOOST_TEST(value_of(metrics, "processing_time") == "2.500000");
	BOOST_TEST(value_of(metrics, "memory_peak") == "77");
	BOOST_TEST(value_of(metrics, "throughput_mb_per_sec") == "2.000");
	BOOST_TEST(value_of(metrics, "files_per_sec") == "2.000");
	BOOST_TEST(value_of(metrics, "stage_hash_s") == "0.250000");
	BOOST_TEST(value_of(metrics, "cache_hits") == "none");
	BOOST_TEST(has(metrics_text(metrics), "files_processed 5\nbytes_processed 5242880\n"));
	BOOST_TEST(has(metrics_json(metrics), "{\"schema\":1,\"type\":\"metrics\",\"files_processed\":5,"));
}

BOOST_AUTO_TEST_CASE(a_ratio_to_nothing_is_null)
{
	HalfDone half;
	BOOST_TEST(value_of(metrics_of(half.work, 1, {}), "deduplication_ratio") == "null");
	Work nothing;
	BOOST_TEST(value_of(metrics_of(nothing, 1, {}), "deduplication_ratio") == "1.000");
}

BOOST_AUTO_TEST_CASE(the_step_that_limits_is_the_one_that_fills_the_time)
{
	Work work;
	work.workers.set(2);
	work.bytes.add(1_GiB);
	work.add_time(Step::hash, 6'000'000'000);
	work.add_time(Step::read, 2'000'000'000);
	work.add_time(Step::wait, 2'000'000'000);
	BOOST_TEST(has(limit_of(work, 5), "limited by hashing (hash): 60 % of the time of 2 workers"));
	BOOST_TEST(has(limit_of(work, 5), "next is reading the files with 20 %"));
	// Writers take turns: this is nearly all of the time, though less than hashing in sum.
	work.stored_bytes.add(1_GiB);
	work.add_time(Step::write, 4'500'000'000);
	BOOST_TEST(has(limit_of(work, 5), "limited by writing the pack (write): 90 % of that time"));
	work.add_time(Step::input, 4'800'000'000);
	BOOST_TEST(has(limit_of(work, 5), "limited by waiting for the program that feeds the stream"));
}

BOOST_AUTO_TEST_CASE(workers_that_the_memory_holds_back_are_told_with_what_would_help)
{
	Work work;
	work.bytes.add(1);
	BOOST_TEST(value_of(metrics_of(work, 1, {}), "workers_wanted") == "none");
	work.workers.set(64);
	work.carry_workers(64, 90, [] { return 0; });
	BOOST_TEST(value_of(metrics_of(work, 1, {}), "workers_wanted") == "64");
	BOOST_TEST(value_of(metrics_of(work, 1, {}), "workers_at_work") == "64");
	BOOST_TEST(!has(limit_of(work, 5), "memory"));
	work.carry_workers(64, 21, [] { return 186_MiB; });
	work.carry_workers(64, 30, [] { return 150_MiB; });
	BOOST_TEST(value_of(metrics_of(work, 1, {}), "workers_at_work") == "21");
	BOOST_TEST(has(limit_of(work, 5), "the memory keeps about 21 of 64 workers at work at the same time, and "
		"performance.max_memory_usage=186MB would keep all of them"));
	Work in_group;
	in_group.workers.set(64);
	in_group.carry_workers(64, 8, [] { return 0; });
	BOOST_TEST(has(limit_of(in_group, 5), "the memory limit of the control group is too low for all of them"));
	// Fewer were started, since there was not more to do.
	work.workers.set(3);
	BOOST_TEST(value_of(metrics_of(work, 1, {}), "workers_at_work") == "3");
	BOOST_TEST(!has(limit_of(work, 5), "memory"));
}

BOOST_AUTO_TEST_CASE(a_clock_divides_time_without_a_gap)
{
	Work work;
	const std::int64_t began = clock_ns();
	StepClock clock(work);
	std::this_thread::sleep_for(std::chrono::milliseconds(2));
	clock.lap(Step::read);
	clock.lap(Step::hash);
	const double all_s = static_cast<double>(clock_ns() - began) / 1e9;
	BOOST_TEST(work.seconds(Step::read) >= 0.002);
	BOOST_TEST(work.seconds(Step::read) + work.seconds(Step::hash) <= all_s);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tracing)

BOOST_AUTO_TEST_CASE(regions_and_counts_become_lines)
{
	{
		const Region unseen("before");
		trace_count("unseen");
	}
	std::string text;
	trace::start("tool[7", [&](std::string_view line) { text += line; });
	{
		const Region outer("outer");
		const Region inner("inner");
		trace_count("things", 2);
		trace_count("things");
	}
	BOOST_TEST(text.find("tool[7.1] 0.0") == 0U);
	BOOST_TEST(has(text, "   inner\n"));
	BOOST_TEST(has(text, " outer\n"));
	text.clear();
	trace::finish();
	BOOST_TEST(has(text, "tool[7] count 3 things\n"));
	BOOST_TEST(has(text, "] sum 0.0"));
	BOOST_TEST(has(text, " of 1, longest 0.0"));
	BOOST_TEST(!has(text, "unseen"));
	BOOST_TEST(!has(text, "before"));
	text.clear();
	{
		const Region after("after");
	}
	BOOST_TEST(text == "");
}

BOOST_AUTO_TEST_SUITE_END()
