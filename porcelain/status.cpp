#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/staging/staged_items.h"
#include "libdig/tool/command.h"
#include "libdig/format/sorted_texts.h"
#include "libdig/tool/time_text.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/repack.h"
#include "libdig/verbs/work_diff.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] = "dig-status [-z] [--porcelain[=v1]] [PATH...]";

struct Letters {
	char staged = ' ', work = ' ';
};

static const char *word_of(char letter)
{
	switch (letter) {
	case 'A': return "new";
	case 'M': return "modified";
	case 'm': return "mode changed";
	case 't': return "time changed";
	case 'D': return "deleted";
	case 'T': return "type changed";
	default: return "";
	}
}

// What is told of each path, in the order of paths, however many they are.
class Changes {
public:
	explicit Changes(const std::string &directory) : told_(directory) {}

	void add_staged(const std::string &path, Difference difference) { add(path, 's', static_cast<char>(difference)); }
	void add_work(const std::string &path, Difference difference) { add(path, 'w', static_cast<char>(difference)); }
	bool is_empty() const { return told_.is_empty(); }

	void each(const std::function<void(const std::string &path, const Letters &)> &take)
	{
		std::string path;
		Letters letters;
		bool has_any = false;
		told_.each([&](std::string_view told) {
			const std::string_view now = told.substr(0, told.size() - 3);
			if (has_any && now != path) {
				take(path, letters);
				letters = {};
			}
			has_any = true;
			path = now;
			put(letters, told[told.size() - 2], told.back());
		});
		if (has_any)
			take(path, letters);
	}

private:
	// NUL keeps the texts in the order of paths; those of one path come with 's' first.
	void add(const std::string &path, char side, char letter) { told_.add(path + '\0' + side + letter); }

	static void put(Letters &letters, char side, char letter)
	{
		if (side == 's') {
			letters.staged = letter;
			return;
		}
		// A failure outweighs what was found out before it.
		if (letters.work != static_cast<char>(Difference::failed))
			letters.work = letter;
		if (letter == static_cast<char>(Difference::untracked) && letters.staged == ' ')
			letters.staged = letter;
	}

	SortedTexts told_;
};

static void show_section(Output &out, const char *title, Changes &changes, char Letters::*side,
	const std::string &letters, const std::string &here)
{
	bool is_first = true;
	changes.each([&](const std::string &path, const Letters &at) {
		if (letters.find(at.*side) == letters.npos)
			return;
		if (is_first)
			out.record(title);
		is_first = false;
		std::string word = word_of(at.*side);
		if (!word.empty())
			word = (word + ":").append(14 - word.size(), ' ');
		out.write("  " + word);
		out.record(quoted_record(relative_path(path, here)));
	});
}

// Paths that are told once, and of many only the first.
class Notices {
public:
	void add(const std::string &text)
	{
		if (count_++ < most_shown)
			shown_.push_back(text);
	}
	bool is_empty() const { return count_ == 0; }
	void show(Output &out, const char *title) const
	{
		if (is_empty())
			return;
		out.record(title);
		for (const std::string &text : shown_)
			out.record("  " + text);
		if (count_ > most_shown)
			out.record("  and " + std::to_string(count_ - most_shown) + " more");
	}

private:
	static constexpr std::size_t most_shown = 10;
	std::vector<std::string> shown_;
	std::size_t count_ = 0;
};

// What was staged although it changed while it was read.
static void show_mixed(Output &out, const Index &index, const std::function<bool(const std::string &)> &is_wanted,
	const std::string &here)
{
	bool is_first = true;
	for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
		const IndexRecord &record = *at.current();
		if (record.is_removed || !index.is_staged(record) ||
			!record.entry.has_attribute(changed_while_read_attribute) ||
			!is_wanted(record.entry.path))
			continue;
		if (is_first)
			out.record("changed while it was read, and staged as it was read:");
		is_first = false;
		out.record("  " + quoted_record(relative_path(record.entry.path, here)));
	}
}

// What there is to tell, below the paths that were asked for.
struct Status {
	std::vector<std::string> paths; // none for all
	Changes changes;
	Notices without_file, skipped;
	std::vector<JournalFailure> failures;

	explicit Status(const StorePaths &store) : changes(store.staging()) {}

	bool is_wanted(const std::string &path) const
	{
		return paths.empty() || std::any_of(paths.begin(), paths.end(),
			[&](const std::string &wanted) { return is_within(path, wanted); });
	}
};

