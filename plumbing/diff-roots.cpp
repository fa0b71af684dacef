#include "libdig/base/path.h"
#include "libdig/tool/command.h"
#include "libdig/verbs/file_patch.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-diff-roots [-qz] [--apart] ROOT ROOT [PATH...]\n"
				"dig-diff-roots [-qz] --ranges ROOT ROOT PATH";

// offset SP size SP new-offset SP new-size SP kind
static bool show_ranges(Store &store, Output &out, const std::vector<std::string> &names, bool quiet)
{
	const StatedFile before(store, names[0], names[2]), after(store, names[1], names[2]);
	bool differs = false;
	diff_files(store, before.entry, after.entry, [&](const ChangedRange &range) {
		differs = true;
		if (!quiet)
			out.record(range_record(range));
	});
	return differs;
}

// "@0" is the state before the first, with nothing in it.
static TreeRoot manifest_of(Store &store, const std::string &name)
{
	return store.manifest(name == "@0" ? 0 : store.resolve(name).generation);
}

static int diff_roots(Options &options)
{
	bool nul = false, quiet = false, ranges = false, apart = false;
	std::vector<std::string> names;
	options.flag("ranges", 0, ranges, "which bytes of one file differ")
		.flag("apart", 0, apart, "distinguish content, mode and time: M, m, t")
		.flag("quiet", 'q', quiet, "print nothing; the exit status is the answer")
		.flag("", 'z', nul, "end records with NUL")
		.positional(names, 2)
		.parse();
	if (ranges && names.size() != 3)
		throw UsageError("--ranges takes two states and one path");
	Store store(get_store());
	Output &out = standard_output();
	out.set_end(record_end(nul));
	if (ranges)
		return show_ranges(store, out, names, quiet) ? exit_status::no : exit_status::done;
	std::vector<std::string> paths;
	for (std::size_t i = 2; i < names.size(); i++)
		paths.push_back(normalised_path(names[i], "", "/"));
	bool differs = false;
	const TreeRoot before = manifest_of(store, names[0]), after = manifest_of(store, names[1]);
	for (std::size_t i = 0; i < paths.size(); i++)
		if (!has_path(before, store.nodes(), paths[i]) && !has_path(after, store.nodes(), paths[i]))
			throw Error(quote(names[i + 2]) + " is neither in " + names[0] + " nor in " + names[1] +
				did_you_mean_path(after, store.nodes(), paths[i]));
	diff_manifests(before, after, store.nodes(), [&](const Entry *old, const Entry *entry) {
		const std::string &path = entry ? entry->path : old->path;
		bool is_wanted = paths.empty();
		for (const std::string &wanted : paths)
			is_wanted = is_wanted || is_within(path, wanted);
		if (!is_wanted)
			return;
		differs = true;
		if (quiet)
			return;
		const Difference difference = !old ? Difference::added
			: !entry		   ? Difference::deleted
						   : difference_of(*old, *entry, apart ? Detail::apart : Detail::as_listed);
		out.write(std::string(1, static_cast<char>(difference)) + '\t');
		out.record_path(path);
	});
	return differs ? exit_status::no : exit_status::done;
}

int dig_diff_roots_main(int argc, char **argv) { return run(argc, argv, usage, diff_roots); }
