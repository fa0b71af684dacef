// Reading.  Every number comes from a stranger: what it says is compared with something that a hash covers, or
// bounds nothing but the bytes that are there.
#include "libdig/proof/inner_proof.h"

#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/proof/proof_bytes.h"

namespace dig {

constexpr std::string_view proof_name = "a proof";
constexpr std::size_t most_header = 65535;

Digest ShownNode::id() const
{
	std::size_t at = 0;
	const auto next = [&] { return leaf_hash(shown[at++]); };
	return node_id(kind,
		{level, items, leaves, bytes,
			root_of_path(items, first, first + shown.size(), next, path)});
}

std::uint64_t take_varint(Cursor &cursor)
{
	std::uint64_t value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		const std::uint8_t byte = cursor.u8();
		if (shift == 63 && byte > 1)
			break;
		value |= std::uint64_t(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			// One form for each number.
			if (byte == 0 && shift > 0)
				break;
			return value;
		}
	}
	cursor.fail("a number is none");
}

namespace {

// The item of a node above level 0 of a manifest.
struct ManifestItem {
	Digest id;
	std::uint64_t leaves = 1, bytes = 0;
	std::string path;
	std::optional<Entry> entry; // level 0
	Buffer encoded;
};

class ProofReader {
public:
	explicit ProofReader(Bytes proof) : all_(proof), cursor_(proof, proof_name) {}

	InnerProof read();

private:
	[[noreturn]] static void refuse(const char *what)
	{
		throw UnprovedError(std::string("the proof does not hold: ") + what);
	}
	static void demand(bool holds, const char *what)
	{
		if (!holds)
			refuse(what);
	}

	std::size_t position() const { return all_.size() - cursor_.left(); }
	std::uint32_t take_count(std::uint32_t most)
	{
		const std::uint64_t count = take_varint(cursor_);
		demand(count <= most, "a count is out of bounds");
		return static_cast<std::uint32_t>(count);
	}
	int take_level()
	{
		const std::uint8_t level = cursor_.u8();
		demand(level <= max_tree_level, "a tree is too high");
		return level;
	}
	std::string take_path();
	ManifestItem take_manifest_item(int level);
	void take_hashes(ShownNode &node);
	std::optional<Entry> search(const LayerHeader &header, std::string_view wanted);
	void read_range(InnerProof &proof);
	void read_chunks(InnerProof &proof, const Digest &id, ShownNode node, std::uint64_t at);
	void take_extent(InnerProof &proof);

	Bytes all_;
	Cursor cursor_;
};

} // namespace

std::string ProofReader::take_path()
{
	const std::uint64_t length = take_varint(cursor_);
	demand(length <= max_path_size, "a path is too long");
	const std::string path(text_of(cursor_.take(length)));
	demand(path_problem(path).empty(), "a path is none");
	return path;
}

ManifestItem ProofReader::take_manifest_item(int level)
{
	ManifestItem item;
	const std::size_t begin = position();
	if (level == 0) {
		item.entry = Entry::decode(cursor_);
		item.bytes = item.entry->size;
		item.path = item.entry->path;
	} else {
		item.bytes = cursor_.u64();
		item.leaves = cursor_.u64();
		item.id = cursor_.digest();
		item.path = text_of(cursor_.take(cursor_.u16()));
		demand(item.leaves > 0, "a node has nothing below it");
	}
	const Bytes encoded = all_.subspan(begin, position() - begin);
	item.encoded.assign(encoded.begin(), encoded.end());
	return item;
}

void ProofReader::take_hashes(ShownNode &node)
{
	node.path.resize(merkle_path_length(node.items, node.first, node.first + node.shown.size()));
	for (Digest &hash : node.path)
		hash = cursor_.digest();
}