static void collect(Status &status, Store &store, const Index &index, Detail detail)
{
	const std::string &here = store.paths().prefix;
	diff_index(store, index, [&](Difference difference, const std::string &path) {
		if (status.is_wanted(path))
			status.changes.add_staged(path, difference);
	}, detail);
	diff_work(store, index, status.paths, [&](Difference difference, const std::string &path) {
		if (difference == Difference::no_file)
			return status.without_file.add(quoted_record(relative_path(path, here)));
		if (difference == Difference::skipped)
			return status.skipped.add(quoted_record(relative_path(path, here)));
		status.changes.add_work(path, difference);
	}, {.detail = detail});
	status.failures = recorded_failures(store.paths().staging());
	for (const JournalFailure &failure : status.failures)
		if (status.is_wanted(failure.path))
			status.changes.add_work(failure.path, Difference::failed);
}

static void show_for_scripts(Output &out, Status &status)
{
	status.changes.each([&](const std::string &path, const Letters &at) {
		out.write(std::string{at.staged, at.work, ' '});
		out.record_path(path);
	});
}

static void show_adds(Output &out, const StorePaths &store)
{
	const UnfinishedAdds adds = find_unfinished_adds(store.staging());
	const std::string amount = size_text(static_cast<double>(adds.bytes));
	const std::optional<FileStat> journal = find_stat(store.staging() + "/journal");
	const std::string since = journal ? " since " + time_text(seconds_of(journal->mtime_ns)) : std::string();
	if (adds.are_running)
		out.record("an add is running" + (adds.bytes ? "; it has stored " + amount + " so far" : ""));
	else if (adds.bytes > 0)
		out.record("an add did not end: " + amount + " of its content are kept" + since +
			", and the same command continues");
}

// Content that waits for dig repack.
static void show_pending(Output &out, Store &store)
{
	if (store.settings().core.compression != Compression::later)
		return;
	if (const std::uint64_t pending = pending_bytes(store); pending > 0)
		out.record(size_text(static_cast<double>(pending)) + " are stored without compression; 'dig repack --pending' "
			"compresses them");
}

static void show(Output &out, Status &status, Store &store, const Index &index)
{
	const std::string &here = store.paths().prefix;
	Changes &changes = status.changes;
	if (store.roots().size() == 0)
		out.record("nothing is committed yet");
	else
		out.record("at @" + std::to_string(store.roots().size()) + ' ' +
			to_hex(store.roots().tip_root()).substr(0, store.roots().unique_digits()));
	show_section(out, "staged, for 'dig commit':", changes, &Letters::staged, "AMDTmt", here);
	show_mixed(out, index, [&](const std::string &path) { return status.is_wanted(path); }, here);
	show_section(out, "changed since it was added ('dig add' takes it):", changes, &Letters::work, "MDTmt", here);
	show_section(out, "not added yet:", changes, &Letters::work, "?", here);
	show_section(out, "could not be read:", changes, &Letters::work, "F", here);
	for (const JournalFailure &failure : status.failures)
		out.record("    " + relative_message(failure.message, failure.path, here));
	status.skipped.show(out, "skipped, as a store of its own, a pipe, a socket or a device:");
	status.without_file.show(out, "no file in the work tree ('dig add -A' keeps it, 'dig rm' removes it):");
	show_adds(out, store.paths());
	show_pending(out, store);
	if (changes.is_empty())
		out.record("nothing to add, nothing to commit");
}

static int status(Options &options)
{
	bool nul = false;
	std::optional<std::string> format;
	std::vector<std::string> typed;
	options.flag("", 'z', nul, "end records with NUL; implies --porcelain=v1")
		.optional_value("porcelain", 0, format, "v1", "for scripts: \"XY path\"")
		.positional(typed)
		.parse();
	if (format && !format->empty() && *format != "v1")
		throw UsageError("--porcelain knows v1 only");
	Store store(get_store());
	raise_file_limit();
	const Index index = current_index(store);
	Status status(store.paths());
	for (const std::string &path : typed)
		status.paths.push_back(stored_path(store.paths(), path));
	check_paths_exist(store, index, status.paths, typed);
	const bool is_for_scripts = nul || format;
	collect(status, store, index, is_for_scripts ? Detail::as_listed : Detail::apart);
	Output &out = standard_output();
	out.set_end(record_end(nul));
	if (is_for_scripts)
		show_for_scripts(out, status);
	else
		show(out, status, store, index);
	return exit_status::done;
}

int dig_status_main(int argc, char **argv) { return run(argc, argv, usage, status); }
