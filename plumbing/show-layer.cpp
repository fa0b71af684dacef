#include "libdig/store/store.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-show-layer [ROOT | LAYER-ID | FILE]";

static std::shared_ptr<Layer> layer_named(const std::string &name, std::optional<Store> &store)
{
	if (name.find('/') != name.npos || name.ends_with(".dig"))
		return std::make_shared<Layer>(name);
	store.emplace(get_store());
	if (const std::optional<Digest> id = parse_digest(name))
		if (find_stat(store->paths().layer(*id)))
			return std::make_shared<Layer>(store->paths().layer(*id));
	return store->layer(store->resolve(name).generation);
}

static int show_layer(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 0, 1).parse();
	std::optional<Store> store;
	const std::shared_ptr<Layer> layer = layer_named(names.empty() ? "HEAD" : names[0], store);
	const LayerHeader &header = layer->header();
	Output &out = standard_output();
	const auto line = [&](const char *key, const std::string &value) { out.record(std::string(key) + ' ' + value); };
	line("layer", to_hex(layer->id()));
	line("root", to_hex(layer->root()));
	line("store-id", to_hex(header.store_id));
	line("generation", std::to_string(header.generation));
	line("parent", to_hex(header.parent_root));
	line("manifest", to_hex(header.manifest_root));
	line("time", std::to_string(header.time_s));
	line("entries", std::to_string(header.entries));
	line("bytes", std::to_string(header.bytes));
	if (header.changed_files() > 0)
		line("changed-files", std::to_string(header.changed_files()));
	line("pack", to_hex(layer->pack_id()));
	line("size", std::to_string(layer->file_size()));
	line("blocks", std::to_string(layer->block_count()));
	line("items", std::to_string(layer->item_count()));
	line("full", layer->is_full() ? "yes" : "no");
	line("author", quoted_record(layer->author()));
	out.record("");
	out.write(layer->message());
	if (!layer->message().ends_with('\n'))
		out.record("");
	return exit_status::done;
}

int dig_show_layer_main(int argc, char **argv) { return run(argc, argv, usage, show_layer); }
