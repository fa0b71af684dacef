#include "libdig/tool/prune_command.h"

#include "libdig/os/file.h"
#include "libdig/store/reserve.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/records.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/prune.h"
#include "libdig/verbs/retention.h"

namespace dig {

static std::string range_text(const GenerationRange &range)
{
	return "@" + std::to_string(range.first) + (range.last > range.first ? "-@" + std::to_string(range.last) : "");
}

static std::string number(const char *key, std::uint64_t value)
{
	return ",\"" + std::string(key) + "\":" + std::to_string(value);
}

static const char *name_of(PruneStep::Fate fate)
{
	switch (fate) {
	case PruneStep::Fate::kept: return "keep";
	case PruneStep::Fate::copied: return "copy";
	case PruneStep::Fate::dropped: return "drop";
	default: return "make";
	}
}

static void tell_step(const PruneStep &step, bool is_json)
{
	Output &out = standard_output();
	const bool has_live = step.fate == PruneStep::Fate::kept || step.fate == PruneStep::Fate::copied;
	if (is_json)
		out.record("{\"layer\":\"" + std::string(name_of(step.fate)) + "\"" + number("first", step.range.first) +
			number("last", step.range.last) + number("size", step.size) +
			(has_live ? number("live", step.live) : std::string()) + "}");
	else
		out.record(std::string(name_of(step.fate)) + '\t' + range_text(step.range) + '\t' + std::to_string(step.size) +
			(has_live ? '\t' + std::to_string(step.live) : ""));
}

static void tell_result(const PruneResult &result, bool is_dry, bool is_json)
{
	Output &out = standard_output();
	if (is_json) {
		out.record("{\"result\":\"" + std::string(result.is_finished ? "done" : "unfinished") + "\"" +
			number("states_kept", result.states_kept) + number("states_dropped", result.states_dropped) +
			number("layers_before", result.layers_before) + number("layers_after", result.layers_after) +
			number("size_before", result.size_before) + number("size_after", result.size_after) +
			number("restorable", result.restorable) + "}");
		return;
	}
	const auto count = [](std::uint64_t number, const std::string &noun) {
		return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
	};
	out.record(std::string(is_dry ? "would drop " : "dropped ") + count(result.states_dropped, "state") + ", kept " +
		count(result.states_kept, "state"));
	out.record(count(result.layers_before, "layer") + " of " + std::to_string(result.size_before) + " bytes, then " +
		count(result.layers_after, "layer") + " of " + std::to_string(result.size_after) + " bytes");
	if (result.restorable > 0)
		out.record(std::to_string(result.restorable) +
			" bytes stay for 'dig gc --undo'; the next 'dig gc', or 'dig gc --now', removes them");
	if (!result.is_finished)
		out.record("not finished; the next 'dig gc' goes on");
}

// Names of states, one a record.
static void read_names(Store &store, bool is_nul, KeepRules &rules)
{
	RecordReader names = RecordReader::standard_input(record_end(is_nul));
	while (const std::optional<std::string_view> name = names.next())
		if (!name->empty())
			rules.generations.push_back(store.resolve(*name).generation);
	if (rules.generations.empty())
		throw Error("no state to keep was given");
}

int prune_command(Options &options)
{
	PruneOptions prune;
	KeepRules rules;
	bool quiet = false, is_json = false, is_undo = false, takes_names = false, is_nul = false;
	std::vector<std::string> none;
	// To keep none is no rule.
	const auto count = [](std::uint64_t &value) {
		return [&value](const std::string &text) {
			const bool is_number = text.find_first_not_of("0123456789") == text.npos;
			if (text.empty() || text.size() > 9 || !is_number || std::stoull(text) == 0)
				throw UsageError(quote(text) + " is no number of states from 1 on");
			value = std::stoull(text);
		};
	};
	Report report;
	report.add_to(options)
		.flag("dry-run", 'n', prune.is_dry, "say what would be done, to the byte")
		.flag("quiet", 'q', quiet, "print nothing")
		.flag("json", 0, is_json, "a JSON object a line")
		.flag("now", 0, prune.is_final, "what is dropped cannot be brought back")
		.flag("undo", 0, is_undo, "bring back what the last run dropped")
		.value("budget", 0, [&](const std::string &text) {
			prune.deadline_ns = clock_ns() + parse_short_duration(text) * std::int64_t(1000000000);
		}, "TIME", "end after this time, with what was done until then")
		.value("keep-last", 0, count(rules.last), "N", "the newest N states")
		.value("keep-within", 0, [&](const std::string &text) { rules.within_s = parse_duration(text); }, "TIME",
			"states not older than this, as 36h, 30d, 8w, 6m, 1y")
		.value("keep-hourly", 0, count(rules.hourly), "N", "the newest state of each of N hours")
		.value("keep-daily", 0, count(rules.daily), "N", "the same for days")
		.value("keep-weekly", 0, count(rules.weekly), "N", "the same for weeks")
		.value("keep-monthly", 0, count(rules.monthly), "N", "the same for months")
		.value("keep-yearly", 0, count(rules.yearly), "N", "the same for years")
		.list("keep-tag", 0, rules.tags, "PATTERN", "states with a tag that matches")
		.flag("utc", 0, rules.is_utc, "days begin in UTC")
		.flag("stdin", 0, takes_names, "states to keep, one a line")
		.flag("", 'z', is_nul, "--stdin: names end with NUL")
		.positional(none, 0, 0)
		.parse();
	const bool is_bare = rules.is_empty() && !takes_names && !prune.is_dry && !prune.is_final && !prune.deadline_ns;
	if (is_undo && !is_bare)
		throw UsageError("--undo goes with no rule and no other option");
	if (is_nul && !takes_names)
		throw UsageError("-z is for --stdin");
	const StorePaths paths = get_store();
	if (is_undo) {
		const std::uint64_t count = undo_prune(paths);
		if (!quiet)
			standard_output().record("brought back " + std::to_string(count) + (count == 1 ? " state" : " states"));
		return exit_status::done;
	}
	if (takes_names) {
		Store store(paths);
		read_names(store, is_nul, rules);
	}
	if (!quiet)
		prune.step = [&](const PruneStep &step) { tell_step(step, is_json); };
	prune.notice = [](const std::string &notice) { warn(notice); };
	prune.work = &report.begin({{"reach", 40, false}, {"copy", 60}});
	PruneResult result;
	with_reserve(paths, [&] {
		result = prune_store(paths, prune, [&](Store &store) { return kept_states(store, rules); });
	});
	if (!prune.is_dry)
		keep_reserve(paths);
	report.finish();
	if (!quiet)
		tell_result(result, prune.is_dry, is_json);
	return exit_status::done;
}

} // namespace dig
