#include "libdig/verbs/stage_failures.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "t/unit/scratch.h"

using namespace dig;

namespace {

// A store whose journal has these failures, of files that are all in the work tree.
struct FailedAdd {
	Scratch scratch;
	StorePaths paths = create_store({.work_tree = scratch.path, .store = {}, .store_id = {}, .chunking = {}});
	Store store{paths};
	StagingWriter writer{store};
	File root = File::open_with(scratch.path, O_RDONLY | O_DIRECTORY);

	explicit FailedAdd(const std::vector<std::string> &failed)
	{
		std::vector<JournalFailure> failures;
		for (const std::string &path : failed) {
			add_file(path);
			failures.push_back({path, "then"});
		}
		if (!failures.empty())
			writer.set_failures(failures);
	}
	void add_file(const std::string &path)
	{
		const std::string whole = scratch.path + "/" + path;
		std::filesystem::create_directories(whole.substr(0, whole.rfind('/')));
		std::ofstream(whole) << "content";
	}
	std::string recorded() const
	{
		std::string text;
		for (const JournalFailure &failure : writer.failures())
			text += failure.path + ":" + failure.message + " ";
		return text;
	}
};

} // namespace

BOOST_AUTO_TEST_SUITE(stage_failures)

BOOST_AUTO_TEST_CASE(what_was_taken_failed_anew_or_is_gone_is_forgotten_and_the_rest_stays)
{
	FailedAdd add({"again", "gone", "settled", "stays"});
	std::filesystem::remove(add.scratch.path + "/gone");
	StageFailures failures(add.writer, add.root);
	failures.settle("settled");
	failures.add("again", "now");
	failures.add("nowhere", "now");
	failures.record();
	BOOST_CHECK_EQUAL(add.recorded(), "stays:then again:now ");
	BOOST_CHECK_EQUAL(failures.recorded_count(), 1);
	BOOST_CHECK_EQUAL(failures.all().size(), 2);
}

BOOST_AUTO_TEST_CASE(what_lies_within_a_scope_that_was_looked_at_is_forgotten)
{
	FailedAdd add({"a/b", "a-b", "c"});
	StageFailures failures(add.writer, add.root);
	failures.look_at("a");
	failures.record();
	BOOST_CHECK_EQUAL(add.recorded(), "a-b:then c:then ");
	StageFailures later(add.writer, add.root);
	later.look_at("");
	later.record();
	BOOST_CHECK_EQUAL(add.recorded(), "");
}

BOOST_AUTO_TEST_CASE(several_threads_add_and_settle)
{
	constexpr int threads = 4, rounds = 3000;
	FailedAdd add({"0", "1", "2", "3", "new", "stays"});
	StageFailures failures(add.writer, add.root);
	std::vector<std::thread> running;
	for (int thread = 0; thread < threads; thread++)
		running.emplace_back([&, thread] {
			for (int round = 0; round < rounds; round++) {
				failures.settle(std::to_string(thread));
				failures.add("new", std::to_string(round));
			}
		});
	for (std::thread &thread : running)
		thread.join();
	BOOST_CHECK_EQUAL(failures.all().size(), threads * rounds);
	failures.record();
	BOOST_CHECK(add.recorded().starts_with("stays:then new:"));
	BOOST_CHECK_EQUAL(failures.recorded_count(), threads * rounds);
}

BOOST_AUTO_TEST_SUITE_END()
