#include <algorithm>

#include "libdig/base/json_text.h"
#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/os/typed_time.h"
#include "libdig/store/state_names.h"
#include "libdig/tool/change_list.h"
#include "libdig/tool/command.h"
#include "libdig/tool/time_text.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/path_history.h"

using namespace dig;

static constexpr char usage[] =
	"dig-log [--oneline | --json] [--stat] [--bytes] [--utc] [-n COUNT]\n"
	"        [--since=TIME] [--until=TIME] [--at=ROOT] [ROOT | ROOT:PATH] [PATH...]";

struct LogLook {
	bool is_oneline = false, is_json = false, has_stat = false, is_exact = false;
};

// Prints one state after the other.
class Log {
public:
	Log(Store &store, PathHistory &history, const LogLook &look, std::vector<std::string> paths)
		: store_(store), history_(history), look_(look), paths_(std::move(paths)),
		  digits_(store.roots().unique_digits()), nodes_(store, 8_MiB)
	{
		// Nothing is told twice.
		std::vector<std::string> kept;
		for (const std::string &path : paths_)
			if (std::none_of(paths_.begin(), paths_.end(), [&](const std::string &other) {
				    return other != path && is_within(path, other);
			    }) && std::find(kept.begin(), kept.end(), path) == kept.end())
				kept.push_back(path);
		paths_ = kept.empty() ? std::vector<std::string>{""} : std::move(kept);
	}

	void show(std::uint64_t generation)
	{
		const LayerState state = store_.state(generation);
		const bool is_dropped = store_.layer_table()->is_dropped(generation);
		if (look_.is_json)
			show_json(generation, state, is_dropped);
		else if (look_.is_oneline)
			show_line(generation, state, is_dropped);
		else
			show_long(generation, state, is_dropped);
		is_first_ = false;
	}

private:
	std::string root(std::uint64_t generation) const { return to_hex(store_.roots().at(generation).root); }

	void show_line(std::uint64_t generation, const LayerState &state, bool is_dropped)
	{
		out_.write("@" + std::to_string(generation) + ' ' + root(generation).substr(0, digits_) + ' ');
		out_.record((is_dropped ? "(dropped) " : "") + shown_text(state.message.substr(0, state.message.find('\n'))));
		show_stat(generation, is_dropped);
	}

	void show_long(std::uint64_t generation, const LayerState &state, bool is_dropped)
	{
		const std::string &message = state.message;
		if (!is_first_)
			out_.record("");
		out_.record("@" + std::to_string(generation) + ' ' + root(generation));
		out_.record("Author: " + shown_text(state.author));
		out_.record("Date:   " + time_text(state.header.time_s));
		if (is_dropped)
			out_.record("Dropped: its content is gone; its root can still be proved");
		if (const std::uint64_t changed = state.header.changed_files(); changed > 0)
			out_.record("Changed while read, and stored as read: " + std::to_string(changed) +
				(changed == 1 ? " file" : " files"));
		out_.record("");
		for (std::size_t start = 0; start < message.size();) {
			const std::size_t end = std::min(message.find('\n', start), message.size());
			out_.record("    " + shown_text(message.substr(start, end - start)));
			start = end + 1;
		}
		if (look_.has_stat && !is_dropped)
			out_.record("");
		show_stat(generation, is_dropped);
	}

	void show_json(std::uint64_t generation, const LayerState &state, bool is_dropped)
	{
		const LayerHeader &header = state.header;
		out_.write("{\"schema\":1,\"generation\":" + std::to_string(generation) + ",\"root\":\"" + root(generation) +
			"\",\"layer\":\"" + to_hex(header.id()) + "\",\"time\":" + std::to_string(header.time_s) + ',' +
			json_field("author", state.author) + ',' + json_field("message", state.message) + ",\"entries\":" +
			std::to_string(header.entries) + ",\"bytes\":" + std::to_string(header.bytes) + ",\"dropped\":" +
			(is_dropped ? "true" : "false"));
		if (look_.has_stat && !is_dropped) {
			out_.write(",\"changes\":[");
			const char *separator = "";
			each_change(generation, [&](const Entry *before, const Entry *after) {
				out_.write(separator + ("{" + ChangeList::json(before, after)) + "}");
				separator = ",";
			});
			out_.write("]");
		}
		out_.record("}");
	}

	void show_stat(std::uint64_t generation, bool is_dropped)
	{
		if (!look_.has_stat || is_dropped)
			return;
		ChangeList list(out_, {.form = ChangeList::Form::stat, .is_exact = look_.is_exact, .indent = "    "});
		each_change(generation, [&](const Entry *before, const Entry *after) { list.add(before, after); });
		list.finish();
	}

