// Targets for what people and programs write: settings, rules, names, records.
#include "t/fuzz/fuzz.h"

#include <algorithm>

#include "libdig/archive/tar_reader.h"
#include "libdig/archive/tar_writer.h"
#include "libdig/base/byte_range.h"
#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/format/setting_keys.h"
#include "libdig/format/settings.h"
#include "libdig/format/urn.h"
#include "libdig/gateway/http_conditions.h"
#include "libdig/gateway/listing_page.h"
#include "libdig/gateway/url_query.h"
#include "libdig/os/typed_time.h"
#include "libdig/store/state_names.h"
#include "libdig/tool/records.h"
#include "libdig/worktree/ignore.h"

namespace dig {

static std::vector<Buffer> settings_seeds()
{
	return {seed("[core]\nauthor = \"Ann Onymous <ann@example.org>\"\ncompression = \"zstd\" # quick\n\n[performance]\n"
		     "max_worker_threads = 4\nbuffer_size = \"1MB\"\nasync_io = false\n"),
		seed("core.compression_level = 3\n[chunking]\ntarget = \"64KB\"\n[safe]\ndirectory = ['/srv/*', \"/a\\u00e4\"]\n"),
		seed("core = { author = '''x''', record_mtime = true }\n[performance]\nbatch_size = 1_000\n")};
}

static void run_settings(Bytes input)
{
	const std::string_view text = text_of(input);
	for (const Origin origin : {Origin::global_file, Origin::store_file}) {
		try {
			check_config(text, "config.toml", origin);
		} catch (const Error &) {
		}
	}
	const SettingKey &key = get_setting_key("core.author");
	const std::string edited = edited_config(text, "config.toml", key, "somebody");
	check_config(edited, "edited", Origin::store_file);
	check_config(edited_config(edited, "edited", key, {}), "removed", Origin::store_file);
	parse_size(text);
}

static std::vector<Buffer> ignore_seeds()
{
	return {seed("build/core.o\n*.o\n*.tmp\nbuild/\n!keep.o\n"), seed("a/b/c\n/a/**/c\n**/b\n[a-c]*\\ \n#no\n\\#yes\n?[!x]\n"),
		seed("x/y\n[[:alpha:]][]-]*\n[a-\\d]\n***\na**b/**\n  \n!\n/\n")};
}

// The first line is a path, the rest is the file of rules.
static void run_ignore(Bytes input)
{
	// Time grows with the size of rules times the square of that of the path.
	const std::string_view text = text_of(input).substr(0, 4096);
	const std::size_t line = std::min(text.find('\n'), text.size());
	const std::string path(text.substr(0, std::min<std::size_t>(line, 200)));
	const Bytes rules = bytes_of(text.substr(std::min(line + 1, text.size())));
	const IgnoreFile file(".digignore", "", rules), below("d/.digignore", "d", rules);
	for (const bool is_directory : {false, true}) {
		if (const std::optional<IgnoreMatch> match = file.match(path, is_directory))
			require(match->line >= 1 && match->line <= 4096, "a match has a line");
		below.match("d/" + path, is_directory);
	}
}

static std::vector<Buffer> urn_seeds()
{
	const std::string store(64, '5');
	return {seed("urn:dig:chia:" + store + ":" + std::string(64, 'a') + "/a%20b/c#bytes=0-511"), seed("/src/main.c#bytes=-7"),
		seed("URN:dig:CHIA:" + store), seed("urn:dig:chia:" + store + "/%e4%ff")};
}

static void run_urn(Bytes input)
{
	looks_like_urn(text_of(input));
	const Urn urn = parse_urn(text_of(input));
	require(parse_urn(to_text(urn)) == urn, "what is printed is read as the same");
}

static std::vector<Buffer> time_seeds()
{
	return {seed("2026-11-01T14:30:15.5+01:00"), seed("2026-02-28 23:59"), seed("11.months.ago"), seed("2 days ago"),
		seed("@1700000000"), seed("HEAD@{2026-11-01 12:30}:a/b")};
}

static void run_time(Bytes input)
{
	if (const std::optional<TypedTime> time = parse_typed_time(text_of(input), 1700000000))
		require(time->first_s <= time->last_s, "a time does not end before it begins");
	if (const std::optional<StatePath> named = split_state_path(text_of(input)))
		require(text_of(input).ends_with(":" + named->path), "a path is what stands behind the state");
}

static std::vector<Buffer> record_seeds()
{
	return {seed("plain\n\"quoted\\n\\303\\244\\\"\"\nlast"), seed(std::string_view("one\0two\0\"three\0", 15)), seed("\"\\\n\"\\7\"\n\"a\"b\"\n")};
}

static void run_records(Bytes input)
{
	for (const RecordEnd end : {RecordEnd::newline, RecordEnd::nul}) {
		try {
			RecordReader records(file_of(input), end);
			while (records.next_path())
				records.has_next();
		} catch (const Error &) {
		}
	}
	const std::string_view text = text_of(input);
	require(unquoted_record(quoted_record(text)) == text || text.starts_with('"') == false, "what is quoted is read as the same");
	require(quoted_record(text).find('\n') == std::string::npos, "a record is one line");
	unquoted_record(text);
}

static std::vector<Buffer> path_seeds() { return {seed("a/b/c"), seed("./a//../b/"), seed(".DIG /x"), seed("\xe2\x80\x8c.dig"), seed("1-2"), seed("-5")}; }

static void run_path(Bytes input)
{
	const std::string_view text = text_of(input);
	if (const std::optional<ByteRange> range = parse_byte_range(text))
		require(parse_byte_range(to_text(*range)) == range, "a range that is printed is read as the same");
	const std::string path = normalised_path(std::string(text), "", "/");
	if (path_problem(path).empty())
		require(normalised_path(path, "", "/") == path && is_within(path, path) && is_within(path, ""), "a stored path is one already");
}

static std::vector<Buffer> http_seeds()
{
	return {seed("bytes=0-9\n\"abc\"\nformat=json&after=a%2Fb"), seed("bytes=-5,7-\nW/\"x\", \"abc\"\nbefore=12"),
		seed("bytes=5-\nSun, 06 Nov 1994 08:49:37 GMT\nafter=%C3%A4+/&a"), seed("lines=1-2\n*\n")};
}

// The lines are a range, a condition and a query.
static void run_http(Bytes input)
{
	const std::string_view text = text_of(input);
	const std::size_t line = std::min(text.find('\n'), text.size());
	const std::string_view range = text.substr(0, line), rest = text.substr(std::min(line + 1, text.size()));
	const std::size_t second = std::min(rest.find('\n'), rest.size());
	const std::string_view condition = rest.substr(0, second);
	const ContentTag tag{"\"abc\"", 784111777};
	for (const std::uint64_t size : {std::uint64_t(0), std::uint64_t(100), ~std::uint64_t(0)}) {
		const RangeWish wish = wished_range({.if_range = condition, .range = range}, tag, size);
		require(wish.extent.offset <= size && wish.extent.size <= size - wish.extent.offset, "a part lies in the content");
		require(wish.kind != RangeWish::Kind::part || wish.extent.size > 0, "a part is not empty");
	}
	const bool names = names_tag(condition, tag.etag, false);
	require(!names || names_tag(condition, tag.etag, true), "what is the same is weakly the same");
	require((judge({.if_match = condition}, tag) == Verdict::failed) == (!names && !condition.empty()),
		"If-Match holds for what it names");
	judge({.if_none_match = condition, .if_modified_since = condition}, tag);
	judge({.if_unmodified_since = condition}, tag);
	for (const char *name : {"format", "after", "before", ""})
		query_value(rest.substr(second), name);
	require(html_escaped(text).find_first_of("<>\"'") == std::string::npos, "no markup is left");
}

static std::vector<Buffer> tar_seeds()
{
	std::vector<Buffer> seeds(2);
	for (Buffer &archive : seeds) {
		TarWriter writer([&](Bytes bytes) { append(archive, bytes); });
		const bool is_first = &archive == &seeds[0];
		const std::string name = is_first ? "file" : std::string(150, 'n') + "\xff";
		writer.begin_file({name, 0644, 1'700'000'000'123'456'789}, 5);
		writer.content(bytes_of("12345"));
		writer.end_file();
		writer.symlink({"link", 0777, 0}, is_first ? "file" : std::string(120, 't'));
		writer.directory({"directory", 0755, -5});
		writer.begin_sparse_file({"sparse", 0600, 7}, 1'000'000, 512 + 3);
		Buffer map = seed("2\n512\n3\n1000000\n0\n");
		map.resize(512);
		writer.content(map);
		writer.content(bytes_of("abc"));
		writer.end_file();
		writer.finish();
	}
	// An extended header and an old map of a sparse file.
	seeds.push_back(seeds[0]);
	TarBlock block{};
	put_tar_text(block, tar_field::name, "old");
	put_tar_number(block, tar_field::size, 4);
	put_tar_number(block, {386, 12}, 512);
	put_tar_number(block, {398, 12}, 4);
	put_tar_number(block, tar_field::gnu_real_size, 5000);
	put_tar_text(block, tar_field::magic, "ustar  ");
	block[tar_field::type] = 'S';
	put_tar_checksum(block);
	seeds.back().insert(seeds.back().begin(), 512, 'd');
	seeds.back().insert(seeds.back().begin(), block.begin(), block.end());
	return seeds;
}

static void run_tar(Bytes input)
{
	const File file = file_of(input);
	TarReader archive(file, "/tmp");
	TarMember member;
	Buffer content;
	for (bool is_whole = true; archive.next(member); is_whole = !is_whole) {
		if (member.kind != TarMember::Kind::file)
			continue;
		if (is_whole && member.size <= 65536) {
			content.resize(member.size);
			archive.read_content(content);
			continue;
		}
		std::uint64_t size = 0;
		for (TarExtent extent = archive.next_extent(); extent.size > 0; extent = archive.next_extent()) {
			require(member.has_holes || !extent.is_hole, "only files with holes have them");
			size += extent.size;
			for (std::uint64_t left = extent.is_hole ? 0 : extent.size; left > 0; left -= content.size()) {
				content.resize(std::min<std::uint64_t>(left, 65536));
				if (file.read(content) < content.size())
					return;
			}
		}
		require(size == member.size, "the extents are all of a file");
	}
}

// The checksum of each block that may be a header.
static void repair_tar(Buffer &input)
{
	for (std::size_t at = 0; at + tar_block_size <= input.size(); at += tar_block_size) {
		TarBlock block;
		std::copy_n(input.begin() + static_cast<std::ptrdiff_t>(at), tar_block_size, block.begin());
		if (!tar_text(block, tar_field::magic).starts_with("ustar"))
			continue;
		put_tar_checksum(block);
		std::copy_n(block.begin(), tar_block_size, input.begin() + static_cast<std::ptrdiff_t>(at));
	}
}

const std::vector<FuzzTarget> text_targets = {
	{"settings", "", settings_seeds, run_settings, nullptr},
	{"ignore", "", ignore_seeds, run_ignore, nullptr},
	{"urn", "", urn_seeds, run_urn, nullptr},
	{"records", "", record_seeds, run_records, nullptr},
	{"path", "", path_seeds, run_path, nullptr},
	{"time", "", time_seeds, run_time, nullptr},
	{"http", "", http_seeds, run_http, nullptr},
	{"tar", "", tar_seeds, run_tar, repair_tar},
};

} // namespace dig
