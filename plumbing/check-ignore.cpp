// dig-check-ignore: tells which paths .digignore keeps out, and by which rule.
#include "libdig/base/path_walk.h"
#include "libdig/staging/index.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/worktree/ignore.h"

using namespace dig;

static constexpr char usage[] =
	"dig-check-ignore [-q | -v [-n]] [-z] [--no-index] PATH...\n"
	"dig-check-ignore [-q | -v [-n]] [-z] [--no-index] --stdin";

struct Flags {
	bool quiet = false, verbose = false, non_matching = false, nul = false, no_index = false;
};

// Larger ones are mistakes; git has the same limit.
static constexpr std::size_t max_ignore_file_size = 100_MiB;

static std::optional<Buffer> read_rules(const std::string &work_tree, const std::string &directory)
{
	const std::string below = directory.empty() ? "" : directory + '/';
	const std::string base = work_tree + '/' + below;
	if (!directory.empty()) {
		const std::optional<FileStat> stat = find_stat_at(AT_FDCWD, work_tree + '/' + directory);
		if (stat && stat->type == FileType::symlink)
			throw Error(quote(directory) + " is a symbolic link, and nothing lies below it");
	}
	const std::string name = base + std::string(ignore_file_name);
	const std::optional<FileStat> stat = find_stat_at(AT_FDCWD, name);
	if (stat && stat->type == FileType::symlink)
		warn(quote(below + std::string(ignore_file_name)) + " is a symbolic link, and is not read");
	if (!stat || stat->type != FileType::regular)
		return std::nullopt;
	return read_whole_file(name, max_ignore_file_size);
}

class IgnoreChecker {
public:
	IgnoreChecker(const StorePaths &paths, const Flags &flags)
		: paths_(paths), flags_(flags),
		  lookup_([this](const std::string &directory) {
			  return read_rules(paths_.work_tree, directory);
		  })
	{
		if (!flags.no_index)
			staged_.emplace(Index::open(paths.staging()).cursor());
	}

	void check(const std::string &typed)
	{
		const std::string path = stored_path(paths_, typed);
		std::optional<IgnoreMatch> match;
		if (!is_in_index(path))
			match = lookup_.match(path, typed.ends_with('/') || is_directory(path));
		const bool is_ignored = match && !match->is_negated;
		found_any_ |= is_ignored;
		if (flags_.quiet)
			return;
		if (flags_.verbose ? match || flags_.non_matching : is_ignored)
			print(typed, match);
	}
	bool found_any() const { return found_any_; }

private:
	bool is_directory(const std::string &path) const
	{
		const std::optional<FileStat> stat =
			find_stat_at(AT_FDCWD, paths_.work_tree + '/' + path);
		return stat && stat->type == FileType::directory;
	}

	// The path or something below it.
	bool is_in_index(const std::string &path)
	{
		if (!staged_ || path.empty())
			return false;
		bool is_there = false;
		each_within(*staged_, path, [&](const IndexCursor &at) {
			is_there = !at.current()->is_removed;
			return !is_there;
		});
		return is_there;
	}

	void print(const std::string &typed, const std::optional<IgnoreMatch> &match) const
	{
		Output &out = standard_output();
		if (flags_.verbose && flags_.nul) {
			out.record(match ? match->file : "");
			out.record(match ? std::to_string(match->line) : "");
			out.record(match ? match->pattern : "");
		} else if (flags_.verbose) {
			if (match) {
				out.path(match->file);
				out.write(':' + std::to_string(match->line) + ':');
				out.write(match->pattern);
			} else {
				out.write("::");
			}
			out.write("\t");
		}
		out.record_path(typed);
	}

	const StorePaths &paths_;
	const Flags &flags_;
	IgnoreLookup lookup_;
	std::optional<IndexCursor> staged_;
	bool found_any_ = false;
};

// Somebody may wait for each reply, but not in a file.
static bool output_is_awaited()
{
	File output(1, "standard output");
	const FileType type = output.stat().type;
	output.release();
	return type != FileType::regular;
}

static void check_input(IgnoreChecker &checker, bool nul)
{
	const bool is_awaited = output_is_awaited();
	RecordReader reader = RecordReader::standard_input(record_end(nul));
	while (const std::optional<std::string> path = reader.next_path()) {
		checker.check(*path);
		if (is_awaited)
			standard_output().flush();
	}
}

static int check_ignore(Options &options)
{
	Flags flags;
	bool from_input = false;
	std::vector<std::string> typed;
	options.flag("quiet", 'q', flags.quiet, "print nothing")
		.flag("verbose", 'v', flags.verbose, "also print the rule that decides")
		.flag("non-matching", 'n', flags.non_matching, "with -v: also paths without a rule")
		.flag("", 'z', flags.nul, "records end with NUL")
		.flag("no-index", 0, flags.no_index, "only the rules count, not the index")
		.flag("stdin", 0, from_input, "read the paths from standard input")
		.positional(typed)
		.parse();
	if (from_input != typed.empty())
		throw UsageError(from_input ? "paths do not go with --stdin" : "no path given");
	if (flags.quiet && flags.verbose)
		throw UsageError("-q does not go with -v");
	if (flags.non_matching && !flags.verbose)
		throw UsageError("-n goes with -v only");

	const StorePaths paths = get_store();
	paths.get_work_tree();
	standard_output().set_end(record_end(flags.nul));
	IgnoreChecker checker(paths, flags);
	for (const std::string &path : typed)
		checker.check(path);
	if (from_input)
		check_input(checker, flags.nul);
	return checker.found_any() ? exit_status::done : exit_status::no;
}

int dig_check_ignore_main(int argc, char **argv) { return run(argc, argv, usage, check_ignore); }
