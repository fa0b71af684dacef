// Proofs as texts (c2sp.org/tlog-proof), and what makes one believed.
//
//     c2sp.org/tlog-proof@v1
//     extra <base64>                 inner_proof.h
//     index <generation - 1>
//     <base64 of a hash>             a line for each hash of the inclusion proof
//                                    an empty line
//     checkpoint                     signed_note.h
//
// That a state goes on from an earlier one is a text of its own.  From its third line on it is what a witness takes
// (c2sp.org/tlog-witness):
//
//     dig-consistency@v1
//     head <base64>                  the tree head of the earlier state
//     old <its generation>
//     <base64 of a hash> ...
//
//     checkpoint
#ifndef DIG_TLOG_PROOF_H
#define DIG_TLOG_PROOF_H

#include <functional>

#include "libdig/base/byte_range.h"
#include "libdig/proof/inner_proof.h"
#include "libdig/proof/policy.h"

namespace dig {

// Longer texts are no proofs.
constexpr std::size_t max_proof_text = max_inner_proof / 3 * 4 + 128_KiB;

struct TlogProof {
	Buffer extra;
	std::uint64_t index = 0;
	std::vector<Digest> path;
	SignedNote note;

	std::string encoded() const;
	static TlogProof parse(std::string_view text); // UnprovedError
};

struct ConsistencyProof {
	Digest older_head;
	std::uint64_t older = 0;
	std::vector<Digest> path;
	SignedNote note;

	std::string encoded() const;
	static ConsistencyProof parse(std::string_view text); // UnprovedError
};
bool looks_like_consistency_proof(std::string_view text);

// Whom the reader of a proof believes, and what he asks.  All that is given has to agree; something has to be given.
struct Trust {
	std::optional<Digest> root;    // the root of the last state that the checkpoint covers
	std::vector<VerifierKey> keys; // one of them has to have signed
	std::vector<PublicKey>
		bare_keys; // of signify: they have no name, and stand for that of the log
	std::optional<Policy> policy;
	// A history that the reader has: whether the checkpoint is of it.
	std::function<bool(const Checkpoint &)> is_in_history;

	// What the proof has to be of, where the reader knows that beforehand.
	std::optional<std::string> path;
	std::optional<ByteRange> range;
	std::optional<Digest> older_root; // of a consistency proof

	bool is_given() const
	{
		return root || !keys.empty() || !bare_keys.empty() || policy || is_in_history;
	}
};

struct ProofVerdict {
	std::optional<InnerProof> proved; // not of a consistency proof
	Checkpoint checkpoint;
	std::optional<Checkpoint> older;  // of a consistency proof
	std::vector<std::string> signers; // those of the keys and the policy that have signed
};

// Both kinds of texts.  UnprovedError if anything does not hold.
ProofVerdict verify_proof(std::string_view text, const Trust &trust);
// The checkpoint of a note, and who has signed it.
ProofVerdict verify_checkpoint(const SignedNote &note, const Trust &trust);

} // namespace dig

#endif
