// large-store DIRECTORY LAYERS FILES CHUNKS: a store that nobody has added to.  Each of the layers has so many
// new files of so many chunks.  The chunks have ids, places and sizes, but no bytes: their blocks are holes.
// For what looks at the structure of a store only, at sizes that could not be added.
#include <cstdio>
#include <cstdlib>

#include "libdig/format/record_sorter.h"
#include "libdig/format/section_writer.h"
#include "libdig/os/directory.h"
#include "libdig/os/publish.h"
#include "libdig/store/store.h"

using namespace dig;

constexpr std::size_t chunks_a_block = 64, nodes_a_block = 32;
constexpr std::uint32_t chunk_size = 4096;

// One layer, front to back.
class LayerFile {
public:
	LayerFile(const std::string &path, const std::string &scratch)
		: target_(path), table_(File::temporary_in(scratch)), items_(scratch, 16_MiB)
	{
		target_.file().write_at(raw_bytes(make_preamble(layer_magic)), 0);
	}

	void add_chunk(const Digest &id)
	{
		add_item(ItemKind::chunk, id, chunk_items_);
		if (++chunk_items_ == chunks_a_block)
			end_chunks();
	}
	void add_node(const Digest &id, Bytes stored)
	{
		nodes_.emplace_back(id, Buffer(stored.begin(), stored.end()));
		if (nodes_.size() == nodes_a_block)
			end_nodes();
	}

	void finish(const LayerHeader &header, const MerklePeaks &peaks)
	{
		if (chunk_items_ > 0)
			end_chunks();
		end_nodes();
		SectionWriter sections(target_.file(), offset_);
		sections.begin(Section::block_table);
		sections.write_from(table_, table_size_);
		sections.end();
		sections.write_chunk_index(items_);
		sections.write_section(Section::header, header.encoded());
		Buffer section;
		put_u8(section, static_cast<std::uint8_t>(peaks.peaks().size()));
		for (const Digest &peak : peaks.peaks())
			append(section, peak);
		sections.write_section(Section::peaks, section);
		sections.write_section(Section::texts, Buffer(8));
		sections.write_footer(false);
		target_.publish(PublishedFile::Durability::none);
	}

private:
	void add_item(ItemKind kind, const Digest &id, std::size_t number)
	{
		ChunkRecord item{};
		item.digest = id;
		item.block = blocks_;
		item.item = static_cast<std::uint16_t>(number);
		item.kind = static_cast<std::uint8_t>(kind);
		items_.put(item);
	}
	void end_block(ItemKind kind, const std::vector<std::uint32_t> &sizes, Bytes payload, std::uint64_t raw_size)
	{
		BlockRecord record{};
		record.offset = offset_;
		record.raw_size = static_cast<std::uint32_t>(raw_size);
		record.items = static_cast<std::uint16_t>(sizes.size());
		record.kind = static_cast<std::uint8_t>(kind);
		if (!payload.empty()) {
			const Buffer prefix = block_prefix(Codec::none, kind, sizes, payload);
			target_.file().write_at(prefix, offset_);
			target_.file().write_at(payload, offset_ + prefix.size());
		}
		const std::size_t prefix_size = sizeof(BlockHeader) + (sizes.size() > 1 ? 4 * sizes.size() : 0);
		record.length = static_cast<std::uint32_t>(prefix_size + raw_size);
		offset_ += record.length;
		table_.write_at(raw_bytes(record), table_size_);
		table_size_ += sizeof record;
		blocks_++;
	}
	void end_chunks()
	{
		end_block(ItemKind::chunk, std::vector<std::uint32_t>(chunk_items_, chunk_size), {}, chunk_items_ * chunk_size);
		chunk_items_ = 0;
		end_nodes();
	}
	// Nodes have blocks of their own, between those of chunks.
	void end_nodes()
	{
		if (nodes_.empty() || chunk_items_ > 0)
			return;
		Buffer payload;
		std::vector<std::uint32_t> sizes;
		for (std::size_t i = 0; i < nodes_.size(); i++) {
			add_item(ItemKind::node, nodes_[i].first, i);
			append(payload, nodes_[i].second);
			sizes.push_back(static_cast<std::uint32_t>(nodes_[i].second.size()));
		}
		end_block(ItemKind::node, sizes, payload, payload.size());
		nodes_.clear();
	}

	PublishedFile target_;
	File table_;
	std::uint64_t table_size_ = 0, offset_ = sizeof(Preamble);
	std::uint32_t blocks_ = 0;
	std::size_t chunk_items_ = 0;
	std::vector<std::pair<Digest, Buffer>> nodes_;
	RecordSorter<ChunkRecord> items_;
};

// Spread evenly, as digests are.
static Digest next_id()
{
	static std::uint64_t state = 1;
	Digest id;
	for (std::size_t i = 0; i < 4; i++) {
		std::uint64_t z = state += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		z ^= z >> 31;
		std::memcpy(id.bytes.data() + 8 * i, &z, 8);
	}
	return id;
}

static void make_layer(Store &store, std::size_t files, std::size_t chunks)
{
	const std::uint64_t generation = store.roots().size() + 1;
	LayerFile layer(store.paths().layers() + "/next", store.paths().tmp());
	const NodeSink sink = [&](const Digest &id, Bytes stored) { layer.add_node(id, stored); };
	std::vector<ManifestChange> changes;
	for (std::size_t i = 0; i < files; i++) {
		TreeBuilder list(TreeKind::chunk_list, sink);
		for (std::size_t k = 0; k < chunks; k++) {
			const Digest id = next_id();
			layer.add_chunk(id);
			list.append_chunks(id, chunk_size, 1);
		}
		char name[40];
		std::snprintf(name, sizeof name, "f%05zu-%llu", i, static_cast<unsigned long long>(generation));
		Entry entry;
		entry.path = name;
		entry.mode = 0644;
		entry.size = chunks * chunk_size;
		entry.form = ContentForm::file_root;
		entry.content = list.finish().id;
		changes.push_back({entry.path, entry});
	}
	auto at = changes.begin();
	const NodeRef manifest = update_manifest(store.head_tree(), store.nodes(), [&]() -> std::optional<ManifestChange> {
		return at == changes.end() ? std::nullopt : std::optional(*at++);
	}, sink);
	LayerHeader header;
	header.store_id = store.id();
	header.generation = generation;
	header.parent_root = store.roots().tip_root();
	header.manifest_root = manifest.id;
	header.time_s = 1700000000 + static_cast<std::int64_t>(generation);
	header.chunking = store.chunking().digest();
	header.texts = texts_digest("", "");
	header.entries = manifest.leaves;
	header.bytes = manifest.bytes;
	layer.finish(header, store.peaks());
	rename_file(store.paths().layers() + "/next", store.paths().layer(header.id()));
	RootHistory longer = store.roots();
	longer.append(header.id(), store.peaks());
	publish_file(store.paths().roots(), longer.encoded());
	store.reload();
	ChunkIndex::update(store.paths().chunk_index(), store.roots(), *store.layer_table(),
		[&](std::uint64_t number) { return store.layer(number); });
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 129;
	NewStore parameters;
	parameters.work_tree = argv[1];
	Store store(create_store(parameters));
	for (int i = 0; i < std::atoi(argv[2]); i++)
		make_layer(store, static_cast<std::size_t>(std::atol(argv[3])), static_cast<std::size_t>(std::atol(argv[4])));
}
