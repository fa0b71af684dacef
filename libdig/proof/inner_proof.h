// What leads from a layer id to content: dig's part of a proof (dig-proof-format(5)).
//
//     layer header          its hash is the layer id, the leaf of the history
//      -> nodes of the manifest, from the root down, as far as the path leads
//      -> the entry: kind, mode, size, time, file root
//      -> nodes of the chunk list (a range), or a path in the block tree (blocks)
//
// The grammar has no options: the kind, and what was read before, say what comes next and how much of it, and
// nothing may follow.  So a proof has one form, and each of its bytes counts.
//
// A node of a manifest shows the item that the path leads to and the one before it, since both together show that
// no other item could have it.  A node of a chunk list shows all items from the first one to the end of the range:
// an offset is the sum of the sizes before it, and a hash has no sum inside that could be believed.
#ifndef DIG_INNER_PROOF_H
#define DIG_INNER_PROOF_H

#include "libdig/format/layer_format.h"
#include "libdig/format/tree_node.h"
#include "libdig/proof/signed_note.h"

namespace dig {

enum class ProofKind : std::uint8_t {
	state = 1,  // that the state is in the history
	file = 2,   // a path and what is there
	range = 3,  // some bytes of a file, by its chunks
	blocks = 4, // some bytes of a file, by its block tree
	absence = 5 // that nothing is at a path or below it
};

constexpr std::size_t max_inner_proof = 16_MiB;

struct ProvedChunk {
	Digest id;
	std::uint64_t size = 0;
};

// What is proved of the layer with id().  To prove the rest is for the history (tlog_proof.h).
struct InnerProof {
	ProofKind kind{};
	LayerHeader header;
	std::string path;                  // but for a state
	std::optional<Entry> entry;        // but for a state and an absence
	ChunkingParameters chunking;       // a file: how its content was cut
	std::uint64_t begin = 0, size = 0; // the range
	// What has to be at hand to compare content: whole chunks or blocks with the range in them; all of a file.
	std::uint64_t data_begin = 0, data_size = 0;
	std::vector<ProvedChunk> chunks; // of a range
	std::vector<Digest> block_path;

	Digest layer_id() const { return header.id(); }
};

// UnprovedError for what does not hold or is no proof.
InnerProof check_inner_proof(Bytes proof);

// --- making them ----------------------------------------------------------------------------------

// A state to prove things of.  nodes throws a CorruptError for what the store lacks.  Of one thread.
struct ProofSource {
	LayerHeader header;
	NodeSource nodes;

	// The manifest's nodes on the way to the path that was proved last, from the root down, with the hashes of
	// their items.  The next path often has the same way.
	struct WayNode {
		Digest id;
		Node node;
		std::vector<Digest> leaves;
	};
	std::vector<WayNode> way = {};
};
Buffer prove_state(const LayerHeader &header);
// entry gets what is at the path.  NegativeAnswer if nothing is there.
Buffer prove_file(
	ProofSource &source, std::string_view path, const ChunkingParameters &chunking, Entry &entry);
// size > 0 bytes from begin on, within the file.
Buffer prove_range(
	ProofSource &source, std::string_view path, std::uint64_t begin, std::uint64_t size);
// The same of a file with a block tree, whose subtrees are given.
Buffer prove_blocks(ProofSource &source, std::string_view path, std::uint64_t begin,
	std::uint64_t size, const SubtreeHash &subtree);
// NegativeAnswer if there is something.
Buffer prove_absence(ProofSource &source, std::string_view path);

} // namespace dig

#endif
