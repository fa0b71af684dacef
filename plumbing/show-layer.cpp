#include "libdig/store/store.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-show-layer [ROOT | LAYER-ID | FILE]";

struct Named {
	std::shared_ptr<Layer> layer;
	std::optional<std::uint64_t> generation; // of a merged layer, the one that is meant
	std::optional<Digest> root;
};

static Named layer_named(const std::string &name)
{
	if (name.find('/') != name.npos || name.ends_with(".dig") || name.ends_with(".merged"))
		return {std::make_shared<Layer>(name), {}, {}};
	Store store(get_store());
	std::optional<std::uint64_t> generation;
	if (const std::optional<Digest> id = parse_digest(name)) {
		if (find_stat(store.paths().layer(*id)))
			return {std::make_shared<Layer>(store.paths().layer(*id)), {}, {}};
		generation = store.roots().find_layer(*id);
	}
	if (!generation)
		generation = store.resolve(name).generation;
	return {store.layer(*generation), generation, store.roots().at(*generation).root};
}

static void line(const char *key, const std::string &value)
{
	standard_output().record(std::string(key) + ' ' + value);
}

static void show_file(const Layer &layer)
{
	line("pack", to_hex(layer.pack_id()));
	line("size", std::to_string(layer.file_size()));
	line("blocks", std::to_string(layer.block_count()));
	line("items", std::to_string(layer.item_count()));
	if (layer.is_merged())
		line("merged", std::to_string(layer.generations().first) + ' ' + std::to_string(layer.generations().last));
}

static void show_state(const Layer &layer, const LayerState &state, const std::optional<Digest> &root)
{
	const LayerHeader &header = state.header;
	Output &out = standard_output();
	line("layer", to_hex(header.id()));
	if (root)
		line("root", to_hex(*root));
	line("store-id", to_hex(header.store_id));
	line("generation", std::to_string(header.generation));
	line("parent", to_hex(header.parent_root));
	line("manifest", to_hex(header.manifest_root));
	line("time", std::to_string(header.time_s));
	line("entries", std::to_string(header.entries));
	line("bytes", std::to_string(header.bytes));
	if (header.changed_files() > 0)
		line("changed-files", std::to_string(header.changed_files()));
	show_file(layer);
	line("full", layer.is_full() ? "yes" : "no");
	line("author", quoted_record(state.author));
	out.record("");
	out.write(state.message);
	if (!state.message.ends_with('\n'))
		out.record("");
}

static int show_layer(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 0, 1).parse();
	const Named named = layer_named(names.empty() ? "HEAD" : names[0]);
	const Layer &layer = *named.layer;
	if (layer.is_merged() && !named.generation) {
		show_file(layer);
		return exit_status::done;
	}
	show_state(layer, layer.state(named.generation.value_or(layer.generations().first)),
		layer.is_merged() ? named.root : layer.root());
	return exit_status::done;
}

int dig_show_layer_main(int argc, char **argv) { return run(argc, argv, usage, show_layer); }
