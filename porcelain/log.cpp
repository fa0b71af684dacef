#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/time_text.h"

using namespace dig;

static constexpr char usage[] = "dig-log [--oneline] [--utc] [-n COUNT] [ROOT]";

static int log(Options &options)
{
	bool oneline = false;
	std::optional<std::uint64_t> most;
	std::vector<std::string> names;
	options.flag("oneline", 0, oneline, "one line per state")
		.flag("utc", 0, use_utc, "times in UTC")
		.value("", 'n', most, "COUNT", "at most so many")
		.positional(names, 0, 1)
		.parse();
	Store store(get_store());
	Output &out = standard_output();
	const std::size_t digits = store.roots().unique_digits();
	std::uint64_t generation = names.empty() ? store.roots().size() : store.resolve(names[0]).generation;
	for (std::uint64_t left = most.value_or(generation); generation > 0 && left > 0; generation--, left--) {
		const LayerState state = store.state(generation);
		const std::string &message = state.message;
		const bool is_dropped = store.layer_table()->is_dropped(generation);
		const std::string root = to_hex(store.roots().at(generation).root);
		if (oneline) {
			out.write("@" + std::to_string(generation) + ' ' + root.substr(0, digits) + ' ');
			out.record((is_dropped ? "(dropped) " : "") + shown_text(message.substr(0, message.find('\n'))));
			continue;
		}
		out.record("@" + std::to_string(generation) + ' ' + root);
		out.record("Author: " + shown_text(state.author));
		out.record("Date:   " + time_text(state.header.time_s));
		if (is_dropped)
			out.record("Dropped: its content is gone; its root can still be proved");
		if (const std::uint64_t changed = state.header.changed_files(); changed > 0)
			out.record("Changed while read, and stored as read: " + std::to_string(changed) +
				(changed == 1 ? " file" : " files"));
		out.record("");
		for (std::size_t start = 0; start < message.size();) {
			const std::size_t end = std::min(message.find('\n', start), message.size());
			out.record("    " + shown_text(message.substr(start, end - start)));
			start = end + 1;
		}
		if (generation > 1 && left > 1)
			out.record("");
	}
	return exit_status::done;
}

int dig_log_main(int argc, char **argv) { return run(argc, argv, usage, log); }
