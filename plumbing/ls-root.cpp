#include "libdig/base/path_walk.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"
#include "libdig/verbs/near_paths.h"

using namespace dig;

static constexpr char usage[] = "dig-ls-root [-z] [--name-only] [ROOT [PATH...]]";

static int ls_root(Options &options)
{
	bool nul = false, name_only = false;
	std::vector<std::string> names;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("name-only", 0, name_only, "paths alone")
		.positional(names)
		.parse();
	Store store(get_store());
	const RootName root = store.resolve(names.empty() ? "HEAD" : names[0]);
	Output &out = standard_output();
	out.set_end(record_end(nul));
	std::vector<std::string> paths(names.begin() + (names.empty() ? 0 : 1), names.end());
	if (paths.empty())
		paths.emplace_back();
	int status = exit_status::done;
	for (const std::string &typed : paths) {
		// Paths of a state are those of the state, wherever the command is run.
		const std::string path = typed.empty() ? "" : normalised_path(typed, "", "/");
		TreeCursor at(TreeKind::manifest, store.manifest(root.generation), store.nodes());
		bool has_any = path.empty();
		each_within(at, path, [&](const TreeCursor &found) {
			has_any = true;
			if (name_only)
				out.record_path(found.path());
			else
				print_entry(out, found.entry());
		});
		if (!has_any) {
			tell_error(quote(typed) + " is not in " + (names.empty() ? "HEAD" : names[0]) +
				did_you_mean_path(store.manifest(root.generation), store.nodes(), path));
			status = exit_status::failed;
		}
	}
	return status;
}

int dig_ls_root_main(int argc, char **argv) { return run(argc, argv, usage, ls_root); }
