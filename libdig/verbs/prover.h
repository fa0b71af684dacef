// Proofs of what a store has: inner_proof.h and tlog_proof.h, put together from its layers and its history.
#ifndef DIG_PROVER_H
#define DIG_PROVER_H

#include "libdig/base/byte_range.h"
#include "libdig/proof/tlog_proof.h"
#include "libdig/store/block_roots.h"
#include "libdig/store/store.h"

namespace dig {

class Prover {
public:
	explicit Prover(Store &store) : store_(store), nodes_(store.nodes()) {}

	// Proofs lead to this checkpoint from now on.  UnprovedError if it is not of this store's history.  Without one,
	// each leads to the state that it is of, in a checkpoint that nobody has signed.
	void set_note(const SignedNote &note);
	std::uint64_t noted_size() const { return noted_->size; }

	struct Proof {
		std::string text;
		// What the reader of the proof needs of the content.
		std::optional<Entry> entry;
		ByteRange::Extent data;
	};
	Proof prove_state(std::uint64_t generation);
	// NegativeAnswer if the path is not there.
	Proof prove_path(
		std::uint64_t generation, std::string_view path, const std::optional<ByteRange> &range);
	// The range is that of the first chunk of the file that has this id.
	Proof prove_chunk(std::uint64_t generation, std::string_view path, const Digest &id);
	// NegativeAnswer if something is there.
	Proof prove_absence(std::uint64_t generation, std::string_view path);
	std::string prove_consistency(std::uint64_t older, std::uint64_t newer);

	// Of the history up to a state; nobody has signed it.
	Checkpoint checkpoint(std::uint64_t generation);

private:
	Proof wrapped(std::uint64_t generation, Buffer inner);
	Entry get_entry(std::uint64_t generation, std::string_view path);
	Proof prove_extent(std::uint64_t generation, const Entry &entry, const ByteRange::Extent &extent);
	ProofSource &source_of(std::uint64_t generation); // DroppedState
	SubtreeHash history() const;

	Store &store_;
	NodeSource nodes_;
	std::optional<SignedNote> note_;
	std::optional<Checkpoint> noted_;
	// What leads to the last state that was asked for, since many are proved of one.
	std::uint64_t known_generation_ = 0;
	std::vector<Digest> known_path_;
	SignedNote known_note_;
	std::optional<ProofSource> source_;
	std::uint64_t source_generation_ = 0;
	// Of the last file with a block tree, since many ranges may be proved of one.
	std::optional<BlockRoots> block_roots_;
	Digest roots_of_;
};

// The checkpoint that was signed last here; nothing if none was.
std::optional<SignedNote> find_signed_checkpoint(const StorePaths &paths);

} // namespace dig

#endif
