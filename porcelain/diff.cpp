// dig diff: two states, or a state and the work tree.  Which bytes of one file differ is told by
// dig-diff-roots.
#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/store/path_diff.h"
#include "libdig/tool/change_list.h"
#include "libdig/tool/command.h"
#include "libdig/tool/time_text.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/state_work_diff.h"

using namespace dig;

static constexpr char usage[] =
	"dig-diff [-qz] [--name-status | --stat | --json] [--bytes] [--utc]\n"
	"         [ROOT [ROOT [PATH...]]]\n"
	"dig-diff [-qz] [--name-status | --stat | --json] [--bytes] [--utc] --work\n"
	"         [ROOT [PATH...]]\n"
	"dig-diff [-qz] --ranges ROOT ROOT PATH";

constexpr std::size_t kept_nodes_size = 16_MiB;

// "@0" is the state before the first, with nothing in it.
static TreeRoot manifest_of(Store &store, const std::string &name)
{
	return store.manifest(name == "@0" ? 0 : store.resolve(name).generation);
}

// Of paths that are typed, without those that lie within others.
static std::vector<std::string> scopes_of(const std::vector<std::string> &paths)
{
	std::vector<std::string> scopes;
	for (const std::string &path : paths) {
		bool is_covered = false;
		for (std::string &scope : scopes)
			is_covered = is_covered || is_within(path, scope);
		if (is_covered)
			continue;
		std::erase_if(scopes, [&](const std::string &scope) { return is_within(scope, path); });
		scopes.push_back(path);
	}
	std::sort(scopes.begin(), scopes.end());
	return scopes;
}

static std::vector<std::string> paths_of(const std::vector<std::string> &names, std::size_t first)
{
	std::vector<std::string> paths;
	for (std::size_t i = first; i < names.size(); i++)
		paths.push_back(normalised_path(names[i], "", "/"));
	return paths;
}

static void diff_states(Store &store, const std::vector<std::string> &names, ChangeList &list, bool is_quiet)
{
	const TreeRoot before = manifest_of(store, names[0]), after = manifest_of(store, names[1]);
	const std::vector<std::string> paths = paths_of(names, 2);
	for (std::size_t i = 0; i < paths.size(); i++)
		if (!has_path(before, store.nodes(), paths[i]) && !has_path(after, store.nodes(), paths[i]))
			throw Error(quote(names[i + 2]) + " is neither in " + names[0] + " nor in " + names[1] +
				did_you_mean_path(after, store.nodes(), paths[i]));
	const PathDiff::Differs differs = [&](const Entry *old, const Entry *entry) {
		list.add(old, entry);
		return !is_quiet;
	};
	if (paths.empty()) {
		diff_whole_states(store, before, after, differs);
		return;
	}
	KeptNodes nodes(store, kept_nodes_size);
	PathDiff diff(nodes);
	for (const std::string &scope : scopes_of(paths))
		diff.each(before, after, scope, differs);
}

// False if something could not be looked at.
static bool diff_work_tree(Store &store, const std::vector<std::string> &names, ChangeList &list)
{
	raise_file_limit();
	const TreeRoot state = manifest_of(store, names[0]);
	const std::vector<std::string> paths = paths_of(names, 1);
	const Index index = current_index(store);
	for (std::size_t i = 0; i < paths.size(); i++)
		if (!has_path(state, store.nodes(), paths[i]) && !has_path_anywhere(store, index, paths[i]))
			throw Error(quote(names[i + 1]) + " is neither in " + names[0] + " nor in the work tree" +
				did_you_mean_path(state, store.nodes(), paths[i]));
	bool is_whole = true;
	StateWorkDiff take;
	take.differs = [&](const Entry *before, const Entry *after) { list.add(before, after); };
	take.failed = [&](const std::string &path, const std::string &why) {
		tell_error(quote(path) + " is not compared: " + why);
		is_whole = false;
	};
	diff_state_and_work(store, state, scopes_of(paths), take);
	return is_whole;
}

static int diff_ranges(const std::vector<std::string> &names, bool is_nul, bool is_quiet)
{
	if (names.size() != 3)
		throw UsageError("--ranges takes two states and one path");
	Command compare = tool_command("diff-roots");
	compare.push_back("--ranges");
	if (is_quiet)
		compare.push_back("--quiet");
	if (is_nul)
		compare.push_back("-z");
	compare.push_back("--");
	compare.insert(compare.end(), names.begin(), names.end());
	const int status = Child(compare).wait_for_part();
	// "It differs" is an answer and no failure; only -q asks for it as a status.
	return status == exit_status::no && !is_quiet ? exit_status::done : status;
}

static int diff(Options &options)
{
	ChangeList::Look look;
	bool quiet = false, ranges = false, work = false, is_stat = false, is_json = false, is_names = false;
	std::vector<std::string> names;
	options.flag("name-status", 0, is_names, "a letter and a path (the default)")
		.flag("stat", 0, is_stat, "also sizes, modes and times, and their sum")
		.flag("json", 0, is_json, "a JSON object per path and line")
		.flag("bytes", 0, look.is_exact, "--stat: sizes in bytes")
		.flag("utc", 0, use_utc, "times in UTC")
		.flag("work", 0, work, "a state and the work tree")
		.flag("ranges", 0, ranges, "which bytes of one file differ")
		.flag("quiet", 'q', quiet, "print nothing; the exit status is the answer")
		.flag("", 'z', look.is_nul, "end records with NUL")
		.positional(names)
		.parse();
	if (is_names + is_stat + is_json + ranges > 1)
		throw UsageError("--name-status, --stat, --json and --ranges are four forms; give one");
	if (ranges && work)
		throw UsageError("--ranges is for two states, and --work for one");
	if (ranges)
		return diff_ranges(names, look.is_nul, quiet);
	Store store(get_store());
	// What a person asks for without a word more: what the last commit changed.
	if (names.empty())
		names = {work ? "HEAD" : store.roots().size() == 1 ? "@0" : "HEAD~1"};
	if (!work && names.size() == 1)
		names.push_back("HEAD");
	look.form = quiet ? ChangeList::Form::none
		: is_stat ? ChangeList::Form::stat
		: is_json ? ChangeList::Form::json : ChangeList::Form::names;
	// Scripts get what dig-diff-roots prints.
	look.detail = look.is_nul && !is_stat ? Detail::as_listed : Detail::apart;
	Output &out = standard_output();
	out.set_end(record_end(look.is_nul));
	ChangeList list(out, look);
	bool is_whole = true;
	if (work)
		is_whole = diff_work_tree(store, names, list);
	else
		diff_states(store, names, list, quiet);
	list.finish();
	if (!is_whole)
		return exit_status::partial;
	return quiet && !list.is_empty() ? exit_status::no : exit_status::done;
}

int dig_diff_main(int argc, char **argv) { return run(argc, argv, usage, diff); }