// The first entry that is at the path or behind it; nothing if all are before it.
std::optional<Entry> ProofReader::search(const LayerHeader &header, std::string_view wanted)
{
	if (header.entries == 0) {
		demand(header.manifest_root == empty_root(TreeKind::manifest), "the manifest is not empty");
		return {};
	}
	ShownNode node{TreeKind::manifest, take_level(), 0, header.entries, header.bytes, 0, {}, {}};
	Digest id = header.manifest_root;
	std::string before;
	std::optional<std::string> last;
	for (;; node.level--) {
		node.items = take_count(max_node_items);
		const std::uint32_t target = take_count(node.items);
		demand(
			node.items > 0 && (target < node.items || !last), "a node lacks what its parent says");
		demand(node.level > 0 || node.leaves == node.items, "a node has another number of items");
		node.first = target == 0 ? 0 : target - 1;
		node.shown.clear();
		std::uint64_t bytes = 0, leaves = 0;
		std::optional<ManifestItem> found;
		for (std::uint32_t i = node.first; i <= target && i < node.items; i++) {
			ManifestItem item = take_manifest_item(node.level);
			demand(item.path > before, "paths are out of order");
			demand(i < target ? item.path < wanted : item.path >= wanted,
				"a path is not where it must be");
			demand(i + 1 < node.items || !last || item.path == *last,
				"the last path of a node is another one");
			demand(!last || item.path <= *last, "paths are out of order");
			demand(!__builtin_add_overflow(bytes, item.bytes, &bytes) && bytes <= node.bytes,
				"sizes do not add up");
			demand(!__builtin_add_overflow(leaves, item.leaves, &leaves) && leaves <= node.leaves,
				"counts do not add up");
			node.shown.push_back(std::move(item.encoded));
			if (i < target)
				before = item.path;
			else
				found = std::move(item);
		}
		demand(node.shown.size() < node.items || (bytes == node.bytes && leaves == node.leaves),
			"sums do not add up");
		take_hashes(node);
		demand(node.id() == id, "a node of the manifest has another id");
		if (!found || node.level == 0)
			return found ? std::move(found->entry) : std::nullopt;
		id = found->id;
		node.leaves = found->leaves;
		node.bytes = found->bytes;
		last = std::move(found->path);
	}
}

void ProofReader::take_extent(InnerProof &proof)
{
	proof.begin = take_varint(cursor_);
	proof.size = take_varint(cursor_);
	const std::uint64_t size = proof.entry->size;
	demand(proof.size > 0 && proof.begin <= size && proof.size <= size - proof.begin,
		"the range is not in the file");
}

void ProofReader::read_range(InnerProof &proof)
{
	take_extent(proof);
	const Entry &entry = *proof.entry;
	if (entry.form == ContentForm::chunk) {
		proof.chunks.push_back({entry.content, entry.size});
		proof.data_size = entry.size;
		return;
	}
	ShownNode root{
		TreeKind::chunk_list, take_level(), 0, take_varint(cursor_), entry.size, 0, {}, {}};
	read_chunks(proof, entry.content, std::move(root), 0);
}

