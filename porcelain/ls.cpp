#include <set>

#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/time_text.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] = "dig-ls [-lrz] [--human | --bytes] [--utc] [ROOT[:PATH]]";

static int ls(Options &options)
{
	bool nul = false, recursive = false, is_long = false, is_human = false;
	std::vector<std::string> names;
	options.flag("", 'r', recursive, "everything below, one path a line")
		.flag("", 'l', is_long, "mode, size and time, too")
		.flag("human", 0, is_human, "sizes as 1.50 GiB")
		.flag("bytes", 0, [&] { is_human = false; }, "sizes in bytes, as without it")
		.flag("utc", 0, use_utc, "times in UTC")
		.flag("", 'z', nul, "end records with NUL")
		.positional(names, 0, 1)
		.parse();
	// For scripts it is what it was.
	if (nul)
		use_utc();
	Store store(get_store());
	const std::string name = names.empty() ? "HEAD" : names[0];
	const std::size_t colon = name.find(':');
	const RootName root = store.resolve(colon == 0 ? "HEAD" : name.substr(0, colon));
	const std::string typed = colon == name.npos ? "" : name.substr(colon + 1);
	const std::string path = typed.empty() ? "" : normalised_path(typed, "", "/");
	Output &out = standard_output();
	out.set_end(record_end(nul));
	const std::string no_time(time_text(0).size(), '-');
	const auto print = [&](const Entry &entry, const std::string &shown) {
		if (is_long) {
			std::string size = is_human ? size_text(static_cast<double>(entry.size)) : std::to_string(entry.size);
			size.insert(0, size.size() < 12 ? 12 - size.size() : 0, ' ');
			out.write(mode_letters(entry) + ' ' + size + ' ' +
				(entry.mtime_ns ? time_text(seconds_of(*entry.mtime_ns)) : no_time) + ' ');
		}
		out.path(shown);
		out.record(is_long && !nul && entry.has_attribute(changed_while_read_attribute) ? "  (changed while it was read)" : "");
	};
	TreeCursor at(TreeKind::manifest, store.manifest(root.generation), store.nodes());
	bool has_any = path.empty();
	at.seek(path);
	if (!at.at_end() && !path.empty() && at.path() == path) {
		print(at.entry(), path);
		return exit_status::done;
	}
	const std::string below = path.empty() ? "" : path + "/";
	for (at.seek(below); !at.at_end();) {
		at.settle();
		if (at.at_end() || at.path().substr(0, below.size()) != below)
			break;
		has_any = true;
		const std::string found(at.path());
		const std::size_t slash = found.find('/', below.size());
		if (recursive || slash == found.npos) {
			print(at.entry(), recursive ? found : found.substr(below.size()));
			at.skip();
			continue;
		}
		// A directory: its name once, and on behind all that is in it ('0' follows '/').
		const std::string directory = found.substr(0, slash);
		if (is_long)
			out.write("d---------            - " + no_time + ' ');
		out.record_path(directory.substr(below.size()) + "/");
		at.seek(directory + "0");
	}
	if (!has_any)
		throw Error(quote(typed) + " is not in " + (colon == 0 ? "HEAD" : name.substr(0, colon)) +
			did_you_mean_path(store.manifest(root.generation), store.nodes(), path));
	return exit_status::done;
}

int dig_ls_main(int argc, char **argv) { return run(argc, argv, usage, ls); }
