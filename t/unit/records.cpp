// Records, and how paths are quoted in them.
#include "libdig/tool/records.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>

#include "t/unit/scratch.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(every_byte_comes_back_from_quotes)
{
	for (int byte = 1; byte < 256; byte++)
		for (const std::string &path : {std::string(1, static_cast<char>(byte)),
				 std::string("a") + static_cast<char>(byte) + "1"}) {
			const std::string record = quoted_record(path);
			BOOST_TEST(record.find('\n') == record.npos);
			BOOST_TEST(unquoted_record(record) == path);
		}
	BOOST_TEST(quoted_record("a b") == "a b");
	BOOST_TEST(quoted_record("a\tb\"c\\d\x01") == "\"a\\tb\\\"c\\\\d\\001\"");
}

BOOST_AUTO_TEST_CASE(what_is_not_quoted_as_c_does_is_refused)
{
	for (const char *text : {"\"", "\"a", "\"a\"b\"", "\"\\\"", "\"\\q\"", "\"\\12\"", "\"\\128\"",
			 "\"\\400\"", "\"a\\"})
		BOOST_CHECK_EXCEPTION(unquoted_record(text), Error, [&](const Error &error) {
			return std::string_view(error.what()).find("is not quoted as C does: '\"") != std::string_view::npos;
		});
	BOOST_TEST(unquoted_record("a\"b") == "a\"b");
	BOOST_TEST(unquoted_record("") == "");
	BOOST_TEST(unquoted_record("\"\"") == "");
}

static RecordReader reader_of(const Scratch &scratch, const std::string &text, RecordEnd end)
{
	File::open_with(scratch.path + "/list", O_WRONLY | O_CREAT | O_TRUNC).write(bytes_of(text));
	return RecordReader(File::open_with(scratch.path + "/list", O_RDONLY), end);
}

BOOST_AUTO_TEST_CASE(a_record_may_be_as_long_as_the_limit_and_no_longer)
{
	const Scratch scratch;
	const std::string longest(max_record_size, 'x');
	for (const std::string after : {"\nnext\n", "\nnext"}) {
		RecordReader reader = reader_of(scratch, longest + after, RecordEnd::newline);
		BOOST_TEST((reader.next() == longest));
		BOOST_TEST(reader.has_next() == after.ends_with('\n'));
		BOOST_TEST(*reader.next() == "next");
		BOOST_TEST(!reader.next());
	}
	for (const std::string after : {"x\n", "x"})
		BOOST_CHECK_THROW(reader_of(scratch, longest + after, RecordEnd::newline).next(), Error);
}

BOOST_AUTO_TEST_CASE(with_nul_every_path_is_verbatim_and_the_last_one_ends)
{
	const Scratch scratch;
	RecordReader reader = reader_of(scratch, std::string("\"a\n\0b\0", 6), RecordEnd::nul);
	BOOST_TEST(*reader.next_path() == "\"a\n");
	BOOST_TEST(*reader.next_path() == "b");
	BOOST_TEST(!reader.next_path());
	RecordReader cut = reader_of(scratch, std::string("a\0b", 3), RecordEnd::nul);
	BOOST_TEST(*cut.next_path() == "a");
	BOOST_CHECK_THROW(cut.next_path(), Error);
}

// Of all sizes around those from which on a piece is not copied, and so much that it goes out in between.
BOOST_AUTO_TEST_CASE(what_is_kept_comes_out_in_its_place)
{
	const Scratch scratch;
	const std::string path = scratch.path + "/out";
	std::string expected;
	std::vector<std::string> pieces;
	for (std::size_t i = 0; i < 3000; i++)
		pieces.emplace_back(i % 1500, static_cast<char>('a' + i % 26));
	pieces.emplace_back(100000, '+');
	{
		const File file = File::open_with(path, O_WRONLY | O_CREAT);
		Output output(file.fd());
		for (const std::string &piece : pieces) {
			output.write_kept(bytes_of(piece));
			output.record(std::to_string(piece.size()));
			expected += piece + std::to_string(piece.size()) + '\n';
			if (piece.size() == 700)
				output.write(pieces.back());
			if (piece.size() == 700)
				expected += pieces.back();
		}
		output.let_go();
		for (std::string &piece : pieces)
			piece.assign(piece.size(), '-');
		output.flush();
		BOOST_TEST(output.written() == expected.size());
	}
	BOOST_TEST((text_of(read_whole_file(path, 16_MiB)) == expected));
}

BOOST_AUTO_TEST_SUITE_END()
