#include "libdig/verbs/indexed_walk.h"

#include <fstream>

#include <boost/test/unit_test.hpp>

#include "libdig/staging/index_update.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

namespace fs = std::filesystem;

// A work tree, and an index of these paths: "d/" is an empty directory, "s!" never had a file.
class Compared : private IndexedWalk::Visitor {
public:
	explicit Compared(const std::vector<std::string> &tracked)
	{
		IndexUpdate update(index_scratch_.path);
		for (std::string path : tracked) {
			IndexRecord record;
			record.entry.kind = path.ends_with('/') ? EntryKind::empty_directory : EntryKind::file;
			record.has_no_file = path.ends_with('!');
			if (path.ends_with('/') || path.ends_with('!'))
				path.pop_back();
			record.entry.path = path;
			record.sequence = IndexUpdate::new_sequence;
			update.put(record);
		}
		update.publish(nullptr);
	}

	void file(const std::string &path)
	{
		const fs::path whole = fs::path(tree_.path) / path;
		fs::create_directories(whole.parent_path());
		std::ofstream(whole) << "content";
	}
	void directory(const std::string &path) { fs::create_directories(fs::path(tree_.path) / path); }

	// What the visitor is called with, for the records of a walk and its end.
	std::string seen(const std::vector<std::string> &records, bool removes = true)
	{
		seen_.clear();
		const File root = File::open_with(tree_.path, O_RDONLY | O_DIRECTORY);
		const Index index = Index::open(index_scratch_.path);
		IndexedWalk walk(root, index, removes, *this);
		for (const std::string &record : records)
			walk.take(parse_work_record(record));
		walk.take(parse_work_record("E 0"));
		return seen_;
	}

private:
	void present(const WorkRecord &found, const IndexRecord *known) override
	{
		seen_ += (known ? "=" : "+") + found.path + " ";
	}
	void absent(const IndexRecord &known, const WorkRecord *found) override
	{
		seen_ += (found ? "/" : "-") + known.entry.path + " ";
	}
	void failed(const std::string &path, const std::string &) override { seen_ += "!" + path + " "; }
	void missing(const std::string &path) override { seen_ += "?" + path + " "; }
	void skipped(const WorkRecord &found) override { seen_ += "~" + found.path + " "; }

	Scratch tree_, index_scratch_;
	std::string seen_;
};

std::string file_record(const std::string &path) { return "F 644 7 1 1 1 1\t" + path; }
std::string directory_record(const std::string &path) { return "D 755 1 1 1 1\t" + path; }

} // namespace

BOOST_AUTO_TEST_SUITE(indexed_walk)

BOOST_AUTO_TEST_CASE(what_the_walk_shows_is_tracked_or_new_and_the_rest_is_gone)
{
	Compared compared({"a", "c", "e"});
	BOOST_CHECK_EQUAL(compared.seen({"S\t.", file_record("a"), file_record("b"), file_record("e")}), "=a +b -c =e ");
}

BOOST_AUTO_TEST_CASE(what_was_passed_over_and_is_there_is_present)
{
	Compared compared({"ignored", "new/below"});
	compared.file("ignored");
	compared.file("new/below");
	BOOST_CHECK_EQUAL(compared.seen({"S\t.", "I\tignored"}), "=ignored =new/below ");
}

BOOST_AUTO_TEST_CASE(only_what_was_asked_for_is_gone)
{
	Compared compared({"a-b", "a/b", "a/c", "b"});
	BOOST_CHECK_EQUAL(compared.seen({"S\ta", file_record("a/b")}), "=a/b -a/c ");
	BOOST_CHECK_EQUAL(compared.seen({"S\tb", "M\tb"}), "?b -b ");
}

BOOST_AUTO_TEST_CASE(what_lies_below_a_failure_stays_unknown)
{
	Compared compared({"a-b", "a/b", "c"});
	BOOST_CHECK_EQUAL(compared.seen({"S\t.", "X 13\ta/"}), "-a-b !a -c ");
	// The record of a file that could not be looked at comes before "a-b", which lies between.
	BOOST_CHECK_EQUAL(compared.seen({"S\t.", "X 5\ta"}), "!a -a-b -c ");
}

BOOST_AUTO_TEST_CASE(a_directory_is_new_only_if_nothing_below_it_stays)
{
	Compared compared({"d/gone", "e/stream!", "f/"});
	for (const char *path : {"d", "e", "f", "g"})
		compared.directory(path);
	const std::vector<std::string> records{"S\t.", directory_record("d"), directory_record("e"), directory_record("f"),
		directory_record("g")};
	BOOST_CHECK_EQUAL(compared.seen(records), "+d -d/gone -e/stream =f +g ");
	// Without removals the entry below it stays.
	BOOST_CHECK_EQUAL(compared.seen(records, false), "-d/gone -e/stream =f +g ");
}

BOOST_AUTO_TEST_CASE(a_directory_in_the_place_of_a_file_is_found_there)
{
	Compared compared({"d", "e/"});
	compared.file("d/x");
	compared.file("e/x");
	BOOST_CHECK_EQUAL(compared.seen({"S\t.", file_record("d/x"), file_record("e/x")}), "/d +d/x /e +e/x ");
}

BOOST_AUTO_TEST_SUITE_END()
