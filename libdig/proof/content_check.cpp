// A thread reads ahead of the one that hashes.  Blocks go through the lanes of sha256_lanes, those of a piece
// together; a chunk is one message.
#include "libdig/proof/content_check.h"

#include <algorithm>
#include <array>
#include <optional>

#include "libdig/chunking/block_tree.h"
#include "libdig/chunking/chunker.h"
#include "libdig/format/tree_builder.h"
#include "libdig/os/thread.h"
#include "libdig/proof/proof_bytes.h"

namespace dig {

// A piece is read and hashed while it is in the cache of a core.
constexpr std::size_t piece_size = 128_KiB, pieces_ahead = 6;
constexpr std::size_t batch_blocks = 8; // of a piece
static_assert(batch_blocks * block_tree_block == piece_size);

namespace {

// Content in pieces of piece_size; the last one may be shorter.
class Pieces {
public:
	Pieces(const ReadContent &read, bool ahead) : read_(read)
	{
		if (ahead)
			thread_ = start_thread([this] { read_ahead(); });
		if (!thread_)
			slots_.resize(1);
	}
	~Pieces()
	{
		if (thread_) {
			{
				const std::lock_guard lock(mutex_);
				stops_ = true;
			}
			changed_.notify_all();
			thread_->join();
		}
	}
	Pieces(const Pieces &) = delete;

	// Valid until the next call; empty at the end.
	Bytes next()
	{
		if (!thread_)
			return fill(slots_[0]);
		std::unique_lock lock(mutex_);
		// The end is there again and again.
		if (is_taking_ && slots_[taken_ % slots_.size()].size > 0)
			taken_++;
		is_taking_ = true;
		changed_.notify_all();
		wait_interruptibly(changed_, lock, [&] { return taken_ < filled_ || failure_; });
		if (taken_ == filled_)
			throw *failure_;
		const Slot &slot = slots_[taken_ % slots_.size()];
		return Bytes(slot.bytes).first(slot.size);
	}

private:
	struct Slot {
		Buffer bytes;
		std::size_t size = 0;
	};

	Bytes fill(Slot &slot)
	{
		slot.bytes.resize(piece_size);
		for (slot.size = 0; slot.size < piece_size;) {
			const std::size_t size = read_(MutableBytes(slot.bytes).subspan(slot.size));
			if (size == 0)
				break;
			slot.size += size;
		}
		return Bytes(slot.bytes).first(slot.size);
	}

	void read_ahead()
	{
		try {
			for (bool is_end = false; !is_end;) {
				std::unique_lock lock(mutex_);
				changed_.wait(lock, [&] { return stops_ || filled_ - taken_ < slots_.size(); });
				if (stops_)
					return;
				Slot &slot = slots_[filled_ % slots_.size()];
				lock.unlock();
				is_end = fill(slot).empty();
				lock.lock();
				filled_++;
				changed_.notify_all();
			}
		} catch (const Error &error) {
			const std::lock_guard lock(mutex_);
			failure_.emplace(error);
			changed_.notify_all();
		}
	}

	const ReadContent &read_;
	std::vector<Slot> slots_ = std::vector<Slot>(pieces_ahead);
	std::mutex mutex_;
	std::condition_variable changed_;
	std::uint64_t filled_ = 0, taken_ = 0;
	bool stops_ = false, is_taking_ = false;
	std::optional<Error> failure_;
	std::optional<std::thread> thread_;
};

class ContentCheck {
public:
	ContentCheck(const InnerProof &proof, Pieces &pieces, const std::function<void(Bytes)> &take)
		: proof_(proof), pieces_(pieces), take_(take)
	{
	}

	void check_chunks();
	void check_blocks();
	void check_file();

private:
	[[noreturn]] static void refuse(const std::string &what)
	{
		throw UnprovedError("the content does not match: " + what);
	}
	Bytes next()
	{
		const Bytes piece = pieces_.next();
		if (piece.size() > proof_.data_size - passed_)
			refuse("it is longer than " + std::to_string(proof_.data_size) + " bytes");
		passed_ += piece.size();
		if (take_ && !piece.empty())
			take_(piece);
		return piece;
	}
	void expect_end()
	{
		if (!next().empty() || passed_ != proof_.data_size)
			refuse("it is shorter than " + std::to_string(proof_.data_size) + " bytes");
	}

	const InnerProof &proof_;
	Pieces &pieces_;
	const std::function<void(Bytes)> &take_;
	std::uint64_t passed_ = 0;
};

} // namespace

void ContentCheck::check_chunks()
{
	Bytes piece;
	for (const ProvedChunk &chunk : proof_.chunks) {
		Hasher hasher;
		for (std::uint64_t left = chunk.size; left > 0;) {
			if (piece.empty() && (piece = next()).empty())
				expect_end();
			const Bytes part = piece.first(std::min<std::uint64_t>(left, piece.size()));
			hasher.update(part);
			piece = piece.subspan(part.size());
			left -= part.size();
		}
		if (hasher.finish() != chunk.id)
			refuse("a chunk has another digest");
	}
	expect_end();
}

void ContentCheck::check_blocks()
{
	const std::uint64_t file_size = proof_.entry->size;
	const BlockExtent blocks = proof_.kind == ProofKind::file
		? BlockExtent{(file_size - 1) / block_tree_block + 1, 0,
			  (file_size - 1) / block_tree_block + 1}
		: blocks_of(file_size, proof_.begin, proof_.size);
	std::array<Digest, batch_blocks> leaves;
	std::size_t count = 0, at = 0;
	const auto next_leaf = [&] {
		if (at == count) {
			const Bytes piece = next();
			if (piece.empty())
				expect_end();
			at = 0;
			count = (piece.size() + block_tree_block - 1) / block_tree_block;
			hash_blocks(piece, std::span(leaves).first(count));
		}
		return leaves[at++];
	};
	const Digest root =
		root_of_path(blocks.count, blocks.first, blocks.last, next_leaf, proof_.block_path);
	expect_end();
	if (at != count || root != *proof_.entry->block_tree())
		refuse("its blocks lead to another root");
}

void ContentCheck::check_file()
{
	TreeBuilder list(TreeKind::chunk_list, [](const Digest &, Bytes) {});
	Chunker chunker(proof_.chunking);
	Buffer waiting;
	std::size_t begin = 0;
	for (bool is_last = false; !is_last;) {
		const Bytes piece = next();
		is_last = piece.empty() || passed_ == proof_.data_size;
		// Chunks that were cut leave.
		if (begin > 0) {
			waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(begin));
			begin = 0;
		}
		append(waiting, piece);
		while (const std::size_t size = chunker.next(Bytes(waiting).subspan(begin), is_last)) {
			list.append_chunk(digest_of(Bytes(waiting).subspan(begin, size)), size);
			begin += size;
		}
	}
	expect_end();
	const Digest root = proof_.data_size == 0 ? empty_root(TreeKind::chunk_list) : list.finish().id;
	if (root != proof_.entry->file_root())
		refuse("its file root is another one");
}

void check_content(
	const InnerProof &proof, const ReadContent &read, const std::function<void(Bytes)> &take)
{
	if (!proof.entry)
		throw UsageError("a proof of a state or of an absence has no content to compare");
	Pieces pieces(read, proof.data_size > 4 * piece_size);
	ContentCheck check(proof, pieces, take);
	if (proof.kind == ProofKind::range)
		check.check_chunks();
	else if (proof.kind == ProofKind::blocks ||
		(proof.entry->block_tree() && proof.entry->size > 0))
		check.check_blocks();
	else
		check.check_file();
}

} // namespace dig
