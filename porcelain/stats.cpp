// dig stats: how much a store has, how well it is packed, and what a state alone keeps.
#include <cmath>

#include "libdig/base/byte_size.h"
#include "libdig/tool/command.h"
#include "libdig/verbs/stats.h"

using namespace dig;

static constexpr char usage[] = "dig-stats [--human | --bytes | --json] [ROOT...]";

namespace {

enum class StatsForm : std::uint8_t { human, bytes, json };

} // namespace

static std::string number(const char *key, std::uint64_t value)
{
	return ",\"" + std::string(key) + "\":" + std::to_string(value);
}

// With two digits behind the point.
static std::string ratio_text(double ratio)
{
	const std::string hundredths = std::to_string(std::llround(ratio * 100));
	const std::string padded = std::string(hundredths.size() < 3 ? 3 - hundredths.size() : 0, '0') + hundredths;
	return padded.substr(0, padded.size() - 2) + '.' + padded.substr(padded.size() - 2);
}

static std::string size(StatsForm form, std::uint64_t bytes)
{
	return form == StatsForm::human ? size_text(static_cast<double>(bytes)) : std::to_string(bytes) + " bytes";
}

static std::string counted_text(std::uint64_t count, const std::string &one, const std::string &many)
{
	return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

static std::string range_text(const GenerationRange &range)
{
	return "@" + std::to_string(range.first) + (range.last > range.first ? "-@" + std::to_string(range.last) : "");
}

static void tell_layer(StatsForm form, const GenerationRange &range, const LayerFigures &layer)
{
	Output &out = standard_output();
	if (form == StatsForm::json)
		out.record("{\"schema\":1,\"type\":\"layer\"" + number("first", range.first) + number("last", range.last) +
			number("file_bytes", layer.file_bytes) + number("chunks", layer.chunks) +
			number("chunk_bytes", layer.chunk_bytes) + number("stored_bytes", layer.stored_bytes) +
			number("nodes", layer.nodes) + number("node_bytes", layer.node_bytes) + '}');
	else
		out.record("  " + range_text(range) + ": " + size(form, layer.file_bytes) + "; " +
			counted_text(layer.chunks, "chunk", "chunks") + " of " + size(form, layer.chunk_bytes) + ", stored in " +
			size(form, layer.stored_bytes));
}

static void tell_store(Store &store, StatsForm form)
{
	const StateFigures states = figures_of_states(store);
	LayerFigures all;
	std::uint64_t files = 0;
	each_layer(store, [&](const GenerationRange &, const LayerFigures &layer) {
		files++;
		all.add(layer);
	});
	const double deduplication = states.deduplication(all);
	const double compression =
		all.stored_bytes > 0 ? static_cast<double>(all.chunk_bytes) / static_cast<double>(all.stored_bytes) : 1;
	Output &out = standard_output();
	if (form == StatsForm::json) {
		out.record("{\"schema\":1,\"type\":\"store\"" + number("states", states.states) +
			number("dropped", states.dropped) + number("entries", states.entries) + number("bytes", states.bytes) +
			number("layers", files) + number("file_bytes", all.file_bytes) + number("chunks", all.chunks) +
			number("chunk_bytes", all.chunk_bytes) + number("stored_bytes", all.stored_bytes) +
			number("nodes", all.nodes) + number("node_bytes", all.node_bytes) + ",\"deduplication\":" +
			ratio_text(deduplication) + ",\"compression\":" + ratio_text(compression) + '}');
	} else {
		out.record("States:   " + std::to_string(states.states) +
			(states.dropped > 0 ? ", and " + std::to_string(states.dropped) + " dropped" : ""));
		out.record("Content:  " + size(form, states.bytes) + " in " + counted_text(states.entries, "entry", "entries") +
			" of all states");
		out.record("Chunks:   " + size(form, all.chunk_bytes) + "; deduplication " + ratio_text(deduplication));
		out.record("Stored:   " + size(form, all.stored_bytes) + "; compression " + ratio_text(compression));
		out.record("Layers:   " + size(form, all.file_bytes) + " in " + counted_text(files, "file", "files"));
	}
	each_layer(store, [&](const GenerationRange &range, const LayerFigures &layer) { tell_layer(form, range, layer); });
}

static void tell_state(Store &store, StatsForm form, std::uint64_t generation)
{
	const LayerHeader header = store.state(generation).header;
	const AloneFigures alone = figures_of_state_alone(store, generation);
	Output &out = standard_output();
	if (form == StatsForm::json)
		out.record("{\"schema\":1,\"type\":\"state\"" + number("generation", generation) +
			number("entries", header.entries) + number("bytes", header.bytes) + number("alone_items", alone.items) +
			number("alone_stored_bytes", alone.stored_bytes) + '}');
	else
		out.record("@" + std::to_string(generation) + ": " + counted_text(header.entries, "entry", "entries") + ", " +
			size(form, header.bytes) + "; " + size(form, alone.stored_bytes) + " in the layers are needed by it alone");
}

static int stats(Options &options)
{
	StatsForm form = StatsForm::human;
	std::vector<std::string> names;
	options.flag("human", 0, [&] { form = StatsForm::human; }, "sizes as 1.50 GiB (the default)")
		.flag("bytes", 0, [&] { form = StatsForm::bytes; }, "sizes in bytes")
		.flag("json", 0, [&] { form = StatsForm::json; }, "lines of JSON")
		.positional(names)
		.parse();
	Store store(get_store());
	if (names.empty())
		tell_store(store, form);
	std::vector<std::uint64_t> generations;
	for (const std::string &name : names) {
		generations.push_back(store.resolve(name).generation);
		store.manifest(generations.back()); // says so when it was dropped
	}
	for (const std::uint64_t generation : generations)
		tell_state(store, form, generation);
	return exit_status::done;
}

int dig_stats_main(int argc, char **argv) { return run(argc, argv, usage, stats); }
