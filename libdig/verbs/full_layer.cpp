// The order of the file is that in which a reader goes down: the chunks of a leaf of the manifest, then the leaf,
// the short chunk lists that it names, and the places of all of them.  These three are the span of the leaf, which
// comes in one request.  A long chunk list is written node by node in the same way: its chunks, then the node with
// their places.  An inner node comes behind its children.
//
// So whoever has the node above needs one request for a leaf, and one for a chunk.
#include "libdig/verbs/full_layer.h"

#include <iterator>
#include <map>

#include "libdig/base/digest.h"
#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_hints.h"
#include "libdig/os/environment.h"
#include "libdig/os/process.h"
#include "libdig/staging/item_set.h"
#include "libdig/verbs/layer_merger.h"

namespace dig {

constexpr std::size_t block_size = 64_KiB;
constexpr std::size_t most_places = 100'000;    // that are remembered
constexpr std::size_t most_manifest_places = 200'000;
constexpr std::uint64_t most_inline_chunks = 256; // of a list that comes with the leaf that names it
constexpr std::size_t most_section_nodes = 96_KiB; // bytes of the upper nodes of the manifest

class FullLayer {
public:
	FullLayer(Store &store, const File &file, std::uint64_t generation, Work &work)
		: store_(store), work_(work), generation_(generation), directory_(temporary_directory()), taken_(directory_),
		  merger_(store, file, {generation, generation}, options())
	{
	}

	ExportResult write()
	{
		tree_ = store_.manifest(generation_);
		if (tree_.leaves != 0)
			write_manifest_node(load_root(store_.nodes(), TreeKind::manifest, tree_), tree_.id);
		const LayerMerger::Result made = merger_.finish({}, 0);
		return {made.size, made.items, made.pack_id};
	}

private:
	MergeOptions options()
	{
		const BlockCompression compression = late_compression_of(store_.settings());
		MergeOptions merge;
		merge.least_live = 1;
		merge.codec = compression.codec;
		merge.level = compression.level;
		merge.block_size = block_size;
		merge.is_full = true;
		merge.chunking = store_.chunking();
		merge.state = [this](std::uint64_t generation) { return store_.state(generation); };
		merge.peaks_before = peaks_before();
		merge.directory = directory_;
		merge.placed = [this](ItemKind kind, std::span<const Digest> items, std::uint32_t number,
			const BlockRecord &record) { note(kind, items, number, record); };
		merge.hints = [this](std::uint64_t items) { return section(items); };
		return merge;
	}

	MerklePeaks peaks_before() const
	{
		MerklePeaks peaks;
		const RootHistory roots = store_.roots();
		for (std::uint64_t i = 1; i < generation_; i++)
			peaks.append(leaf_hash(roots.at(i).layer_id));
		return peaks;
	}

	void note(ItemKind kind, std::span<const Digest> items, std::uint32_t number, const BlockRecord &record)
	{
		if (places_.size() + items.size() > most_places)
			places_.clear();
		for (std::size_t i = 0; i < items.size(); i++)
			places_[items[i]] = hint_of(kind, items[i], number, static_cast<std::uint16_t>(i), record);
		end_ = record.offset + record.length;
	}

	void add_chunk(const Digest &id)
	{
		check_interrupted();
		if (!taken_.insert(ItemKind::chunk, id))
			return;
		const Buffer bytes = store_.read_next_item(ItemKind::chunk, id, last_chunk_);
		merger_.add(ItemKind::chunk, id, bytes);
		work_.bytes.add(bytes.size());
	}

	void take_place(const Digest &id, std::vector<HintRecord> &places) const
	{
		const auto place = places_.find(id);
		if (place != places_.end() && places.size() < most_hints_in_chunk)
			places.push_back(place->second);
	}

	// Ends what is being written.  The first item of the span is the node.
	void write_span(const Digest &id, std::vector<HintRecord> places)
	{
		merger_.end_block();
		HintRecord &place = places_.at(id);
		const std::uint64_t before = end_;
		const HintRecord own = place;
		// The places of what came with the node are known only now.
		for (const Digest &with : with_node_)
			take_place(with, places);
		with_node_.clear();
		const Buffer chunk = encoded_hints(places);
		merger_.add(ItemKind::chunk, digest_of(chunk), chunk);
		merger_.end_block();
		HintRecord &written = places_[id];
		written = own;
		if (end_ - own.offset <= most_span) {
			written.span = static_cast<std::uint32_t>(end_ - own.offset);
			written.hints = static_cast<std::uint32_t>(end_ - before);
		}
	}

	// --- chunk lists ------------------------------------------------------------------

