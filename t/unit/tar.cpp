// tar_block, pax_records, sparse_map, tar_reader, tar_writer
#include <boost/test/unit_test.hpp>

#include "libdig/archive/pax_records.h"
#include "libdig/archive/tar_reader.h"
#include "libdig/archive/tar_writer.h"
#include "libdig/base/error.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

File file_with(const Scratch &scratch, Bytes bytes)
{
	File file = File::open_with(scratch.path + "/archive", O_RDWR | O_CREAT | O_TRUNC);
	file.write_at(bytes, 0);
	return file;
}

TarBlock header(std::string_view name, std::uint64_t size, char type = '0')
{
	TarBlock block{};
	put_tar_text(block, tar_field::name, name);
	put_tar_number(block, tar_field::mode, 0640);
	put_tar_number(block, tar_field::size, size);
	put_tar_number(block, tar_field::time, 1000);
	block[tar_field::type] = static_cast<std::uint8_t>(type);
	put_tar_text(block, tar_field::magic, std::string_view("ustar\00000", 8));
	put_tar_checksum(block);
	return block;
}

void add(Buffer &archive, Bytes bytes)
{
	append(archive, bytes);
	archive.resize(whole_tar_blocks(archive.size()));
}

void add_pax(Buffer &archive, const std::string &records)
{
	add(archive, header("extended", records.size(), 'x'));
	add(archive, bytes_of(records));
}

void add_end(Buffer &archive) { archive.resize(archive.size() + 2 * tar_block_size); }

std::string record(std::string_view key, std::string_view value)
{
	std::string text;
	append_pax_record(text, key, value);
	return text;
}

std::string content_of(TarReader &reader, const TarMember &member)
{
	Buffer content(member.size);
	reader.read_content(content);
	return std::string(text_of(content));
}

} // namespace

BOOST_AUTO_TEST_SUITE(tar)

BOOST_AUTO_TEST_CASE(numbers_are_octal_or_binary)
{
	TarBlock block{};
	const TarField field{0, 12};
	for (const std::uint64_t number : {0ULL, 7ULL, (1ULL << 33) - 1, 1ULL << 33, 1ULL << 62}) {
		put_tar_number(block, field, number);
		BOOST_TEST(tar_number(block, field).value() == static_cast<std::int64_t>(number));
	}
	block.fill(0xff);
	BOOST_TEST(tar_number(block, field).value() == -1);
	block.fill(0);
	BOOST_TEST(tar_number(block, field).value() == 0);
	put_tar_text(block, field, "  644 ");
	BOOST_TEST(tar_number(block, field).value() == 0644);
	for (const std::string_view wrong : {"6x4", "-1", "9", "1 1"}) {
		block.fill(0);
		put_tar_text(block, field, wrong);
		BOOST_TEST(!tar_number(block, field));
	}
	block.fill(0x80); // more than 64 bits
	BOOST_TEST(!tar_number(block, field));
	block.fill(0);
	block[0] = 0x80;
	block[4] = 0x80; // the sign
	BOOST_TEST(!tar_number(block, field));
}

BOOST_AUTO_TEST_CASE(a_checksum_counts_signed_or_unsigned_bytes)
{
	TarBlock block = header("caf\xe9", 0);
	BOOST_TEST(is_tar_header(block));
	block[1]++;
	BOOST_TEST(!is_tar_header(block));
	BOOST_TEST(!is_tar_header(TarBlock{}));
}

BOOST_AUTO_TEST_CASE(records_have_their_own_length)
{
	for (std::size_t size = 0; size < 1100; size++) {
		const std::string text = record("key", std::string(size, 'v'));
		BOOST_REQUIRE(each_pax_record(text, [&](std::string_view key, std::string_view value) {
			BOOST_REQUIRE(key == "key" && value.size() == size);
		}));
	}
	const auto is_wrong = [](std::string_view text) {
		return !each_pax_record(text, [](std::string_view, std::string_view) {});
	};
	for (const std::string_view text : {"5 a=b\n", "7 a=b\n", "6 a=b", "6 a b\n", "6 =ab\n", "x a=b\n", "0 a=b\n",
		     " ", "3 \n", "99999999999999999999999 a=b\n"})
		BOOST_TEST(is_wrong(text), text);
	BOOST_TEST(!is_wrong("6 a=b\n6 a=\n\n"));
	BOOST_TEST(!is_wrong(""));
}

