// Nodes are counted in MiBs here: node i of level k has the MiBs from i * 2^k on, as many as 2^k or as the file
// has.  It is complete if all of them are there and whole; the table has those.  Any other one is at the right
// edge, and follows from the complete ones to the left of the end.
//
// To follow a node means to join it with its neighbours, level by level, until the root is there.  If that is
// the root of the entry, the node and all neighbours on the way are what they should be, and they are
// remembered: so the nodes of one proof are followed once.
#include "libdig/store/block_roots.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "libdig/base/zeros.h"
#include "libdig/chunking/merkle.h"
#include "libdig/format/layer_format.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/os/lock.h"
#include "libdig/os/publish.h"
#include "libdig/store/read_pipeline.h"

namespace dig {

constexpr std::uint64_t mib_blocks = 64;
constexpr int mib_level = 6;
static_assert(mib_blocks == std::uint64_t{1} << mib_level && mib_blocks * block_tree_block == 1_MiB);
constexpr std::string_view table_magic = "DIGBLOCK";
constexpr std::string_view table_prefix = "blocks-";
constexpr std::uint64_t table_head = sizeof(Preamble) + 8 + sizeof(Digest);
// The pass over less takes some 50 ms.
constexpr std::uint64_t least_kept = 64_MiB;
// Of all tables, on disk: those of 4 TiB.  The oldest go first, and the newest stays.
constexpr std::uint64_t most_kept = 256_MiB;
constexpr std::size_t most_followed = 4096;

// --- one pass over the content ----------------------------------------------------------------

BlockTree tree_of_blocks(Store &store, const Entry &entry, Work &work, BlockTree::Completed completed)
{
	BlockTree tree;
	tree.tell(std::move(completed));
	ReadPipeline pipeline(store, work);
	const auto read_to = [&](std::uint64_t end) {
		if (end > tree.size())
			pipeline.read(entry, {tree.size(), end - tree.size()}, [&](Bytes bytes) { tree.append(bytes); });
	};
	ChunkSequence chunks(store, entry, {0, entry.size});
	while (const std::optional<ContentChunk> chunk = chunks.next()) {
		const std::uint64_t count = 1 + chunks.pass_repeats(*chunk);
		// Chunks that come once have too many sizes for a look at the digest of as many zeros.
		if (count == 1 || chunk->size > most_zeros || chunk->id != zero_digest(chunk->size))
			continue;
		read_to(chunk->offset);
		tree.append_zeros(count * chunk->size);
	}
	read_to(entry.size);
	tree.tell(nullptr);
	return tree;
}

// --- the table --------------------------------------------------------------------------------

class BlockRoots::Table {
public:
	Table(std::uint64_t size, File file) : size_(size), whole_mibs_(size / 1_MiB), file_(std::move(file)) {}

	static std::uint64_t size_for(std::uint64_t content)
	{
		std::uint64_t size = table_head;
		for (std::uint64_t count = content / 1_MiB; count > 0; count /= 2)
			size += count * sizeof(Digest);
		return size;
	}

	// Nothing for a file that is none, or one of other content.
	static std::unique_ptr<Table> find(const std::string &path, std::uint64_t content)
	{
		try {
			std::optional<File> file = File::find(path);
			Buffer head(table_head);
			if (!file || file->size() != size_for(content) || file->read_at(head, 0) < head.size())
				return nullptr;
			check_preamble(head, table_magic, path, false);
			if (load<std::uint64_t>(head.data() + sizeof(Preamble)) != content)
				return nullptr;
			return std::make_unique<Table>(content, std::move(*file));
		} catch (const Error &) {
			return nullptr;
		}
	}