	void each_change(std::uint64_t generation, const std::function<void(const Entry *, const Entry *)> &take)
	{
		PathDiff diff(nodes_);
		const TreeRoot before = history_.manifest(history_.before(generation)), after = history_.manifest(generation);
		for (const std::string &path : paths_)
			diff.each(before, after, path, [&](const Entry *old, const Entry *entry) {
				take(old, entry);
				return true;
			});
	}

	Store &store_;
	PathHistory &history_;
	const LogLook &look_;
	std::vector<std::string> paths_;
	std::size_t digits_;
	KeptNodes nodes_;
	Output &out_ = standard_output();
	bool is_first_ = true;
};

// What a name stands for as a ROOT; nothing if it is none.
static std::optional<std::uint64_t> find_state(Store &store, const std::string &name)
{
	try {
		return store.resolve(name).generation;
	} catch (const CorruptError &) {
		throw;
	} catch (const Error &) {
		return {};
	}
}

// The first operand may be a ROOT or ROOT:PATH.  What could be both, as a file that is called "v1" beside
// a tag of that name, has to be told apart.
static void take_root(Store &store, std::optional<std::string> &at, std::vector<std::string> &words)
{
	if (at || words.empty())
		return;
	const std::optional<StatePath> named = split_state_path(words[0]);
	const std::string state = named ? named->state : words[0];
	if (!find_state(store, state)) {
		// Only a name of a state begins so; a path does with "./" in front.
		const bool can_be_path = !named && !state.starts_with('@') && !state.starts_with("HEAD") &&
			state.find('~') == state.npos;
		const std::uint64_t newest = store.roots().size();
		if (!can_be_path && newest > 0 && !has_path(store.manifest(newest), store.nodes(), words[0]))
			store.resolve(state);
		return;
	}
	if (!named && store.roots().size() > 0) {
		std::uint64_t newest = store.roots().size();
		if (!store.layer_table()->is_dropped(newest) && has_path(store.manifest(newest), store.nodes(), words[0]))
			throw UsageError(quote(words[0]) + " names a state and a path; give --at=" + words[0] + " or ./" +
				words[0]);
	}
	at = state;
	words.erase(words.begin());
	if (named && !named->path.empty())
		words.insert(words.begin(), named->path);
}

static int log(Options &options)
{
	LogLook look;
	std::optional<std::uint64_t> most;
	std::optional<std::string> since, until, at;
	std::vector<std::string> words;
	options.flag("oneline", 0, look.is_oneline, "one line per state")
		.flag("json", 0, look.is_json, "a JSON object per state and line")
		.flag("stat", 0, look.has_stat, "also what each state has changed")
		.flag("bytes", 0, look.is_exact, "--stat: sizes in bytes")
		.flag("utc", 0, use_utc, "times in UTC")
		.value("", 'n', most, "COUNT", "at most so many")
		.value("since", 0, since, "TIME", "only states of that time and after it")
		.value("until", 0, until, "TIME", "only states of that time and before it")
		.value("at", 0, at, "ROOT", "this state and those before it")
		.positional(words)
		.parse();
	if (look.is_oneline && look.is_json)
		throw UsageError("--oneline is for people, and --json for programs");
	Store store(get_store());
	const std::int64_t now_s = seconds_of(now_ns());
	const std::int64_t first_s = since ? get_typed_time(*since, now_s).first_s : INT64_MIN;
	const std::int64_t last_s = until ? get_typed_time(*until, now_s).last_s : INT64_MAX;
	take_root(store, at, words);
	const std::uint64_t from = at ? store.resolve(*at).generation : store.roots().size();
	std::vector<std::string> paths;
	for (const std::string &word : words)
		paths.push_back(word.empty() ? "" : normalised_path(word, "", "/"));
	if (from == 0 && !paths.empty())
		throw Error("nothing is committed yet");
	std::uint64_t left = most.value_or(from);
	PathHistory history(store, paths, words);
	Log shown(store, history, look, paths);
	const auto is_wanted = [&](const LayerHeader &header) {
		return header.time_s >= first_s && header.time_s <= last_s;
	};
	if (paths.empty()) {
		for (std::uint64_t generation = from; generation > 0 && left > 0; generation--)
			if ((!since && !until) || is_wanted(history.headers().at(generation))) {
				shown.show(generation);
				left--;
			}
		return exit_status::done;
	}
	history.each(from, is_wanted, [&](const PathHistory::Step &step) {
		if (left == 0)
			return false;
		shown.show(step.generation);
		return --left > 0;
	});
	return exit_status::done;
}

int dig_log_main(int argc, char **argv) { return run(argc, argv, usage, log); }
