#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/base/json_text.h"
#include "libdig/base/path_walk.h"
#include "libdig/os/clock.h"
#include "libdig/store/state_names.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/time_text.h"
#include "libdig/worktree/wildcard.h"

using namespace dig;

static constexpr char usage[] =
	"dig-find [-lz] [--json] [--human | --bytes] [--utc] [--at=ROOT[:PATH]]\n"
	"         [--size=SIZE] [--type=f|l|d] GLOB...";

struct FindLook {
	bool nul = false, is_long = false, is_human = false, is_json = false;
};

// A GLOB without '/' is for names wherever they are; one with '/' for whole paths, as in .digignore.
class Glob {
public:
	explicit Glob(std::string_view text) : is_path_(text.find('/') != text.npos)
	{
		if (text.starts_with('/'))
			text.remove_prefix(1);
		while (text.ends_with('/'))
			text.remove_suffix(1);
		if (text.empty() || !wildcard_.compile(text, 0))
			throw UsageError(quote(text) + " is no pattern");
		// Up to the last '/' before the first special character.
		if (is_path_)
			top_ = text.substr(0, text.find_first_of("*?[\\"));
		const std::size_t slash = top_.rfind('/');
		top_.resize(slash == top_.npos ? 0 : slash);
	}

	bool matches(std::string_view path) const
	{
		return wildcard_.matches(is_path_ ? path : path.substr(path.rfind('/') + 1));
	}
	// What all paths that match lie in; empty if that is not known.
	const std::string &top() const { return top_; }

private:
	bool is_path_;
	Wildcard wildcard_;
	std::string top_;
};

// --size: "1MB" exactly, "+1MB" more, "-1MB" less.
class SizeTest {
public:
	void take(const std::string &text)
	{
		sign_ = text.starts_with('+') || text.starts_with('-') ? text[0] : '=';
		size_ = parse_size(std::string_view(text).substr(sign_ == '=' ? 0 : 1));
		if (!size_)
			throw UsageError(quote(text) + " is no size; give it as 64KB, +1MB (more) or -1MB (less)");
	}
	bool is_given() const { return size_.has_value(); }
	bool accepts(std::uint64_t size) const
	{
		return !size_ || (sign_ == '+' ? size > *size_ : sign_ == '-' ? size < *size_ : size == *size_);
	}

private:
	std::optional<std::uint64_t> size_;
	char sign_ = '=';
};

// Prints what it is given in the order of paths, and the directories that these lie in: a state has only
// their names.  All that it keeps is the last path.
class Found {
public:
	Found(const FindLook &look, const std::vector<Glob> &globs, const SizeTest &size, std::optional<char> type)
		: look_(look), globs_(globs), size_(size), type_(type)
	{
		out_.set_end(record_end(look.nul));
	}

	void entry(const TreeCursor &at, std::string_view top)
	{
		const std::string_view path = at.path();
		if (!type_ || type_ == 'd')
			directories_of(path, top);
		last_ = path;
		if (!matches(path))
			return;
		const Entry entry = at.entry();
		const char type = entry.kind == EntryKind::file ? 'f' : entry.kind == EntryKind::symlink ? 'l' : 'd';
		if ((type_ && type_ != type) || !size_.accepts(entry.size) || (type == 'd' && size_.is_given()))
			return;
		count_++;
		show(entry, type == 'd');
	}

	bool is_empty() const { return count_ == 0; }

private:
	bool matches(std::string_view path) const
	{
		return std::any_of(globs_.begin(), globs_.end(), [&](const Glob &glob) { return glob.matches(path); });
	}

	// What lies below a directory is together in the order of paths, so that each comes once.
	void directories_of(std::string_view path, std::string_view top)
	{
		const auto common = static_cast<std::size_t>(
			std::mismatch(path.begin(), path.end(), last_.begin(), last_.end()).first - path.begin());
		for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
			if ((slash >= common || last_.empty()) && slash > top.size() && matches(path.substr(0, slash)) &&
				!size_.is_given()) {
				count_++;
				show_directory(path.substr(0, slash));
			}
	}

