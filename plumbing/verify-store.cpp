#include "libdig/os/clock.h"
#include "libdig/tool/command.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/heal.h"
#include "libdig/verbs/incoming_layer.h"
#include "libdig/verbs/repair.h"
#include "libdig/verbs/retention.h"
#include "libdig/verbs/verify.h"
#include "libdig/watch/progress.h"

using namespace dig;

static constexpr char usage[] =
	"dig-verify-store [-q] [--json] [--quick] [--block-trees] [--budget=TIME]\n"
	"                 [--repair] [--heal-from=SOURCE...] [--progress[=WHEN]]\n"
	"                 [--metrics[=FILE]] [LAYER]";

static void heal(const StorePaths &paths, const std::vector<std::string> &sources, bool quiet)
{
	HealOptions heal;
	heal.sources = sources;
	heal.healed = [&](const std::string &what) {
		if (!quiet)
			standard_output().record("healed: " + what);
	};
	heal.notice = [](const std::string &notice) { warn(notice); };
	const HealResult result = heal_store(paths, heal);
	if (!quiet && result.lost > 0)
		standard_output().record("found " + std::to_string(result.found) + " of " + std::to_string(result.lost) +
			" chunks and nodes that no layer had");
}

static void tell_as_json(VerifyOptions &verify)
{
	const auto tell = [](const char *type, const std::string &message) {
		standard_output().record("{\"type\":\"" + std::string(type) + "\",\"message\":" + json_string(message) + "}");
	};
	verify.problem = [=](const std::string &problem) { tell("problem", problem); };
	verify.unreadable = [=](const std::string &what) { tell("unreadable", what); };
	verify.notice = [=](const std::string &notice) { tell("warning", notice); };
	verify.damaged = [](const VerifyOptions::DamagedBlock &damaged) {
		std::string items;
		for (const std::string &item : damaged.items)
			items += (items.empty() ? "" : ",") + json_string(item);
		standard_output().record(std::string("{\"type\":\"") + (damaged.is_healed ? "healed" : "damaged") +
			"\",\"layer\":" + json_string(damaged.layer) + ",\"block\":" + std::to_string(damaged.block) +
			",\"items\":[" + items + "],\"message\":" + json_string(damaged.why) + "}");
	};
	verify.hurt = [](const HurtPaths::Told &hurt) {
		standard_output().record("{\"type\":\"hurt\",\"path\":" + json_string(hurt.path) + ",\"first\":" +
			std::to_string(hurt.first) + ",\"last\":" + std::to_string(hurt.last) + ",\"message\":" +
			json_string(hurt.why) + "}");
	};
}

static void tell_as_text(VerifyOptions &verify)
{
	verify.problem = [](const std::string &problem) { tell_error(problem); };
	verify.unreadable = verify.problem;
	verify.notice = [](const std::string &notice) { warn(notice); };
	verify.damaged = [](const VerifyOptions::DamagedBlock &damaged) {
		const std::size_t count = damaged.items.size();
		std::string text = damaged.why + "; block " + std::to_string(damaged.block);
		if (count > 0)
			text += " with " + damaged.items[0] + (count > 1 ? " and " + std::to_string(count - 1) + " more" : "");
		if (damaged.is_healed)
			warn(text + "; all that the block holds is whole in another place");
		else
			tell_error(text);
	};
	verify.hurt = [](const HurtPaths::Told &hurt) {
		std::string states = " in @" + std::to_string(hurt.first);
		if (hurt.is_open)
			states += " and perhaps later ones";
		else if (hurt.last > hurt.first)
			states += " to @" + std::to_string(hurt.last);
		tell_error(quote(hurt.path) + states + " is damaged: " + hurt.why);
	};
}

static constexpr char next_step[] = "dig check --heal-from=SOURCE";

static void tell_result_as_json(const VerifyResult &result, const Work &work)
{
	const auto number = [](const char *key, std::uint64_t value) {
		return ",\"" + std::string(key) + "\":" + std::to_string(value);
	};
	std::string evidence;
	if (result.evidence) {
		evidence = number("recent_percent", result.evidence->recent_percent);
		if (result.evidence->oldest_s)
			evidence += number("oldest_s", static_cast<std::uint64_t>(*result.evidence->oldest_s));
	}
	standard_output().record(std::string("{\"type\":\"result\",\"state\":\"") +
		(result.problems > 0 ? "damaged" : result.unreadable > 0 ? "unreadable" : "ok") + "\"" +
		number("problems", result.problems) + number("unreadable", result.unreadable) +
		number("damaged_blocks", result.damaged_blocks) + number("healed_blocks", result.healed_blocks) +
		number("hurt_files", result.hurt_files) + number("first", result.first_hurt) +
		number("last", result.last_hurt) + number("files", work.files.get()) + number("bytes", work.bytes.get()) +
		evidence + (result.problems > 0 ? ",\"next\":\"" + std::string(next_step) + "\"" : std::string()) + "}");
}

