// What a pack and its journal hold after an append that failed.
#include "libdig/staging/pack.h"

#include <csignal>

#include <boost/test/unit_test.hpp>
#include <sys/resource.h>

#include "libdig/base/error.h"
#include "libdig/staging/staged_items.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

// No file of this process may become larger while one of these is there.
class FileSizeLimit {
public:
	explicit FileSizeLimit(std::uint64_t size) : old_handler_(std::signal(SIGXFSZ, SIG_IGN))
	{
		BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_) == 0);
		const rlimit limit{size, old_.rlim_max};
		BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
	}
	~FileSizeLimit()
	{
		::setrlimit(RLIMIT_FSIZE, &old_);
		std::signal(SIGXFSZ, old_handler_);
	}
	FileSizeLimit(const FileSizeLimit &) = delete;

private:
	void (*old_handler_)(int);
	rlimit old_;
};

// Opens what is there, as a writer that comes alone.
void open(Pack &pack)
{
	pack.open_journal();
	pack.find_file();
	JournalReader reader(pack.journal());
	pack.state() = JournalState(0);
	pack.state().take_all(reader, "j");
	pack.set_journal_size(reader.offset());
	pack.open_file();
}

// A block of so many items of one byte each: its record is longer than the block.
void append(Pack &pack, std::uint8_t content, std::size_t items)
{
	const Buffer payload(items, content);
	const ReadyBlock block{ItemKind::chunk, Codec::none, std::vector<std::uint32_t>(items, 1),
		std::vector<Digest>(items, digest_of(Bytes(&content, 1))), payload};
	FramedBlocks framed({&block, 1});
	pack.append(framed, {});
}

// Of the blocks that the journal names, each of which is in the pack as it says.
std::vector<std::uint32_t> numbers_in(const Pack &pack)
{
	std::vector<std::uint32_t> numbers;
	JournalReader reader(pack.journal());
	Decompressor decompressor;
	while (const std::optional<JournalBlock> block = next_block(reader, "j")) {
		check_pack_block(pack.file(), *block, decompressor);
		numbers.push_back(block->number);
	}
	return numbers;
}

// One append that ends where it may not go on, between two that do not.
void append_around_a_failure(std::uint64_t limit, std::size_t items)
{
	Scratch scratch;
	{
		Pack pack(scratch.path);
		pack.begin();
		open(pack);
		append(pack, 'a', 1);
		const std::uint64_t size = pack.size(), journal_size = pack.journal_size();
		{
			const FileSizeLimit small(limit);
			BOOST_CHECK_THROW(append(pack, 'b', items), SystemError);
		}
		BOOST_TEST(pack.size() == size);
		BOOST_TEST(pack.journal_size() == journal_size);
		append(pack, 'c', 1);
		pack.end_appended();
	}
	Pack pack(scratch.path);
	open(pack);
	BOOST_TEST((numbers_in(pack) == std::vector<std::uint32_t>{0, 1}));
	BOOST_TEST(pack.state().block_count() == 2U);
	BOOST_TEST(!pack.state().misses_blocks());
}

} // namespace

BOOST_AUTO_TEST_SUITE(pack)

BOOST_AUTO_TEST_CASE(a_block_that_does_not_fit_into_the_pack_leaves_no_gap)
{
	append_around_a_failure(2000, 4000);
}

BOOST_AUTO_TEST_CASE(a_record_that_does_not_fit_into_the_journal_leaves_no_gap)
{
	append_around_a_failure(2000, 100);
}

BOOST_AUTO_TEST_SUITE_END()
