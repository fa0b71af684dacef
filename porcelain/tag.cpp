#include "libdig/base/json_text.h"
#include "libdig/os/clock.h"
#include "libdig/os/typed_time.h"
#include "libdig/store/store.h"
#include "libdig/store/tags.h"
#include "libdig/tool/command.h"
#include "libdig/tool/time_text.h"
#include "libdig/worktree/wildcard.h"

using namespace dig;

static constexpr char usage[] = "dig-tag [-fq] [--lock | --lock-until=TIME] NAME [ROOT]\n"
				"dig-tag -d [-q] NAME...\n"
				"dig-tag [-z | --json] [--utc] [-l [PATTERN...]]";

struct TagLook {
	bool nul = false, is_json = false;
};

static std::string shown_root(const RootHistory &roots, const Tag &tag)
{
	return "@" + std::to_string(tag.generation) + ' ' + to_hex(tag.root).substr(0, roots.unique_digits());
}

static void show(Store &store, const std::string &name, const Tag &tag, const TagLook &look)
{
	Output &out = standard_output();
	const bool is_locked = tag.is_locked(seconds_of(now_ns()));
	const bool is_dropped = store.layer_table()->is_dropped(tag.generation);
	if (look.is_json) {
		out.record("{\"schema\":1," + json_field("name", name) + ",\"generation\":" +
			std::to_string(tag.generation) + ",\"root\":\"" + to_hex(tag.root) + "\",\"locked\":" +
			(is_locked ? "true" : "false") + ",\"locked_until\":" +
			(is_locked && tag.locked_until_s ? std::to_string(*tag.locked_until_s) : "null") + ",\"dropped\":" +
			(is_dropped ? "true" : "false") + "}");
		return;
	}
	out.write(look.nul ? name : quoted_record(name));
	out.write("\t" + shown_root(store.roots(), tag));
	if (is_locked)
		out.write(tag.locked_until_s ? "\tlocked until " + time_text(*tag.locked_until_s) : std::string("\tlocked"));
	out.record(is_dropped ? "\tdropped" : "");
}

// A pattern that no tag matches is an answer, unless it can only have meant one tag.
static int list(const std::vector<std::string> &patterns, const TagLook &look)
{
	Store store(get_store());
	standard_output().set_end(record_end(look.nul));
	std::vector<Wildcard> wanted(patterns.size());
	std::vector<bool> is_pattern(patterns.size());
	for (std::size_t i = 0; i < patterns.size(); i++)
		is_pattern[i] = wanted[i].compile(patterns[i], 0);
	bool has_any = false;
	std::optional<Error> damage;
	for (const std::string &name : tag_names(store.paths())) {
		bool is_wanted = patterns.empty();
		for (std::size_t i = 0; i < patterns.size() && !is_wanted; i++)
			is_wanted = is_pattern[i] ? wanted[i].matches(name) : patterns[i] == name;
		if (!is_wanted)
			continue;
		try {
			if (const std::optional<Tag> tag = find_tag(store.paths(), name)) {
				has_any = true;
				show(store, name, *tag, look);
			}
		} catch (const CorruptError &error) {
			// The other tags are as good as before.
			if (damage)
				tell_error(damage->what());
			damage.emplace(error);
		}
	}
	if (damage)
		throw *damage;
	return has_any || patterns.empty() ? exit_status::done : exit_status::no;
}

static int tag(Options &options)
{
	bool deletes = false, lists = false, replaces = false, has_lock = false;
	TagLook look;
	std::optional<std::string> until;
	std::vector<std::string> names;
	options.flag("delete", 'd', deletes, "delete tags")
		.flag("list", 'l', lists, "list tags; patterns choose some")
		.flag("force", 'f', replaces, "move a tag that names another state")
		.flag("lock", 0, has_lock, "neither moved nor deleted, and kept by gc")
		.value("lock-until", 0, until, "TIME", "the same until the end of this day")
		.flag("json", 0, look.is_json, "a JSON object a line")
		.flag("utc", 0, use_utc, "times in UTC")
		.flag("", 'z', look.nul, "end records with NUL")
		.positional(names)
		.parse();
	const bool makes = !deletes && !lists && !names.empty();
	if (deletes && lists)
		throw UsageError("-d deletes tags, and -l lists them");
	if (!makes && (has_lock || until || replaces))
		throw UsageError("-f and --lock are for a tag that is made or moved; give its NAME");
	if (has_lock && until)
		throw UsageError("--lock has no end, and --lock-until has one");
	if ((makes || deletes) && (look.is_json || look.nul))
		throw UsageError("-z and --json are for lists; -l lists tags");
	if (!makes && !deletes)
		return list(names, look);
	if (deletes && names.empty())
		throw UsageError("no tag named");
	if (makes && names.size() > 2)
		throw UsageError("give one NAME, and a ROOT");
	Store store(get_store());
	if (deletes) {
		for (const std::string &name : names) {
			const Tag was = remove_tag(store.paths(), name);
			if (!options.is_quiet())
				standard_output().record(quote(name) + " was " + shown_root(store.roots(), was));
		}
		return exit_status::done;
	}
	const std::int64_t now_s = seconds_of(now_ns());
	Tag made;
	made.has_lock = has_lock || until;
	if (until && (made.locked_until_s = get_typed_time(*until, now_s).last_s) < now_s)
		throw UsageError("--lock-until=" + *until + " lies in the past");
	if (const std::string_view problem = tag_name_problem(names[0]); !problem.empty())
		throw UsageError(quote(names[0]) + " cannot be a tag: " + std::string(problem));
	const RootName state = store.resolve(names.size() > 1 ? names[1] : "HEAD");
	made.generation = state.generation;
	made.root = state.root;
	put_tag(store.paths(), names[0], made, replaces);
	if (!options.is_quiet())
		standard_output().record(quote(names[0]) + " is " + shown_root(store.roots(), made));
	return exit_status::done;
}

int dig_tag_main(int argc, char **argv) { return run(argc, argv, usage, tag); }