BOOST_AUTO_TEST_CASE(times_have_fractions)
{
	BOOST_TEST(pax_time("1.5").value() == 1'500'000'000);
	BOOST_TEST(pax_time("-1.5").value() == -1'500'000'000);
	BOOST_TEST(pax_time("0.1234567899").value() == 123'456'789);
	BOOST_TEST(pax_time("-0.0000000001").value() == -1);
	BOOST_TEST(pax_time("99999999999999999999").value() == INT64_MAX);
	BOOST_TEST(pax_time("-99999999999").value() == INT64_MIN);
	for (const std::string_view wrong : {"", "-", ".5", "1e5", "1.-5", "nan", " 1"})
		BOOST_TEST(!pax_time(wrong), wrong);
	for (const std::int64_t time : std::initializer_list<std::int64_t>{0, 1, -1, 1'700'000'000'123'456'789,
		     -1'000'000'000, INT64_MAX, INT64_MIN})
		BOOST_TEST(pax_time(pax_time_text(time)).value() == time);
}

BOOST_AUTO_TEST_CASE(a_map_of_any_length_comes_back)
{
	const Scratch scratch;
	SparseMap map(scratch.path);
	for (const std::uint64_t count : {0, 1, 65536, 65537, 200000}) {
		map.clear();
		for (std::uint64_t i = 0; i < count; i++)
			map.put({3 * i, 2});
		for (std::uint64_t i = 0; i < count; i++) {
			const std::optional<SparseMap::Piece> piece = map.next();
			BOOST_REQUIRE(piece && piece->offset == 3 * i && piece->size == 2);
		}
		BOOST_TEST(!map.next());
	}
	map.clear();
	map.put({0, 5});
	map.put({5, 5});
	BOOST_TEST(map.next()->size == 10);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read)
{
	const Scratch scratch;
	Buffer archive;
	TarWriter writer([&](Bytes bytes) { append(archive, bytes); });
	const std::string split = std::string(120, 'a') + "/" + std::string(90, 'b');
	const std::vector<std::string> names = {"short", std::string(100, 'x'), std::string(101, 'x'), split,
		std::string(255, 'y') + "/z", std::string(100, 'a') + "/" + std::string(100, 'b'),
		"caf\xe9" + std::string(100, 'c'), std::string(300, 'n')};
	for (const std::string &name : names) {
		writer.begin_file({name, 0755, 1'700'000'000'000'000'001}, name.size());
		writer.content(bytes_of(name));
		writer.end_file();
		writer.symlink({name, 0777, -1}, name);
		writer.directory({name, 0700, 0});
	}
	writer.finish();
	BOOST_TEST(archive.size() % 10240 == 0);
	const File file = file_with(scratch, archive);
	TarReader reader(file, scratch.path);
	TarMember member;
	for (const std::string &name : names) {
		BOOST_REQUIRE(reader.next(member));
		BOOST_TEST((member.kind == TarMember::Kind::file));
		BOOST_TEST(member.path == name);
		BOOST_TEST(member.mode == 0755);
		BOOST_TEST(member.mtime_ns == 1'700'000'000'000'000'001);
		BOOST_TEST(content_of(reader, member) == name);
		BOOST_REQUIRE(reader.next(member));
		BOOST_TEST((member.kind == TarMember::Kind::symlink));
		BOOST_TEST(member.target == name);
		BOOST_TEST(member.mtime_ns == -1);
		BOOST_REQUIRE(reader.next(member));
		BOOST_TEST((member.kind == TarMember::Kind::directory));
		BOOST_TEST(member.path == name + "/");
	}
	BOOST_TEST(!reader.next(member));
}

BOOST_AUTO_TEST_CASE(sparse_files_of_each_version_have_their_holes)
{
	const Scratch scratch;
	Buffer archive;
	const std::string data = "onetwo";
	const auto piece = [](const char *offset) {
		return record("GNU.sparse.offset", offset) + record("GNU.sparse.numbytes", "3");
	};
	add_pax(archive, record("GNU.sparse.size", "20") + piece("2") + piece("10"));
	add(archive, header("0.0", 6));
	add(archive, bytes_of(data));
	add_pax(archive, record("GNU.sparse.name", "real name") + record("GNU.sparse.size", "20") +
			record("GNU.sparse.map", "2,3,10,3"));
	add(archive, header("0.1", 6));
	add(archive, bytes_of(data));
	add_pax(archive, record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") +
			record("GNU.sparse.name", "1.0") + record("GNU.sparse.realsize", "20"));
	add(archive, header("GNUSparseFile.0/1.0", 512 + 6));
	add(archive, bytes_of("3\n2\n3\n10\n3\n20\n0\n"));
	add(archive, bytes_of(data));
	TarBlock old = header("old", 6, 'S');
	put_tar_text(old, tar_field::magic, std::string_view("ustar  \0", 8));
	put_tar_number(old, {386, 12}, 2);
	put_tar_number(old, {398, 12}, 3);
	old[482] = 1;
	put_tar_number(old, tar_field::gnu_real_size, 20);
	put_tar_checksum(old);
	add(archive, old);
	TarBlock more{};
	put_tar_number(more, {0, 12}, 10);
	put_tar_number(more, {12, 12}, 3);
	add(archive, more);
	add(archive, bytes_of(data));
	add(archive, header("behind", 0));
	add_end(archive);
	const File file = file_with(scratch, archive);
	TarReader reader(file, scratch.path);
	TarMember member;
	const std::string whole = std::string("\0\0one\0\0\0\0\0two\0\0\0\0\0\0\0", 20);
	for (const std::string name : {"0.0", "real name", "1.0", "old"}) {
		BOOST_REQUIRE(reader.next(member));
		BOOST_TEST(member.path == name);
		BOOST_TEST(member.size == 20);
		BOOST_TEST(content_of(reader, member) == whole);
	}
	BOOST_REQUIRE(reader.next(member));
	BOOST_TEST(member.path == "behind");
	BOOST_TEST(!reader.next(member));
}

BOOST_AUTO_TEST_CASE(maps_that_are_wrong_are_refused)
{
	const Scratch scratch;
	for (const std::string map : {"0,3,2,3", "5,3,0,3", "0,3,18,3", "0,3", "0,6,1", "x,6", "0,7",
		     "0,6,99999999999999999999,0"}) {
		Buffer archive;
		add_pax(archive, record("GNU.sparse.size", "20") + record("GNU.sparse.map", map));
		add(archive, header("sparse", 6));
		add(archive, bytes_of("onetwo"));
		add_end(archive);
		const File file = file_with(scratch, archive);
		TarReader reader(file, scratch.path);
		TarMember member;
		BOOST_CHECK_THROW(reader.next(member), CorruptError);
	}
}

BOOST_AUTO_TEST_CASE(content_that_nobody_takes_is_passed_over)
{
	const Scratch scratch;
	Buffer archive;
	add(archive, header("first", 1500));
	add(archive, Buffer(1500, 'x'));
	add(archive, header("D", 700, 'D'));
	add(archive, Buffer(700, 'x'));
	add(archive, header("link", 800, '1')); // old programs write the size of the file, and no content
	add(archive, header("last", 0));
	add_end(archive);
	const File file = file_with(scratch, archive);
	TarReader reader(file, scratch.path);
	TarMember member;
	std::vector<std::string> names;
	while (reader.next(member))
		names.push_back(member.path);
	BOOST_TEST((names == std::vector<std::string>{"first", "D", "link", "last"}));
}

BOOST_AUTO_TEST_CASE(an_archive_that_is_cut_anywhere_is_refused)
{
	const Scratch scratch;
	Buffer archive;
	add_pax(archive, record("path", "long name"));
	add(archive, header("file", 600));
	add(archive, Buffer(600, 'x'));
	add(archive, header("last", 5));
	add(archive, bytes_of("12345"));
	add_end(archive);
	for (std::size_t size = 0; size <= archive.size() - 2 * tar_block_size; size += 100) {
		const File file = file_with(scratch, Bytes(archive).first(size));
		TarReader reader(file, scratch.path);
		const auto read_all = [&] {
			TarMember member;
			while (reader.next(member))
				content_of(reader, member);
		};
		BOOST_CHECK_THROW(read_all(), CorruptError);
	}
}

BOOST_AUTO_TEST_SUITE_END()