// A node whose content begins at this offset, and what is below it, as far as the range is there.
void ProofReader::read_chunks(InnerProof &proof, const Digest &id, ShownNode node, std::uint64_t at)
{
	struct Child {
		Digest id;
		std::uint64_t leaves, bytes, at;
	};
	const std::uint64_t begin = proof.begin, end = proof.begin + proof.size,
						node_end = at + node.bytes;
	node.items = take_count(max_node_items);
	const std::uint32_t count = take_count(node.items);
	demand(count > 0, "a node shows nothing");
	demand(node.level > 0 || node.leaves == node.items, "a node has another number of items");
	std::vector<Child> children;
	std::uint64_t leaves = 0;
	for (std::uint32_t i = 0; i < count; i++) {
		demand(at < end, "a node shows more than the range needs");
		Child child{{}, 1, take_varint(cursor_), at};
		if (node.level > 0)
			child.leaves = take_varint(cursor_);
		child.id = cursor_.digest();
		// Each item that is not shown has a byte at the least.
		demand(child.bytes > 0 && child.bytes <= node_end - at && child.leaves > 0 &&
				child.leaves <= node.leaves - leaves &&
				(node.level > 0 || child.bytes <= max_chunk_size),
			"sizes do not add up");
		Buffer &encoded = node.shown.emplace_back();
		put_u64(encoded, child.bytes);
		if (node.level > 0)
			put_u64(encoded, child.leaves);
		append(encoded, child.id);
		at += child.bytes;
		leaves += child.leaves;
		if (at > begin)
			children.push_back(child);
	}
	const std::uint32_t hidden = node.items - count;
	demand(hidden > 0 ? node_end - at >= hidden && node.leaves - leaves >= hidden && at >= end
					  : at == node_end && leaves == node.leaves,
		"sizes do not add up");
	take_hashes(node);
	demand(node.id() == id, "a node of the chunk list has another id");
	for (const Child &child : children) {
		if (node.level > 0) {
			read_chunks(proof, child.id,
				{TreeKind::chunk_list, node.level - 1, 0, child.leaves, child.bytes, 0, {}, {}},
				child.at);
			continue;
		}
		if (proof.chunks.empty())
			proof.data_begin = child.at;
		proof.chunks.push_back({child.id, child.bytes});
		proof.data_size += child.bytes;
	}
}

InnerProof ProofReader::read()
{
	InnerProof proof;
	demand(cursor_.u8() == proof_version, "it is of a version that this dig does not know");
	const std::uint8_t kind = cursor_.u8();
	demand(kind >= 1 && kind <= 5, "it is of a kind that this dig does not know");
	proof.kind = static_cast<ProofKind>(kind);
	const std::uint64_t header_size = take_varint(cursor_);
	demand(header_size <= most_header, "the layer header is too long");
	const Bytes header = cursor_.take(header_size);
	proof.header = LayerHeader::decode(header, proof_name);
	// What is compared is the id of what is read.
	demand(std::ranges::equal(proof.header.encoded(), header), "the layer header has another form");
	if (proof.kind == ProofKind::state) {
		cursor_.expect_end();
		return proof;
	}
	proof.path = take_path();
	std::optional<Entry> found = search(proof.header, proof.path);
	if (proof.kind == ProofKind::absence) {
		demand(!found || found->path != proof.path, "the path is there");
		const std::string below = proof.path + '/';
		found = search(proof.header, below);
		demand(!found || found->path.compare(0, below.size(), below) != 0,
			"the path is a directory that is there");
		cursor_.expect_end();
		return proof;
	}
	demand(found && found->path == proof.path, "the path is not there");
	proof.entry = std::move(found);
	switch (proof.kind) {
	case ProofKind::file:
		proof.chunking =
			ChunkingParameters::decode(cursor_.take(encoded_parameters_size), proof_name);
		demand(proof.chunking.digest() == proof.header.chunking, "content was cut in another way");
		proof.size = proof.data_size = proof.entry->size;
		break;
	case ProofKind::range: read_range(proof); break;
	default: {
		demand(proof.entry->block_tree().has_value(), "the file has no block tree");
		take_extent(proof);
		const BlockExtent blocks = blocks_of(proof.entry->size, proof.begin, proof.size);
		proof.data_begin = blocks.data_begin();
		proof.data_size = blocks.data_end(proof.entry->size) - proof.data_begin;
		proof.block_path.resize(merkle_path_length(blocks.count, blocks.first, blocks.last));
		for (Digest &hash : proof.block_path)
			hash = cursor_.digest();
	}
	}
	cursor_.expect_end();
	return proof;
}

InnerProof check_inner_proof(Bytes proof)
{
	if (proof.size() > max_inner_proof)
		throw UnprovedError("the proof is too large");
	try {
		return ProofReader(proof).read();
	} catch (const UnprovedError &) {
		throw;
	} catch (const Error &error) {
		throw UnprovedError(std::string("the proof does not hold: ") + error.what());
	}
}

} // namespace dig
