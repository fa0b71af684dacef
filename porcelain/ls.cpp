#include <set>

#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/store/state_names.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/listing.h"
#include "libdig/tool/time_text.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] = "dig-ls [-lrz] [--human | --bytes] [--utc] [ROOT|LAYER[:PATH]]";

struct Look {
	bool nul = false, recursive = false, is_long = false, is_human = false;
};

// Prints the lines of a state.
class Listed {
public:
	Listed(Output &out, const Look &look) : out_(out), look_(look), no_time_(time_text(0).size(), '-') {}

	void entry(const Entry &entry, const std::string &shown)
	{
		if (look_.is_long) {
			std::string size = look_.is_human ? size_text(static_cast<double>(entry.size)) : std::to_string(entry.size);
			size.insert(0, size.size() < 12 ? 12 - size.size() : 0, ' ');
			out_.write(mode_letters(entry) + ' ' + size + ' ' +
				(entry.mtime_ns ? time_text(seconds_of(*entry.mtime_ns)) : no_time_) + ' ');
		}
		out_.path(shown);
		const bool is_told = look_.is_long && !look_.nul && entry.has_attribute(changed_while_read_attribute);
		out_.record(is_told ? "  (changed while it was read)" : "");
	}

	// Only its name is stored, in the paths below.
	void directory(const std::string &shown)
	{
		if (look_.is_long)
			out_.write("d---------            - " + no_time_ + ' ');
		out_.record_path(shown + "/");
	}

private:
	Output &out_;
	const Look &look_;
	std::string no_time_;
};

// The entry at path, or what is below it.  False when there is neither.
static bool list(TreeCursor &at, const std::string &path, bool recursive, Listed &lines)
{
	bool has_any = path.empty();
	at.seek(path);
	if (!at.at_end() && !path.empty() && at.path() == path) {
		lines.entry(at.entry(), path);
		return true;
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
			lines.entry(at.entry(), recursive ? found : found.substr(below.size()));
			at.skip();
			continue;
		}
		// Its name once; the next is behind all that is in it ('0' follows '/').
		const std::string directory = found.substr(0, slash);
		lines.directory(directory.substr(below.size()));
		at.seek(directory + "0");
	}
	return has_any;
}

static int ls(Options &options)
{
	Look look;
	std::vector<std::string> names;
	options.flag("", 'r', look.recursive, "all entries below, one path per line")
		.flag("", 'l', look.is_long, "also mode, size and time")
		.flag("human", 0, look.is_human, "sizes as 1.50 GiB")
		.flag("bytes", 0, [&] { look.is_human = false; }, "sizes in bytes (the default)")
		.flag("utc", 0, use_utc, "times in UTC")
		.flag("", 'z', look.nul, "end records with NUL")
		.positional(names, 0, 1)
		.parse();
	// A script gets the same in every time zone.
	if (look.nul)
		use_utc();
	const std::optional<LayerName> layer = layer_in(names.empty() ? "" : names[0]);
	Store store = layer ? Store(open_layer_at(layer->place)) : Store(get_store());
	const std::string name = layer ? "HEAD:" + layer->path : names.empty() ? "HEAD" : names[0];
	const auto &[state, typed] = split_state_path(name).value_or(StatePath{name, ""});
	const RootName root = store.resolve(state);
	const std::string path = typed.empty() ? "" : normalised_path(typed, "", "/");
	Output &out = standard_output();
	out.set_end(record_end(look.nul));
	Listed lines(out, look);
	TreeCursor at(TreeKind::manifest, store.manifest(root.generation), store.nodes());
	if (!list(at, path, look.recursive, lines))
		throw Error(quote(typed) + " is not in " + state +
			did_you_mean_path(store.manifest(root.generation), store.nodes(), path));
	return exit_status::done;
}

int dig_ls_main(int argc, char **argv) { return run(argc, argv, usage, ls); }
