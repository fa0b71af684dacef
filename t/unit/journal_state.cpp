// Records of a journal fold into one state, whoever reads them.
#include "libdig/staging/journal_state.h"

#include <boost/test/unit_test.hpp>

#include "t/unit/scratch.h"

using namespace dig;

namespace {

constexpr std::uint64_t start = sizeof(Preamble);

// Records in a journal of their own, and where each of them begins.
class Records {
public:
	explicit Records(const std::string &directory) : path_(directory + "/journal") {}

	std::uint64_t put_with(JournalType type, const std::function<void(Buffer &)> &encode)
	{
		const std::uint64_t offset = journal_start + records_.size();
		put_journal_record(records_, type, encode);
		return offset;
	}
	template <typename Record> std::uint64_t put(JournalType type, const Record &record)
	{
		return put_with(type, [&](Buffer &body) { record.encode(body); });
	}
	std::uint64_t put_checkpoint(const std::string &name, std::uint64_t offset)
	{
		JournalCheckpoint checkpoint;
		checkpoint.file.entry.path = name;
		checkpoint.file.is_removed = true;
		checkpoint.offset = offset;
		return put(JournalType::checkpoint, checkpoint);
	}
	std::uint64_t put_finished(const std::string &name)
	{
		IndexRecord file;
		file.entry.path = name;
		file.is_removed = true;
		return put(JournalType::file, file);
	}
	std::uint64_t put_block(std::uint32_t number, std::uint64_t offset)
	{
		JournalBlock block;
		block.number = number;
		block.record.offset = offset;
		block.record.length = sizeof(BlockHeader) + 1;
		block.record.raw_size = 1;
		block.record.items = 1;
		block.record.kind = static_cast<std::uint8_t>(ItemKind::chunk);
		block.items.resize(1);
		return put(JournalType::block, block);
	}
	std::uint64_t end() const { return journal_start + records_.size(); }

	// As an index sees them that has what is before an offset.
	JournalState state(std::uint64_t merged = 0) const
	{
		const StagingId id = new_staging_id();
		create_journal(path_, id, records_);
		IndexState index;
		if (merged > 0) {
			index.journal_id = id;
			index.journal_offset = merged;
		}
		return JournalState::behind(File::open(path_), index);
	}

private:
	std::string path_;
	Buffer records_;
};

JournalNote note_of(const char *layer)
{
	JournalNote note;
	note.layer_id = digest_of(bytes_of(layer));
	return note;
}

} // namespace

BOOST_AUTO_TEST_SUITE(journal_state)

BOOST_AUTO_TEST_CASE(the_last_note_counts_until_it_is_cancelled)
{
	Scratch scratch;
	Records records(scratch.path);
	BOOST_TEST(!records.state().note());
	records.put(JournalType::note, note_of("a"));
	records.put(JournalType::note, note_of("b"));
	BOOST_REQUIRE(records.state().note().has_value());
	BOOST_TEST((records.state().note()->layer_id == digest_of(bytes_of("b"))));
	records.put_with(JournalType::cancelled, [](Buffer &) {});
	BOOST_TEST(!records.state().note());
	records.put(JournalType::note, note_of("c"));
	BOOST_TEST(records.state().note().has_value());
}

BOOST_AUTO_TEST_CASE(the_last_checkpoint_of_a_path_counts_until_its_file_is_finished)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put_checkpoint("a", 1);
	records.put_checkpoint("b", 2);
	records.put_checkpoint("a", 3);
	const JournalState both = records.state();
	BOOST_REQUIRE(both.checkpoints().size() == 2U);
	BOOST_TEST(both.checkpoints()[1].file.entry.path == "a");
	BOOST_TEST(both.checkpoints()[1].offset == 3U);
	records.put_finished("a");
	const JournalState one = records.state();
	BOOST_REQUIRE(one.checkpoints().size() == 1U);
	BOOST_TEST(one.checkpoints()[0].file.entry.path == "b");
}

