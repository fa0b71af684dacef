#include "libdig/base/path.h"
#include "libdig/staging/index.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"

using namespace dig;

static constexpr char usage[] = "dig-ls-index [-sz] [--name-only] [--error-unmatch] [PATH...]";

static int ls_index(Options &options)
{
	bool nul = false, name_only = false, staged_only = false, must_match = false;
	std::vector<std::string> typed;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("staged", 's', staged_only, "only entries that are staged")
		.flag("name-only", 0, name_only, "paths alone")
		.flag("error-unmatch", 0, must_match, "fail for a PATH without an entry")
		.positional(typed)
		.parse();
	const Store store(get_store());
	const Index index = Index::open(store.paths().staging());
	Output &out = standard_output();
	out.set_end(record_end(nul));
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(stored_path(store.paths(), path));
	std::vector<bool> is_found(paths.size());
	for (IndexCursor at = index.cursor(); at.current(); at.next()) {
		const IndexRecord &record = *at.current();
		if (staged_only ? !index.is_staged(record) : record.is_removed)
			continue;
		bool is_wanted = paths.empty();
		for (std::size_t i = 0; i < paths.size(); i++)
			if (is_within(record.entry.path, paths[i]))
				is_wanted = is_found[i] = true;
		if (!is_wanted)
			continue;
		if (name_only) {
			out.record_path(record.entry.path);
		} else if (record.is_removed) {
			// A removal is listed only among what is staged: mode and root are zeros.
			out.write("000000 0 " + to_hex(Digest()) + '\t');
			out.record_path(record.entry.path);
		} else {
			print_entry(out, record.entry);
		}
	}
	int status = exit_status::done;
	for (std::size_t i = 0; must_match && i < paths.size(); i++) {
		if (is_found[i])
			continue;
		tell_error(staged_only ? "nothing is staged at or below " + quote(typed[i])
			: quote(typed[i]) + " is not in the index" + did_you_mean_path(index, paths[i]));
		status = exit_status::failed;
	}
	return status;
}

int dig_ls_index_main(int argc, char **argv) { return run(argc, argv, usage, ls_index); }