static void tell_hurt_files(const VerifyResult &result, std::uint64_t files)
{
	const bool is_one = result.hurt_files == 1;
	const bool is_all = result.problems > result.hurt_files + result.damaged_blocks;
	tell_error(std::to_string(result.hurt_files) + (is_one ? " file of " : " files of ") + std::to_string(files) +
		(is_one ? " is" : " are") + " damaged, in @" + std::to_string(result.first_hurt) +
		(result.last_hurt > result.first_hurt ? " to @" + std::to_string(result.last_hurt) : std::string()) +
		(is_all ? "" : "; the rest is whole") + "; 'dig add --reread' of a good copy and 'dig commit' heal " +
		(is_one ? "it" : "them") + ", or '" + next_step + "'");
}

static void tell_result(const VerifyResult &result, const StorePaths &paths, bool quiet, const Work &work)
{
	if (result.hurt_files > 0)
		tell_hurt_files(result, work.files.get());
	if (result.problems > 0)
		tell_error(std::to_string(result.problems) + (result.problems == 1 ? " problem" : " problems") + " in " +
			quote(paths.store));
	else if (result.unreadable > 0)
		tell_error("not all of " + quote(paths.store) + " may be read by this user, so that the check is not complete; "
			"check as its owner");
	else if (!quiet)
		standard_output().record("ok: " + std::to_string(work.bytes.get()) + " bytes of blocks read, nothing " +
			(result.healed_blocks ? "lost" : "damaged"));
	if (result.evidence && !quiet)
		standard_output().record("verified: " + evidence_text(*result.evidence));
}

// All of its bytes, and whether it has all that its states need.
static int check_layer(const std::string &name, bool quiet, Report &report)
{
	const std::shared_ptr<Layer> layer = open_layer_at(require_layer(name), true);
	Store store(layer);
	Work &work = report.begin({{"check", 100}});
	IncomingLayer incoming(store, *layer);
	incoming.check_blocks(work);
	const GenerationRange &range = layer->generations();
	std::uint64_t last = 0;
	for (std::uint64_t i = range.first; i <= range.last; i++)
		if (!store.layer_table()->is_dropped(i)) {
			incoming.require(store.manifest(last), store.manifest(i));
			last = i;
		}
	report.finish();
	if (!quiet)
		standard_output().record("ok: @" + std::to_string(range.first) +
			(range.last > range.first ? " to @" + std::to_string(range.last) : "") +
			", all of it is there, nothing damaged" +
			(layer->is_merged() ? "" : "; root " + to_hex(layer->root())));
	return exit_status::done;
}

static int verify_store_command(Options &options)
{
	VerifyOptions verify;
	bool quiet = false, is_repair = false, is_json = false;
	std::vector<std::string> layers, sources;
	Report report;
	report.add_to(options)
		.flag("quick", 0, verify.is_quick, "check the structure only, not the content")
		.flag("block-trees", 0, verify.compares_block_trees, "also compare block trees with the content")
		.value("budget", 0, [&](const std::string &text) {
			verify.deadline_ns = clock_ns() + parse_short_duration(text) * nanoseconds_a_second;
		}, "TIME", "look at what was not verified for the longest time, and end after this time")
		.flag("repair", 0, is_repair, "first make anew what follows from the layers")
		.list("heal-from", 0, sources, "SOURCE", "first look for what is lost in a directory, store or layer")
		.flag("json", 0, is_json, "what is found, as JSON on standard output")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(layers, 0, 1)
		.parse();
	if (verify.is_quick && verify.deadline_ns)
		throw UsageError("--budget is for content, which --quick leaves out");
	if (verify.compares_block_trees && (verify.is_quick || verify.deadline_ns))
		throw UsageError("--block-trees reads all content, which --quick and --budget do not");
	if (!layers.empty()) {
		if (verify.is_quick || verify.compares_block_trees || verify.deadline_ns || is_repair || is_json ||
			!sources.empty())
			throw UsageError("a layer is checked as a whole, without options but -q");
		return check_layer(layers[0], quiet, report);
	}
	const StorePaths paths = get_store();
	if (is_repair)
		repair_store(paths, {[&](const std::string &what) {
			if (!quiet && !is_json)
				standard_output().record("repaired: " + what);
		}, [](const std::string &notice) { warn(notice); }});
	if (!sources.empty())
		heal(paths, sources, quiet || is_json);
	if (is_json)
		tell_as_json(verify);
	else
		tell_as_text(verify);
	Work &work = report.begin({{"check", 95}, {"finish", 5, false}});
	verify.work = &work;
	const VerifyResult result = verify_store(paths, verify);
	report.finish();
	if (is_json)
		tell_result_as_json(result, work);
	else
		tell_result(result, paths, quiet, work);
	return result.problems > 0 ? exit_status::corrupt : result.unreadable > 0 ? exit_status::failed : exit_status::done;
}

int dig_verify_store_main(int argc, char **argv) { return run(argc, argv, usage, verify_store_command); }
