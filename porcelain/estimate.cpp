// dig estimate: what an add would cost, without taking anything.
#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/base/json_text.h"
#include "libdig/os/environment.h"
#include "libdig/tool/command.h"
#include "libdig/tool/hash_sources.h"
#include "libdig/tool/report.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/estimate.h"
#include "libdig/worktree/worktree.h"

using namespace dig;

static constexpr char usage[] =
	"dig-estimate [-f] [--target=SIZE[,SIZE...]] [--depth=N]\n"
	"             [--human | --bytes | --json] [--progress[=WHEN]]\n"
	"             [--metrics[=FILE]] [PATH...]";

namespace {

enum class EstimateForm : std::uint8_t { human, bytes, json };

struct EstimateWishes {
	EstimateForm form = EstimateForm::human;
	std::vector<std::uint64_t> targets;
	std::vector<std::string> paths;
	WalkOptions walk;
	EstimateOptions estimate;
	bool is_partial = false;
};

} // namespace

static void take_targets(const std::string &text, std::vector<std::uint64_t> &targets)
{
	targets.clear();
	for (std::size_t begin = 0; begin <= text.size();) {
		const std::size_t end = std::min(text.find(',', begin), text.size());
		const std::optional<std::uint64_t> size = parse_size(text.substr(begin, end - begin));
		if (!size || *size < min_chunk_target || *size > max_chunk_target)
			throw UsageError("--target takes sizes from 4KB to 2MB, as 16KB,64KB,1MB");
		targets.push_back(*size);
		begin = end + 1;
	}
	if (targets.size() > most_targets)
		throw UsageError("--target takes " + std::to_string(most_targets) + " sizes at once");
}

static std::string number(const char *key, std::uint64_t value)
{
	return ",\"" + std::string(key) + "\":" + std::to_string(value);
}

// Without a path it is the sum of everything.
static void tell(const EstimateWishes &wishes, const std::optional<std::string> &path,
	std::span<const EstimatedCost> costs)
{
	Output &out = standard_output();
	const auto size = [&](std::uint64_t bytes) {
		return wishes.form == EstimateForm::human ? size_text(static_cast<double>(bytes)) : std::to_string(bytes);
	};
	for (std::size_t i = 0; i < costs.size(); i++) {
		const EstimatedCost &cost = costs[i];
		const bool has_target = !wishes.targets.empty();
		if (wishes.form == EstimateForm::json) {
			std::string text = "{\"schema\":1";
			if (path)
				text += ',' + json_field("path", *path);
			else
				text += ",\"path\":null";
			if (has_target)
				text += number("target", wishes.targets[i]);
			out.record(text + number("files", cost.files) + number("bytes", cost.bytes) +
				number("new", cost.new_bytes) + number("shared", cost.shared_bytes()) + number("chunks", cost.chunks) +
				number("new_chunks", cost.new_chunks) + '}');
			continue;
		}
		std::string text;
		if (has_target)
			text = "chunks of " + size(wishes.targets[i]) + ": ";
		out.write(text + size(cost.new_bytes) + " new, " + size(cost.shared_bytes()) + " shared, " +
			counted(cost.files, "file") + '\t');
		if (path)
			out.record_path(*path);
		else
			out.record("in all");
	}
}

static void run_walk(Estimate &estimate, const File &root, const std::vector<std::string> &paths,
	EstimateWishes &wishes, const std::string &prefix)
{
	std::vector<std::string> ignored;
	walk_work_tree(root, paths, wishes.walk,
		[&](const WorkRecord &record) {
			if (record.type == WorkRecord::Type::missing)
				throw Error("cannot open " + quote(relative_path(record.path, prefix)) + ": No such file or directory");
			if (record.type == WorkRecord::Type::failed)
				wishes.estimate.failed(record.path, SystemError("open", record.path, record.error).what());
			estimate.take(record);
		},
		ignored);
	for (const std::string &path : ignored) {
		wishes.is_partial = true;
		dig::tell(quote(relative_path(path, prefix)) + " is ignored; -f counts it");
	}
}

static int estimate(Options &options)
{
	EstimateWishes wishes;
	Report report;
	report.add_to(options)
		.flag("force", 'f', wishes.walk.takes_ignored, "also ignored paths")
		.value("target", 0, [&](const std::string &text) { take_targets(text, wishes.targets); }, "SIZE[,SIZE...]",
			"for new stores with these sizes of chunks")
		.value("depth", 0, wishes.estimate.depth, "N", "tell directories down to this level; 1 by default")
		.flag("human", 0, [&] { wishes.form = EstimateForm::human; }, "sizes as 1.50 GiB (the default)")
		.flag("bytes", 0, [&] { wishes.form = EstimateForm::bytes; }, "sizes in bytes")
		.flag("json", 0, [&] { wishes.form = EstimateForm::json; }, "a line of JSON for each directory")
		.positional(wishes.paths)
		.parse();
	if (wishes.paths.empty())
		wishes.paths.emplace_back(".");
	raise_file_limit();
	// In a store, paths lead from its work tree; elsewhere, from "/".
	std::optional<Store> store;
	if (const std::optional<StorePaths> found = find_store())
		store.emplace(*found);
	const Settings settings = store ? store->settings() : load_settings({});
	const std::string prefix = store ? store->paths().prefix : current_directory().substr(1);
	std::vector<std::string> paths;
	for (const std::string &typed : wishes.paths) {
		const bool is_absolute = typed.starts_with('/');
		paths.push_back(store ? stored_path(store->paths(), typed)
				      : normalised_path(typed.substr(is_absolute), is_absolute ? "" : prefix, "/"));
	}
	const File root = File::open_with(store ? store->paths().get_work_tree() : "/", O_RDONLY | O_DIRECTORY);
	report.yield_terminal();
	Work &work = report.begin({{"read", 100}});
	work.begin_stage("read");
	wishes.estimate.work = &work;
	wishes.estimate.directory = [&](const std::string &path, std::span<const EstimatedCost> costs) {
		const std::string shown = relative_path(path, prefix);
		tell(wishes, shown.empty() ? "." : shown, costs);
	};
	wishes.estimate.failed = [&](const std::string &path, const std::string &message) {
		wishes.is_partial = true;
		tell_error(relative_message(message, path, prefix));
	};
	const ChunkingParameters chunking = store ? store->chunking() : chunking_of(settings);
	const std::unique_ptr<Estimate> estimate = wishes.targets.empty()
		? estimate_for_store(store ? &*store : nullptr, settings, chunking, root, wishes.estimate)
		: estimate_for_targets(wishes.targets, root, wishes.estimate);
	run_walk(*estimate, root, paths, wishes, prefix);
	const std::vector<EstimatedCost> &total = estimate->finish();
	report.finish();
	tell(wishes, {}, total);
	return wishes.is_partial ? exit_status::partial : exit_status::done;
}

int dig_estimate_main(int argc, char **argv) { return run(argc, argv, usage, estimate); }
