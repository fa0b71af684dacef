#include "libdig/store/tags.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/base/suggestion.h"
#include "libdig/format/layer_table.h"
#include "libdig/format/store_format.h"
#include "libdig/os/clock.h"
#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::string_view tag_magic = "DIGTAG01";
constexpr std::uint16_t plain_version = 1, locked_version = 2;
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";

Buffer Tag::encoded() const
{
	Buffer body;
	put_u64(body, generation);
	append(body, root);
	if (has_lock) {
		put_u8(body, locked_until_s.has_value());
		put_u64(body, static_cast<std::uint64_t>(locked_until_s.value_or(0)));
	}
	return sealed_file(tag_magic, body, {.version = has_lock ? locked_version : plain_version});
}

Tag Tag::decode(Bytes file, std::string_view name)
{
	Cursor cursor(open_sealed_file(file, tag_magic, name, {.version = locked_version}), name, sizeof(Preamble));
	Tag tag;
	tag.generation = cursor.u64();
	tag.root = cursor.digest();
	tag.has_lock = check_preamble(file, tag_magic, name, false, {.version = locked_version}) == locked_version;
	if (tag.has_lock) {
		const std::uint8_t has_end = cursor.u8();
		const auto end = static_cast<std::int64_t>(cursor.u64());
		if (has_end > 1 || (has_end == 0 && end != 0))
			cursor.fail("the end of its lock is none");
		if (has_end)
			tag.locked_until_s = end;
	}
	cursor.expect_end();
	return tag;
}

std::string_view tag_name_problem(std::string_view name)
{
	if (name.empty())
		return "it is empty";
	if (name.size() > max_tag_size)
		return "it has more than 200 bytes";
	if (name[0] == '-')
		return "it begins with '-', as an option does";
	if (name[0] == '.' || name.ends_with('.') || name.find("..") != name.npos)
		return "it begins or ends with '.', or has '..'";
	if (name[0] == '@')
		return "it begins with '@', as a generation does";
	for (const char c : name) {
		if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
			return "it has control characters";
		if (std::string_view(" /:~^?*[]{}\\\"'").find(c) != std::string_view::npos)
			return "it has a blank or one of / : ~ ^ ? * [ ] { } \\ \" '";
	}
	if (name.find("@{") != name.npos || name.ends_with(".lock") || name.find(".tmp-") != name.npos)
		return "it has '.tmp-' or ends with '.lock', as temporary files do";
	if (name.ends_with(".dig") || name.ends_with(".merged"))
		return "it ends with .dig or .merged, as a layer does";
	std::string lowered(name);
	std::transform(lowered.begin(), lowered.end(), lowered.begin(),
		[](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
	if (lowered == "head")
		return "HEAD is the newest state";
	if (name.size() >= 4 && name.size() <= 64 && name.find_first_not_of(hex_digits) == name.npos)
		return "it has nothing but hexadecimal digits, as a root has";
	return {};
}

static std::string tag_path(const StorePaths &paths, std::string_view name)
{
	return paths.tags() + "/" + std::string(name);
}

std::optional<Tag> find_tag(const StorePaths &paths, std::string_view name)
{
	if (!tag_name_problem(name).empty())
		return {};
	const std::string path = tag_path(paths, name);
	const std::optional<Buffer> file = find_whole_file(path, max_small_file);
	if (!file)
		return {};
	try {
		return Tag::decode(*file, path);
	} catch (const CorruptError &error) {
		throw CorruptError(std::string(error.what()) + "; 'dig tag -f " + std::string(name) +
			" ROOT' makes the tag anew");
	}
}

std::vector<std::string> tag_names(const StorePaths &paths)
{
	std::vector<std::string> names;
	if (!find_stat(paths.tags()))
		return names;
	for (std::string &name : names_in(paths.tags()))
		if (tag_name_problem(name).empty())
			names.push_back(std::move(name));
	std::sort(names.begin(), names.end());
	return names;
}

std::vector<std::uint64_t> locked_generations(const StorePaths &paths)
{
	const std::int64_t now_s = seconds_of(now_ns());
	std::vector<std::uint64_t> generations;
	for (const std::string &name : tag_names(paths))
		if (const std::optional<Tag> tag = find_tag(paths, name); tag && tag->is_locked(now_s))
			generations.push_back(tag->generation);
	return generations;
}

// Whether the lock of after lasts as long as that of before.
static bool keeps_lock(const Tag &before, const Tag &after)
{
	return after.has_lock && (!after.locked_until_s ||
		(before.locked_until_s && *after.locked_until_s >= *before.locked_until_s));
}

static std::string quoted_tag(const std::string &name) { return "the tag " + quote(name); }

static void refuse_dropped(const StorePaths &paths, const std::string &name, const Tag &tag)
{
	if (!tag.has_lock)
		return;
	const std::optional<Buffer> file = find_whole_file(paths.layer_table(), max_layer_table_size);
	if (file && LayerTable::decode(*file, paths.layer_table()).is_dropped(tag.generation))
		throw Error(quoted_tag(name) + " cannot be locked: 'dig gc' has dropped the content of @" +
			std::to_string(tag.generation));
}

// Of a tag that is damaged nobody knows any more what it named, or whether it was locked: it may be replaced.
static std::optional<Tag> find_replaced(const StorePaths &paths, const std::string &name, bool replaces)
{
	try {
		return find_tag(paths, name);
	} catch (const CorruptError &) {
		if (!replaces)
			throw;
	}
	return {};
}

void put_tag(const StorePaths &paths, const std::string &name, const Tag &tag, bool replaces)
{
	if (const std::string_view problem = tag_name_problem(name); !problem.empty())
		throw Error(quote(name) + " cannot be a tag: " + std::string(problem));
	const Lock lock = Lock::acquire(paths.lock());
	make_directory(paths.tags());
	remove_abandoned(paths.tags());
	refuse_dropped(paths, name, tag);
	const std::optional<Tag> old = find_replaced(paths, name, replaces);
	Tag now = tag;
	if (old) {
		const bool is_same = old->root == tag.root && old->generation == tag.generation;
		const bool is_locked = old->is_locked(seconds_of(now_ns()));
		const std::string there = "@" + std::to_string(old->generation);
		if (is_locked && !is_same)
			throw Error(quoted_tag(name) + " is locked at " + there + ", and stays there");
		if (is_locked && tag.has_lock && !keeps_lock(*old, tag))
			throw Error(quoted_tag(name) + " is locked for longer; a lock can only be made longer");
		if (!is_same && !replaces)
			throw Error(quoted_tag(name) + " names " + there + " already; -f moves it");
		if (is_locked && !tag.has_lock)
			now = *old;
		if (now == *old)
			return;
	}
	publish_file(tag_path(paths, name), now.encoded());
}

Tag remove_tag(const StorePaths &paths, const std::string &name)
{
	const Lock lock = Lock::acquire(paths.lock());
	const std::optional<Tag> tag = find_tag(paths, name);
	if (!tag)
		throw Error("there is no tag " + quote(name) + did_you_mean(name, tag_names(paths)));
	if (tag->is_locked(seconds_of(now_ns())))
		throw Error(quoted_tag(name) + " is locked at @" + std::to_string(tag->generation) + ", and stays");
	remove_file_if_there(tag_path(paths, name));
	sync_directory(paths.tags());
	return *tag;
}

} // namespace dig