	// Writes all but the complete nodes.
	void finish(const Digest &end)
	{
		Buffer head;
		append(head, raw_bytes(make_preamble(table_magic)));
		put_u64(head, size_);
		append(head, end);
		file_.write_at(head, 0);
	}
	void put(int level, std::uint64_t number, const Digest &root)
	{
		if (root != zero_subtree(level + mib_level))
			file_.write_at(root, place_of(level, number));
	}
	bool is_complete(int level, std::uint64_t number) const { return number < whole_mibs_ >> level; }
	Digest complete(int level, std::uint64_t number) const
	{
		Digest root;
		file_.read_exactly_at(root.bytes, place_of(level, number));
		return root.is_zero() ? zero_subtree(level + mib_level) : root;
	}
	// Of the MiB at the end that is not whole.
	Digest end() const
	{
		Digest root;
		file_.read_exactly_at(root.bytes, table_head - sizeof root);
		return root;
	}
	const File &file() const { return file_; }

private:
	std::uint64_t place_of(int level, std::uint64_t number) const
	{
		std::uint64_t place = table_head;
		for (int below = 0; below < level; below++)
			place += (whole_mibs_ >> below) * sizeof(Digest);
		return place + number * sizeof(Digest);
	}

	std::uint64_t size_, whole_mibs_; // of the content
	File file_;
};

// A file that can be written, wherever that is.
static File scratch_file(const std::string &directory)
{
	try {
		return File::temporary_in(temporary_directory());
	} catch (const SystemError &) {
		return File::temporary_in(directory);
	}
}

// The oldest tables go, until the others and one of so many bytes are not too many.
static void make_room(const std::string &directory, std::uint64_t bytes)
{
	struct Kept {
		std::string path;
		FileStat stat;
	};
	std::vector<Kept> kept;
	for (const std::string &name : names_in(directory))
		if (name.starts_with(table_prefix))
			if (const std::optional<FileStat> stat = find_stat(directory + "/" + name)) {
				kept.push_back({directory + "/" + name, *stat});
				bytes += stat->blocks * 512;
			}
	std::sort(kept.begin(), kept.end(),
		[](const Kept &a, const Kept &b) { return a.stat.mtime_ns < b.stat.mtime_ns; });
	for (std::size_t i = 0; i < kept.size() && bytes > most_kept; i++) {
		remove_file_if_there(kept[i].path);
		bytes -= kept[i].stat.blocks * 512;
	}
}

// Where it cannot be kept, it is made again the next time.
static void keep(const File &table, const std::string &directory, const std::string &path)
{
	try {
		make_directory(directory);
		const std::optional<Lock> lock = Lock::try_acquire(directory + "/lock");
		if (!lock)
			return;
		remove_abandoned(directory, table_prefix);
		make_room(directory, table.stat().blocks * 512);
		PublishedFile copy(path);
		copy.file().truncate(table.size());
		Buffer piece(64_KiB);
		std::uint64_t at = 0;
		for (std::size_t n; (n = table.read_at(piece, at)) > 0; at += n)
			if (!is_zero(Bytes(piece).first(n)))
				copy.file().write_at(Bytes(piece).first(n), at);
		copy.publish(PublishedFile::Durability::none);
	} catch (const Error &) {
	}
}

// --- nodes ------------------------------------------------------------------------------------

static Digest root_of(const Entry &entry)
{
	const std::optional<Digest> root = entry.block_tree();
	if (!root)
		throw Error(quote(entry.path) + " has no block tree; with core.block_tree, 'dig add --reread' makes one");
	return *root;
}

BlockRoots::BlockRoots(Store &store, const Entry &entry, Work &work)
	: store_(store), entry_(entry), work_(work), root_(root_of(entry)),
	  count_((entry.size + block_tree_block - 1) / block_tree_block), mibs_((entry.size + 1_MiB - 1) / 1_MiB)
{
}

BlockRoots::~BlockRoots() = default;

// The table that is kept, or a new one if that is none or was bad.
void BlockRoots::open_table()
{
	const bool is_second = table_ != nullptr;
	const bool is_kept = !store_.paths().store.empty() && entry_.size >= least_kept;
	const std::string directory = store_.paths().cache();
	const std::string path = directory + "/" + std::string(table_prefix) + to_hex(root_);
	followed_.clear();
	table_ = is_kept && !is_second ? Table::find(path, entry_.size) : nullptr;
	if (table_)
		return;
	auto made = std::make_unique<Table>(entry_.size, scratch_file(directory));
	made->file().truncate(Table::size_for(entry_.size));
	const BlockTree tree = tree_of_blocks(store_, entry_, work_,
		[&](int level, std::uint64_t number, const Digest &root) { made->put(level - mib_level, number, root); });
	if (tree.root() != root_)
		throw CorruptError("the content of " + quote(entry_.path) + " has another block tree than its entry says");
	made->finish(tree.root_from(entry_.size / 1_MiB * mib_blocks));
	if (is_kept)
		keep(made->file(), directory, path);
	table_ = std::move(made);
}

// As the table says.
Digest BlockRoots::node(int level, std::uint64_t number) const
{
	if (table_->is_complete(level, number))
		return table_->complete(level, number);
	if (level == 0)
		return table_->end();
	const Digest left = node(level - 1, 2 * number);
	const bool is_alone = (2 * number + 1) << (level - 1) >= mibs_;
	return is_alone ? left : node_hash(left, node(level - 1, 2 * number + 1));
}

// BadTable unless it leads to the root.
void BlockRoots::follow(int level, std::uint64_t number, Digest root)
{
	const auto key = [](int at, std::uint64_t which) { return static_cast<std::uint64_t>(at) << 56 | which; };
	std::vector<std::pair<std::uint64_t, Digest>> passed;
	const int top = std::bit_width(mibs_ - 1);
	for (; level < top; level++, number /= 2) {
		if (const auto known = followed_.find(key(level, number)); known != followed_.end()) {
			if (known->second != root)
				throw BadTable();
			break;
		}
		passed.push_back({key(level, number), root});
		const std::uint64_t neighbour = number ^ 1;
		if (neighbour << level >= mibs_)
			continue;
		const Digest other = node(level, neighbour);
		passed.push_back({key(level, neighbour), other});
		root = number % 2 ? node_hash(other, root) : node_hash(root, other);
	}
	if (level == top && root != root_)
		throw BadTable();
	if (followed_.size() > most_followed)
		followed_.clear();
	followed_.insert(passed.begin(), passed.end());
}

void BlockRoots::load_leaves(std::uint64_t mib)
{
	if (table_->is_complete(0, mib) && node(0, mib) == zero_subtree(mib_level)) {
		follow(0, mib, zero_subtree(mib_level));
		leaves_.assign(mib_blocks, zero_subtree(0));
		loaded_mib_ = mib;
		return;
	}
	const std::uint64_t begin = mib * 1_MiB;
	Buffer content;
	content.reserve(1_MiB);
	ReadPipeline(store_, work_).read(entry_, {begin, std::min<std::uint64_t>(1_MiB, entry_.size - begin)},
		[&](Bytes bytes) { append(content, bytes); });
	std::vector<Digest> leaves((content.size() + block_tree_block - 1) / block_tree_block);
	hash_blocks(content, leaves);
	std::vector<Digest> nodes = leaves;
	follow(0, mib, join_subtrees(nodes));
	leaves_ = std::move(leaves);
	loaded_mib_ = mib;
}

template <typename Function> auto BlockRoots::with_table(const Function &function)
{
	if (!table_)
		open_table();
	try {
		return function();
	} catch (const BadTable &) {
		open_table();
	}
	try {
		return function();
	} catch (const BadTable &) {
		throw CorruptError("the block tree of " + quote(entry_.path) + " cannot be followed to its root");
	}
}

bool BlockRoots::is_node(std::uint64_t first, std::uint64_t last) const
{
	if (first >= last || last > count_)
		return false;
	const std::uint64_t count = last - first, most = std::bit_ceil(count);
	return first % most == 0 && (count == most || last == count_);
}

Digest BlockRoots::hash(std::uint64_t first, std::uint64_t last)
{
	assert(is_node(first, last));
	const std::uint64_t most = std::bit_ceil(last - first);
	if (most >= mib_blocks)
		return with_table([&] {
			const int level = std::bit_width(most) - 1 - mib_level;
			const std::uint64_t number = first / most;
			const Digest root = node(level, number);
			follow(level, number, root);
			return root;
		});
	if (const std::uint64_t mib = first / mib_blocks; mib != loaded_mib_)
		with_table([&] { load_leaves(mib); });
	const std::uint64_t from = first % mib_blocks;
	std::vector<Digest> nodes(leaves_.begin() + static_cast<std::ptrdiff_t>(from),
		leaves_.begin() + static_cast<std::ptrdiff_t>(from + last - first));
	return join_subtrees(nodes);
}

} // namespace dig
