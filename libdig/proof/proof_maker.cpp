// Making.  It reads the nodes that it shows and no others.
#include <algorithm>

#include "libdig/proof/inner_proof.h"
#include "libdig/proof/proof_bytes.h"

namespace dig {

static Buffer begun(ProofKind kind, const LayerHeader &header)
{
	Buffer out;
	put_u8(out, proof_version);
	put_u8(out, static_cast<std::uint8_t>(kind));
	const Buffer encoded = header.encoded();
	put_varint(out, encoded.size());
	append(out, encoded);
	return out;
}

static void put_path(Buffer &out, std::string_view path)
{
	put_varint(out, path.size());
	append(out, bytes_of(path));
}

static std::vector<Digest> leaves_of(const Node &node)
{
	std::vector<Digest> leaves(node.size());
	for (std::size_t i = 0; i < leaves.size(); i++)
		leaves[i] = leaf_hash(node.item(i));
	return leaves;
}

static void put_hashes(
	Buffer &out, std::span<const Digest> leaves, std::uint64_t first, std::uint64_t last)
{
	for (const Digest &hash : merkle_path(leaves.size(), first, last, subtrees_of(leaves)))
		append(out, hash);
}

// The first item whose last path is not before this one.
static std::size_t find_target(const Node &node, std::string_view wanted)
{
	std::size_t target = 0;
	for (std::size_t size = node.size(); size > 0;) {
		const std::size_t half = size / 2;
		if (node.path(target + half) < wanted) {
			target += half + 1;
			size -= half + 1;
		} else {
			size = half;
		}
	}
	return target;
}

// Appends the nodes on the way to the path.  Returns the first entry that is there or behind it.
static std::optional<Entry> put_search(Buffer &out, ProofSource &source, std::string_view wanted)
{
	const LayerHeader &header = source.header;
	if (header.entries == 0)
		return {};
	std::vector<ProofSource::WayNode> &way = source.way;
	const auto step = [&](std::size_t depth, const Digest &id, const auto &load) {
		if (depth < way.size() && way[depth].id == id)
			return;
		way.resize(std::min(depth, way.size()));
		Node node = load();
		std::vector<Digest> leaves = leaves_of(node);
		way.push_back({id, std::move(node), std::move(leaves)});
	};
	step(0, header.manifest_root, [&] {
		const TreeRoot root(header.manifest_root, header.entries, header.bytes);
		return load_root(source.nodes, TreeKind::manifest, root);
	});
	put_u8(out, static_cast<std::uint8_t>(way[0].node.level()));
	std::string before;
	for (std::size_t depth = 0;; depth++) {
		const Node &node = way[depth].node;
		const std::size_t target = find_target(node, wanted);
		put_varint(out, node.size());
		put_varint(out, target);
		const std::size_t first = target == 0 ? 0 : target - 1;
		const std::size_t last = std::min(target + 1, node.size());
		for (std::size_t i = first; i < last; i++)
			append(out, node.item(i));
		put_hashes(out, way[depth].leaves, first, last);
		if (target == node.size())
			return {};
		if (node.level() == 0)
			return node.entry(target);
		if (target > 0)
			before = node.path(target - 1);
		const NodeRef child = node.child(target);
		step(depth + 1, child.id,
			[&] { return load_node(source.nodes, TreeKind::manifest, child, before); });
	}
}

static Entry put_entry(Buffer &out, ProofSource &source, std::string_view path)
{
	put_path(out, path);
	std::optional<Entry> entry = put_search(out, source, path);
	if (!entry || entry->path != path)
		throw NegativeAnswer(quote(path) + " is not in this state");
	return *std::move(entry);
}

static void put_chunks(Buffer &out, const ProofSource &source, const Node &node, std::uint64_t at,
	std::uint64_t begin, std::uint64_t end)
{
	std::vector<std::pair<NodeRef, std::uint64_t>> children;
	Buffer items;
	std::size_t count = 0;
	for (; count < node.size() && at < end; count++) {
		NodeRef child;
		if (node.level() > 0) {
			child = node.child(count);
		} else {
			child.id = node.chunk_id(count);
			child.bytes = node.chunk_size(count);
		}
		put_varint(items, child.bytes);
		if (node.level() > 0)
			put_varint(items, child.leaves);
		append(items, child.id);
		if (at + child.bytes > begin && node.level() > 0)
			children.emplace_back(child, at);
		at += child.bytes;
	}
	put_varint(out, node.size());
	put_varint(out, count);
	append(out, items);
	put_hashes(out, leaves_of(node), 0, count);
	for (const auto &[child, child_at] : children)
		put_chunks(out, source, load_node(source.nodes, TreeKind::chunk_list, child, ""), child_at,
			begin, end);
}

Buffer prove_state(const LayerHeader &header) { return begun(ProofKind::state, header); }

Buffer prove_file(
	ProofSource &source, std::string_view path, const ChunkingParameters &chunking, Entry &entry)
{
	Buffer out = begun(ProofKind::file, source.header);
	entry = put_entry(out, source, path);
	append(out, chunking.encoded());
	return out;
}

Buffer prove_range(
	ProofSource &source, std::string_view path, std::uint64_t begin, std::uint64_t size)
{
	Buffer out = begun(ProofKind::range, source.header);
	const Entry entry = put_entry(out, source, path);
	put_varint(out, begin);
	put_varint(out, size);
	if (entry.form == ContentForm::file_root) {
		const Node root = load_root(source.nodes, TreeKind::chunk_list, content_root(entry));
		put_u8(out, static_cast<std::uint8_t>(root.level()));
		put_varint(out, root.leaves());
		put_chunks(out, source, root, 0, begin, begin + size);
	}
	return out;
}

Buffer prove_blocks(ProofSource &source, std::string_view path, std::uint64_t begin,
	std::uint64_t size, const SubtreeHash &subtree)
{
	Buffer out = begun(ProofKind::blocks, source.header);
	const Entry entry = put_entry(out, source, path);
	put_varint(out, begin);
	put_varint(out, size);
	const BlockExtent blocks = blocks_of(entry.size, begin, size);
	for (const Digest &hash : merkle_path(blocks.count, blocks.first, blocks.last, subtree))
		append(out, hash);
	return out;
}

Buffer prove_absence(ProofSource &source, std::string_view path)
{
	Buffer out = begun(ProofKind::absence, source.header);
	put_path(out, path);
	const std::string below = std::string(path) + '/';
	const std::optional<Entry> at = put_search(out, source, path),
							   inside = put_search(out, source, below);
	if ((at && at->path == path) || (inside && inside->path.compare(0, below.size(), below) == 0))
		throw NegativeAnswer(quote(path) + " is in this state");
	return out;
}

} // namespace dig
