#include "libdig/base/path.h"
#include "libdig/staging/index.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/typed_path.h"

using namespace dig;

static constexpr char usage[] = "dig-ls-index [-sz] [--name-only] [PATH...]";

static int ls_index(Options &options)
{
	bool nul = false, name_only = false, staged_only = false;
	std::vector<std::string> typed;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("staged", 's', staged_only, "only what is staged over the last state")
		.flag("name-only", 0, name_only, "paths alone")
		.positional(typed)
		.parse();
	const Store store(get_store());
	const Index index = Index::open(store.paths().staging());
	Output &out = standard_output();
	out.set_end(record_end(nul));
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(stored_path(store.paths(), path));
	for (IndexCursor at = index.cursor(); at.current(); at.next()) {
		const IndexRecord &record = *at.current();
		bool is_wanted = paths.empty();
		for (const std::string &path : paths)
			is_wanted = is_wanted || is_within(record.entry.path, path);
		if (!is_wanted || (staged_only && !index.is_staged(record)))
			continue;
		if (record.is_removed) {
			// A removal is listed only among what is staged: mode and root are zeros.
			if (staged_only && name_only)
				out.record_path(record.entry.path);
			else if (staged_only) {
				out.write("000000 0 " + to_hex(Digest()) + '\t');
				out.record_path(record.entry.path);
			}
		} else if (name_only) {
			out.record_path(record.entry.path);
		} else {
			print_entry(out, record.entry);
		}
	}
	return exit_status::done;
}

int dig_ls_index_main(int argc, char **argv) { return run(argc, argv, usage, ls_index); }