	void show(const Entry &entry, bool is_directory)
	{
		if (look_.is_json) {
			const char *kind = entry.kind == EntryKind::file ? "file" : is_directory ? "directory" : "symlink";
			out_.record("{\"schema\":1," + json_field("path", entry.path) + ",\"kind\":\"" + kind + "\",\"mode\":\"" +
				mode_text(entry) + "\",\"size\":" + std::to_string(entry.size) + ",\"mtime_ns\":" +
				(entry.mtime_ns ? std::to_string(*entry.mtime_ns) : "null") + ",\"file_root\":\"" +
				to_hex(entry.file_root()) + "\"}");
			return;
		}
		if (look_.is_long) {
			std::string size = look_.is_human ? size_text(static_cast<double>(entry.size)) : std::to_string(entry.size);
			size.insert(0, size.size() < 12 ? 12 - size.size() : 0, ' ');
			out_.write(mode_letters(entry) + ' ' + size + ' ' +
				(entry.mtime_ns ? time_text(seconds_of(*entry.mtime_ns)) : no_time_) + ' ');
		}
		out_.record_path(is_directory ? entry.path + "/" : entry.path);
	}

	void show_directory(std::string_view path)
	{
		if (look_.is_json) {
			out_.record("{\"schema\":1," + json_field("path", path) +
				",\"kind\":\"directory\",\"mode\":null,\"size\":0,\"mtime_ns\":null,\"file_root\":null}");
			return;
		}
		if (look_.is_long)
			out_.write("d---------            - " + no_time_ + ' ');
		out_.record_path(std::string(path) + "/");
	}

	Output &out_ = standard_output();
	const FindLook &look_;
	const std::vector<Glob> &globs_;
	const SizeTest &size_;
	std::optional<char> type_;
	std::string last_, no_time_ = std::string(time_text(0).size(), '-');
	std::uint64_t count_ = 0;
};

static int find(Options &options)
{
	FindLook look;
	std::string at = "HEAD";
	SizeTest size;
	std::optional<std::string> type;
	std::vector<std::string> words;
	options.value("at", 0, at, "ROOT[:PATH]", "the state to look through, or a part of it")
		.value("size", 0, [&](const std::string &text) { size.take(text); }, "SIZE",
			"of this size; +SIZE is larger, -SIZE smaller")
		.value("type", 0, type, "f|l|d", "only files, symbolic links or directories")
		.flag("", 'l', look.is_long, "also mode, size and time")
		.flag("json", 0, look.is_json, "a JSON object per line")
		.flag("human", 0, look.is_human, "sizes as 1.50 GiB")
		.flag("bytes", 0, [&] { look.is_human = false; }, "sizes in bytes (the default)")
		.flag("utc", 0, use_utc, "times in UTC")
		.flag("", 'z', look.nul, "end records with NUL")
		.positional(words, 1)
		.parse();
	if (type && *type != "f" && *type != "l" && *type != "d")
		throw UsageError("--type is f for files, l for symbolic links or d for directories");
	// A script gets the same in every time zone.
	if (look.nul)
		use_utc();
	std::vector<Glob> globs;
	for (const std::string &word : words)
		globs.emplace_back(word);
	const auto [state, typed] = split_state_path(at).value_or(StatePath{at, ""});
	const std::string below = typed.empty() ? "" : normalised_path(typed, "", "/");
	Store store(get_store());
	const TreeRoot manifest = store.manifest(store.resolve(state).generation);
	// One pattern may bound the walk.
	const std::string top = globs.size() == 1 && is_within(globs[0].top(), below) ? globs[0].top() : below;
	Found found(look, globs, size, type ? std::optional((*type)[0]) : std::nullopt);
	bool has_any = top.empty() || top != below;
	each_within(TreeCursor(TreeKind::manifest, manifest, store.nodes()), top, [&](const TreeCursor &entry) {
		check_interrupted();
		has_any = true;
		found.entry(entry, below);
	});
	if (!has_any)
		throw Error(quote(typed) + " is not in " + state);
	return found.is_empty() ? exit_status::no : exit_status::done;
}

int dig_find_main(int argc, char **argv) { return run(argc, argv, usage, find); }
