#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/time_text.h"
#include "libdig/verbs/work_diff.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] = "dig-show [--human | --bytes] [--utc] [ROOT|LAYER]";

static int show(Options &options)
{
	std::vector<std::string> names;
	bool is_human = true;
	options.flag("human", 0, is_human, "sizes as 1.50 GiB (the default)")
		.flag("bytes", 0, [&] { is_human = false; }, "sizes in bytes")
		.flag("utc", 0, use_utc, "times in UTC")
		.positional(names, 0, 1)
		.parse();
	const auto size = [&](std::uint64_t bytes) {
		return is_human ? size_text(static_cast<double>(bytes)) : std::to_string(bytes) + " bytes";
	};
	const std::optional<LayerName> alone = layer_in(names.empty() ? "" : names[0]);
	if (alone && !alone->path.empty())
		throw UsageError("a layer is shown as a whole; 'dig cat' and 'dig ls' take paths in it");
	Store store = alone ? Store(open_layer_at(alone->place)) : Store(get_store());
	const RootName name = store.resolve(alone || names.empty() ? "HEAD" : names[0]);
	const std::shared_ptr<Layer> layer = store.layer(name.generation);
	const LayerState state = store.state(name.generation);
	const LayerHeader &header = state.header;
	const bool is_dropped = store.layer_table()->is_dropped(name.generation);
	Output &out = standard_output();
	// That of a file with several states does not follow from the file.
	const bool has_root = name.root != Digest();
	out.record("@" + std::to_string(name.generation) + (has_root ? ' ' + to_hex(name.root) : std::string()));
	out.record("Layer:   " + to_hex(header.id()) + ", " + size(layer->file_size()) +
		(layer->is_merged() ? " with those of @" + std::to_string(layer->generations().first) + " to @" +
			std::to_string(layer->generations().last) : std::string()));
	out.record("Author:  " + shown_text(state.author));
	out.record("Date:    " + time_text(header.time_s));
	out.record("Content: " + std::to_string(header.entries) + " entries, " + size(header.bytes));
	if (header.changed_files() > 0)
		out.record("Changed: " + std::to_string(header.changed_files()) + " while read, and stored as they were read");
	out.record("");
	const std::string &message = state.message;
	for (std::size_t start = 0; start < message.size();) {
		const std::size_t end = std::min(message.find('\n', start), message.size());
		out.record("    " + shown_text(message.substr(start, end - start)));
		start = end + 1;
	}
	out.record("");
	if (is_dropped) {
		out.record("Dropped by 'dig gc': its content is gone; its root can still be proved");
		return exit_status::done;
	}
	if (alone && name.generation > 1 && layer->generations().first == name.generation) {
		out.record("What it changed is not known: the state before is not in the file");
		return exit_status::done;
	}
	std::uint64_t parent = name.generation - 1;
	while (parent > 0 && store.layer_table()->is_dropped(parent))
		parent--;
	if (parent != name.generation - 1)
		out.record(parent ? "Against @" + std::to_string(parent) + ", since states between were dropped:"
				  : std::string("All of it, since the states before were dropped:"));
	const TreeRoot before = store.manifest(parent), after = store.manifest(name.generation);
	diff_manifests(before, after, store.nodes(), [&](const Entry *old, const Entry *entry) {
		const Difference difference = !old ? Difference::added
			: !entry		   ? Difference::deleted
						   : difference_of(*old, *entry, Detail::apart);
		out.write(std::string(1, static_cast<char>(difference)) + '\t');
		out.write(quoted_record(entry ? entry->path : old->path));
		out.record(entry && entry->has_attribute(changed_while_read_attribute) ? "  (changed while it was read)" : "");
	});
	return exit_status::done;
}

int dig_show_main(int argc, char **argv) { return run(argc, argv, usage, show); }