BOOST_AUTO_TEST_CASE(what_the_index_has_of_failures_and_checkpoints_does_not_count)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put(JournalType::failed, JournalFailure{"a", "first"});
	records.put_checkpoint("a", 1);
	const std::uint64_t merged = records.put(JournalType::failed, JournalFailure{"b", "first"});
	records.put(JournalType::failed, JournalFailure{"b", "second"});
	const JournalState state = records.state(merged);
	BOOST_TEST(state.checkpoints().empty());
	BOOST_REQUIRE(state.failures().size() == 1U);
	BOOST_TEST(state.failures()[0].path == "b");
	BOOST_TEST(state.failures()[0].message == "second");
	BOOST_TEST(records.state().failures().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_failure_replaces_one_that_was_set)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put(JournalType::failed, JournalFailure{"a", "later"});
	records.put(JournalType::failed, JournalFailure{"c", "later"});
	JournalState state(0);
	state.set_failures({{"a", "first"}, {"b", "first"}});
	records.state();
	const File journal = File::open(scratch.path + "/journal");
	JournalReader reader(journal);
	state.take_all(reader, "j");
	BOOST_REQUIRE(state.failures().size() == 3U);
	BOOST_TEST(state.failures()[0].path == "b");
	BOOST_TEST(state.failures()[1].message == "later");
	state.set_failures({});
	BOOST_TEST(state.carried_records().empty());
}

BOOST_AUTO_TEST_CASE(what_is_carried_on_folds_into_the_same_state)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put_checkpoint("a", 7);
	records.put(JournalType::failed, JournalFailure{"b", "why"});
	const JournalState state = records.state();
	const std::uint64_t merged = records.end();
	records.put_checkpoint("gone", 1);
	const std::string path = scratch.path + "/carried";
	create_journal(path, new_staging_id(), state.carried_records());
	const JournalState again = JournalState::behind(File::open(path), {});
	BOOST_REQUIRE(again.checkpoints().size() == 1U);
	BOOST_TEST(again.checkpoints()[0].offset == 7U);
	BOOST_REQUIRE(again.failures().size() == 1U);
	BOOST_TEST(again.failures()[0].message == "why");
	BOOST_TEST(records.state(merged).checkpoints().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_pack_reaches_as_far_as_any_record_says)
{
	Scratch scratch;
	Records records(scratch.path);
	BOOST_TEST(records.state().pack_size() == start);
	records.put_block(0, start);
	const std::uint64_t end = start + sizeof(BlockHeader) + 1;
	records.put(JournalType::mark, JournalMark{start, 0});
	BOOST_TEST(records.state().pack_size() == end);
	BOOST_TEST(records.state().block_count() == 1U);
	BOOST_TEST(records.state().last_mark().pack_size == start);
	records.put(JournalType::mark, JournalMark{end + 10, 2});
	BOOST_TEST(records.state().pack_size() == end + 10);
	BOOST_TEST(records.state().block_count() == 2U);
}

BOOST_AUTO_TEST_CASE(a_mark_that_counts_more_blocks_than_there_are_shows_that_one_is_lost)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put_block(0, start);
	records.put(JournalType::mark, JournalMark{start, 1});
	BOOST_TEST(!records.state().misses_blocks());
	const std::uint64_t merged = records.put(JournalType::mark, JournalMark{start, 2});
	BOOST_TEST(records.state().misses_blocks());
	// Where the beginning was not read, their records may stand there.
	BOOST_TEST(!records.state(merged).misses_blocks());
}

BOOST_AUTO_TEST_CASE(content_that_no_entry_needs_yet_is_behind_the_index)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put_block(0, start);
	const std::uint64_t merged = records.put_block(1, start + 100);
	BOOST_TEST(records.state().content_behind_merged() == 2U);
	BOOST_TEST(records.state(merged).content_behind_merged() == 1U);
	BOOST_TEST(!records.state(merged).has_mark_behind_merged());
	records.put(JournalType::mark, JournalMark{start, 2});
	BOOST_TEST(records.state(merged).has_mark_behind_merged());
}

BOOST_AUTO_TEST_CASE(other_records_are_passed_over_on_the_way_to_a_block)
{
	Scratch scratch;
	Records records(scratch.path);
	records.put(JournalType::failed, JournalFailure{"a", "why"});
	const std::uint64_t at = records.put_block(0, start);
	records.put(JournalType::mark, JournalMark{start + 200, 1});
	records.state();
	const File journal = File::open(scratch.path + "/journal");
	JournalReader reader(journal);
	const std::optional<JournalBlock> block = next_block(reader, "j");
	BOOST_REQUIRE(block.has_value());
	BOOST_TEST(reader.record_offset() == at);
	BOOST_TEST(std::uint64_t(block->record.offset) == start);
	BOOST_TEST(!next_block(reader, "j"));
	JournalReader marks(journal);
	BOOST_REQUIRE(find_last_mark(marks, "j").has_value());
	JournalReader behind(journal, records.end());
	BOOST_TEST(!find_last_mark(behind, "j"));
}

BOOST_AUTO_TEST_SUITE_END()