	void write_list_node(const Node &node, const Digest &id)
	{
		for (std::size_t i = 0; i < node.size(); i++) {
			if (node.level() == 0) {
				add_chunk(node.chunk_id(i));
				continue;
			}
			const NodeRef child = node.child(i);
			if (taken_.insert(ItemKind::node, child.id))
				write_list_node(load_node(store_.nodes(), TreeKind::chunk_list, child, {}), child.id);
		}
		merger_.end_block();
		std::vector<HintRecord> places;
		for (std::size_t i = 0; i < node.size(); i++)
			take_place(node.level() == 0 ? node.chunk_id(i) : node.child(i).id, places);
		merger_.add(ItemKind::node, id, node.stored());
		write_span(id, std::move(places));
	}

	// Of a file; a short list waits for the leaf.
	void write_list(const Entry &entry, std::vector<Node> &waiting, std::vector<Digest> &named)
	{
		const Digest id = entry.file_root();
		named.push_back(id);
		const bool is_new = taken_.insert(ItemKind::node, id);
		Node node = load_root(store_.nodes(), TreeKind::chunk_list, content_root(entry));
		if (node.level() > 0 || node.size() > most_inline_chunks) {
			if (is_new)
				write_list_node(node, id);
			return;
		}
		for (std::size_t i = 0; i < node.size(); i++) {
			add_chunk(node.chunk_id(i));
			named.push_back(node.chunk_id(i));
		}
		// One that came with another leaf lies there.
		if (is_new)
			waiting.push_back(std::move(node));
	}

	// --- the manifest -----------------------------------------------------------------

	void write_manifest_node(const Node &node, const Digest &id, std::string_view before = {})
	{
		if (node.level() == 0)
			return write_leaf(node, id);
		std::vector<HintRecord> places;
		for (std::size_t i = 0; i < node.size(); i++) {
			const NodeRef child = node.child(i);
			if (taken_.insert(ItemKind::node, child.id))
				write_manifest_node(load_node(store_.nodes(), TreeKind::manifest, child, before), child.id, before);
			if (const auto place = manifest_places_.find(child.id); place != manifest_places_.end())
				places.push_back(place->second);
			before = node.path(i);
		}
		merger_.end_block();
		merger_.add(ItemKind::node, id, node.stored());
		write_span(id, std::move(places));
		remember(id);
	}

	void remember(const Digest &id)
	{
		if (manifest_places_.size() < most_manifest_places)
			manifest_places_[id] = places_.at(id);
	}

	void write_leaf(const Node &node, const Digest &id)
	{
		std::vector<Node> waiting;
		std::vector<Digest> named;
		for (std::size_t i = 0; i < node.size(); i++) {
			const Entry entry = node.entry(i);
			if (entry.form == ContentForm::chunk) {
				add_chunk(entry.content);
				named.push_back(entry.content);
			} else if (entry.form == ContentForm::file_root) {
				write_list(entry, waiting, named);
			}
		}
		merger_.end_block();
		std::vector<HintRecord> places;
		for (const Digest &one : named)
			take_place(one, places);
		merger_.add(ItemKind::node, id, node.stored());
		merger_.end_block();
		for (const Node &list : waiting) {
			const Digest list_id = list.compute_id();
			merger_.add(ItemKind::node, list_id, list.stored());
			with_node_.push_back(list_id);
		}
		write_span(id, std::move(places));
		remember(id);
	}

	// --- the section ------------------------------------------------------------------

	// Level by level, as long as there is room for all nodes of the level.
	Buffer section(std::uint64_t items)
	{
		HintsSection hints;
		hints.items = items;
		hints.bits = fanout_bits(items);
		std::vector<Digest> level;
		if (tree_.leaves != 0)
			level.push_back(tree_.id);
		std::size_t size = 0;
		while (!level.empty()) {
			for (const Digest &id : level)
				if (const auto place = manifest_places_.find(id); place != manifest_places_.end())
					hints.places.push_back(place->second);
			std::vector<Digest> below;
			std::vector<Buffer> nodes;
			for (const Digest &id : level) {
				const Node node = Node::parse(store_.read_item(ItemKind::node, id), TreeKind::manifest, &id, "node");
				if (node.level() == 0 || (size += node.stored().size()) > most_section_nodes)
					return hints.encoded();
				for (std::size_t i = 0; i < node.size(); i++)
					below.push_back(node.child(i).id);
				nodes.emplace_back(node.stored().begin(), node.stored().end());
			}
			std::move(nodes.begin(), nodes.end(), std::back_inserter(hints.nodes));
			level = std::move(below);
		}
		return hints.encoded();
	}

	Store &store_;
	Work &work_;
	std::uint64_t generation_;
	std::string directory_;
	TreeRoot tree_{Digest()};
	ItemSet taken_;
	std::map<Digest, HintRecord> places_, manifest_places_;
	std::vector<Digest> with_node_;
	std::optional<ItemPlace> last_chunk_;
	std::uint64_t end_ = 0; // of the last block
	LayerMerger merger_;
};

ExportResult export_full_layer(Store &store, const File &file, std::uint64_t generation, Work &work)
{
	work.begin_stage("export", {.bytes = store.manifest(generation).bytes.value_or(0)});
	return FullLayer(store, file, generation, work).write();
}

} // namespace dig
