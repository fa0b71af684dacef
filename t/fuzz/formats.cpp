// Targets for what is stored for good: layers, nodes, runs of the chunk index, roots.
#include <cstring>

#include "libdig/format/chunk_run.h"
#include "libdig/format/layer_reader.h"
#include "libdig/format/node_memo.h"
#include "libdig/format/root_history.h"
#include "libdig/format/search_tree.h"
#include "libdig/store/changed_paths.h"
#include "libdig/store/tags.h"
#include "libdig/watch/metrics.h"
#include "t/fuzz/fuzz.h"

namespace dig {

// --- layer --------------------------------------------------------------------------------------

static void run_layer(Bytes input)
{
	const File file = file_of(input);
	const Layer layer(path_of(file));
	layer.root();
	const RunRecords records = layer.records(1);
	std::uint64_t count = 0;
	for (std::optional<RunRecord> record = records(); record; record = records())
		count++;
	require(count == layer.item_count(), "there are as many records as the layer says");
	layer.check_structure();
	Work work;
	layer.check_blocks(1, 32_MiB, [](std::uint32_t, std::span<const ChunkRecord>, const std::string &) {}, [](std::uint64_t) {},
		work);
}

static void repair_block(Buffer &bytes, std::uint64_t at)
{
	if (at > bytes.size() || bytes.size() - at < sizeof(BlockHeader))
		return;
	BlockHeader header;
	std::memcpy(&header, bytes.data() + at, sizeof header);
	const std::size_t sizes = header.items > 1 ? 4 * std::size_t(header.items) : 0;
	const std::size_t payload = at + sizeof header + sizes;
	if (payload > bytes.size() || header.stored_size > bytes.size() - payload)
		return;
	if (header.codec != 0)
		repair_checksum(bytes, payload, payload + header.stored_size, at + 16);
	// Of the header before it, and of the sizes behind it.
	std::uint32_t checksum = crc32_of(Bytes(bytes).subspan(at, 20));
	checksum = crc32_of(Bytes(bytes).subspan(at + sizeof header, sizes), checksum);
	std::memcpy(bytes.data() + at + 20, &checksum, 4);
}

static void repair_layer(Buffer &bytes)
{
	repair_preamble(bytes);
	if (bytes.size() < sizeof(Footer))
		return;
	const std::size_t footer = bytes.size() - sizeof(Footer);
	const std::uint64_t table = number_at(bytes, footer, 8), sections = number_at(bytes, footer + 8, 4);
	for (std::uint64_t i = 0; i < std::min<std::uint64_t>(sections, 8); i++) {
		const std::uint64_t record = table + i * sizeof(SectionRecord);
		const std::uint64_t offset = number_at(bytes, record + 8, 8), size = number_at(bytes, record + 16, 8);
		if (offset > bytes.size() || size > bytes.size() - offset)
			continue;
		if (number_at(bytes, record, 2) == static_cast<std::uint64_t>(Section::block_table))
			for (std::uint64_t at = 0; at + sizeof(BlockRecord) <= size; at += sizeof(BlockRecord))
				repair_block(bytes, number_at(bytes, offset + at, 8));
		repair_checksum(bytes, offset, offset + size, record + 4);
	}
	repair_checksum(bytes, table, footer, footer + 56);
	repair_checksum(bytes, footer, footer + 76, footer + 76);
}

// --- node and tree ------------------------------------------------------------------------------

static Entry entry_of(int number)
{
	Entry entry;
	entry.path = "directory/" + std::string(static_cast<std::size_t>(number % 7), 'x') + std::to_string(100000 + number);
	entry.mode = 0644;
	entry.size = static_cast<std::uint64_t>(number);
	if (number > 0) {
		entry.form = number % 2 ? ContentForm::chunk : ContentForm::file_root;
		entry.content = digest_of(raw_bytes(le64(static_cast<std::uint64_t>(number))));
	}
	if (number % 3 == 0)
		entry.mtime_ns = number;
	if (number % 5 == 0)
		entry.add_attribute(changed_while_read_attribute, {});
	return entry;
}

static std::vector<Buffer> node_seeds()
{
	std::vector<Buffer> seeds;
	const NodeSink keep = [&](const Digest &, Bytes stored) { seeds.emplace_back(stored.begin(), stored.end()); };
	TreeBuilder manifest(TreeKind::manifest, keep), chunks(TreeKind::chunk_list, keep), small(TreeKind::chunk_list, keep);
	for (int i = 0; i < 300; i++) {
		manifest.append_entry(entry_of(i * 1000));
		chunks.append_chunk(digest_of(raw_bytes(le64(static_cast<std::uint64_t>(i)))), 65536);
	}
	small.append_chunk(Digest(), 1);
	manifest.finish();
	chunks.finish();
	small.finish();
	TreeBuilder(TreeKind::manifest, keep).finish();
	return seeds;
}

static void walk(const Node &node, const Buffer &stored)
{
	const Digest id = node.compute_id();
	const NodeSource source = [&](const Digest &wanted) -> Buffer {
		if (wanted == id)
			return stored;
		throw CorruptError("no such node");
	};
	TreeCursor at(node.kind(), TreeRoot(id, {}, node.bytes()), source);
	std::uint64_t bytes = 0;
	for (at.settle(); !at.at_end(); at.settle()) {
		require(at.offset() == bytes, "offsets add up");
		bytes += node.kind() == TreeKind::manifest ? at.entry().size : at.chunk_size();
		at.skip();
	}
	require(bytes == at.total_bytes(), "bytes add up");
}

static bool is_taken(const Buffer &stored, TreeKind kind, const Digest *id, NodeMemo &memo)
{
	try {
		Node::parse(stored, kind, id, "node", &memo);
		return true;
	} catch (const Error &) {
		return false;
	}
}

static void run_node(Bytes input)
{
	static NodeMemo memo; // of the inputs before
	const Buffer stored(input.begin(), input.end());
	for (const TreeKind kind : {TreeKind::chunk_list, TreeKind::manifest}) {
		std::optional<Digest> id;
		try {
			const Node node = Node::parse(stored, kind, nullptr, "node");
			id = node.compute_id();
			for (std::size_t i = 0; i < node.size(); i++) {
				if (node.level() > 0)
					node.child(i);
				else if (kind == TreeKind::manifest)
					require(node.entry(i).path == node.path(i), "an entry has its path");
				else
					node.chunk_id(i);
			}
			walk(node, stored);
		} catch (const Error &) {
			// Refused as one kind; it may be of the other.
		}
		require(is_taken(stored, kind, id ? &*id : nullptr, memo) == id.has_value(), "a memo changes no verdict");
	}
}

static std::vector<Buffer> tree_seeds()
{
	std::vector<Buffer> seeds;
	TreeBuilder tree(TreeKind::chunk_list, [](const Digest &, Bytes) {});
	for (std::uint64_t i = 0; i < 5000; i++) {
		if (i % 1250 == 0 || i == 10)
			seeds.push_back(tree.checkpoint());
		tree.append_chunk(digest_of(raw_bytes(le64(i))), 65536);
	}
	return seeds;
}

static void run_tree(Bytes input)
{
	const NodeSink none = [](const Digest &, Bytes) {};
	TreeBuilder tree = TreeBuilder::resume(input, "checkpoint", none);
	const Buffer again = tree.checkpoint();
	require(std::equal(again.begin(), again.end(), input.begin(), input.end()), "a checkpoint is what was resumed");
	tree.each_waiting([](int, const Digest &) {});
	for (std::uint64_t i = 0; i < 1000; i++)
		tree.append_chunk(digest_of(raw_bytes(le64(i))), 65536);
	tree.append_chunks(Digest(), 65536, 100000);
	// Nodes of before are nowhere here.
	tree.finish([](const Digest &) -> Buffer { throw CorruptError("no such node"); });
}

static std::vector<Buffer> entry_seeds()
{
	std::vector<Buffer> seeds(8);
	for (int i = 0; i < 8; i++)
		entry_of(i).encode(seeds[static_cast<std::size_t>(i)]);
	return seeds;
}

static void run_entry(Bytes input)
{
	Cursor cursor(input, "entry");
	while (!cursor.at_end()) {
		const std::size_t left = cursor.left();
		const Entry entry = Entry::decode(cursor);
		Buffer encoded;
		entry.encode(encoded);
		const Bytes taken = input.subspan(input.size() - left, left - cursor.left());
		require(std::equal(encoded.begin(), encoded.end(), taken.begin(), taken.end()), "an entry has one encoding");
		require(path_of_encoded_entry(taken) == entry.path, "the path is found");
		entry.file_root();
		entry.file_digest();
		entry.has_attribute(changed_while_read_attribute);
	}
}

// --- chunk run, roots ---------------------------------------------------------------------------

static void run_chunk_run(Bytes input)
{
	for (const std::size_t cached_size : {std::size_t(0), std::size_t(2_MiB)}) {
		ChunkRun run(file_of(input), cached_size);
		run.find(ItemKind::node, digest_of(input));
		const RunRecords records = run.records();
		if (const std::optional<RunRecord> first = records())
			run.find(static_cast<ItemKind>(first->kind), first->digest);
		run.check();
	}
}

static void repair_chunk_run(Buffer &bytes)
{
	repair_preamble(bytes);
	for (std::size_t page = 0; page + 4096 <= bytes.size(); page += 4096)
		repair_checksum(bytes, page, page + 4092, page + 4092);
}

static void run_roots(Bytes input)
{
	const RootHistory roots = RootHistory::decode(Buffer(input.begin(), input.end()), "roots");
	std::vector<RootHistory::Record> records;
	for (std::uint64_t i = 1; i <= roots.size(); i++)
		records.push_back(roots.at(i));
	const RootHistory again = RootHistory::decode(RootHistory::of(records).encoded(), "again");
	require(again.size() == roots.size() && again.tip_root() == roots.tip_root(), "what is written is read");
	roots.unique_digits();
	roots.find_layer(roots.size() > 0 ? roots.at(roots.size()).layer_id : Digest());
	roots.peaks();
}

static std::vector<Buffer> layer_table_seeds()
{
	LayerTable table;
	table.merge({{3, 5}, digest_of(bytes_of("one"))});
	table.merge({{8, 9}, digest_of(bytes_of("two"))});
	for (const std::uint64_t generation : {1, 2, 4})
		table.drop(generation);
	return {LayerTable().encoded(), table.encoded()};
}

static void run_layer_table(Bytes input)
{
	LayerTable table = LayerTable::decode(input, "table");
	require(LayerTable::decode(table.encoded(), "again") == table, "what is written is read");
	const std::uint64_t generation = table.merged().empty() ? 1 : table.merged().back().range.first;
	require(table.home(generation) >= generation, "a home is the last generation of a file");
	table.source_of(Digest(), {1, generation});
	table.drop(generation);
	require(table.is_dropped(generation), "what is dropped is dropped");
}

static std::vector<Buffer> tag_seeds()
{
	const Tag plain{3, digest_of(bytes_of("root")), false, {}};
	Tag locked = plain;
	locked.has_lock = true;
	Tag until = locked;
	until.locked_until_s = 1700000000;
	return {plain.encoded(), locked.encoded(), until.encoded()};
}

static void run_tag(Bytes input)
{
	const Tag tag = Tag::decode(input, "tag");
	require(Tag::decode(tag.encoded(), "again") == tag, "what is written is read");
	require(tag.has_lock || !tag.is_locked(0), "what has no lock is not locked");
}

static std::vector<Buffer> changed_paths_seeds()
{
	const Digest before = digest_of(bytes_of("before")), after = digest_of(bytes_of("after"));
	return {ChangedPaths::encode(before, after, {}), ChangedPaths::encode(before, after, {"a", "a-b", "a/b", "d/e/f"})};
}

static void run_changed_paths(Bytes input)
{
	const ChangedPaths changed = ChangedPaths::decode(input, "record");
	require(changed.has("") == changed.has_paths(), "an empty path stands for everything");
	changed.has("a");
	if (changed.has("a/b"))
		require(changed.has("a"), "what is below a path belongs to it");
}

static std::vector<Buffer> none() { return {}; }

const std::vector<FuzzTarget> format_targets = {
	{"layer", layer_magic, none, run_layer, repair_layer},
	{"node", "", node_seeds, run_node, nullptr},
	{"tree", "", tree_seeds, run_tree, nullptr},
	{"entry", "", entry_seeds, run_entry, nullptr},
	{"chunk-run", run_magic, none, run_chunk_run, repair_chunk_run},
	{"roots", roots_magic, none, run_roots, repair_sealed},
	{"layer-table", layer_table_magic, layer_table_seeds, run_layer_table, repair_sealed},
	{"changed-paths", "", changed_paths_seeds, run_changed_paths, nullptr},
	{"tag", "DIGTAG01", tag_seeds, run_tag, repair_sealed},
};

} // namespace dig
