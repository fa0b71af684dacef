#include "libdig/proof/tlog_proof.h"

#include "libdig/base/base64.h"
#include "libdig/base/cursor.h"

namespace dig {

constexpr std::string_view proof_line = "c2sp.org/tlog-proof@v1",
						   consistency_line = "dig-consistency@v1";
constexpr std::size_t most_hashes = 63;

namespace {

class Lines {
public:
	explicit Lines(std::string_view text) : text_(text) {}

	std::string_view next()
	{
		const std::size_t end = text_.find('\n');
		if (end == text_.npos)
			throw UnprovedError("the proof ends too early");
		const std::string_view line = text_.substr(0, end);
		text_.remove_prefix(end + 1);
		return line;
	}
	// The rest of the next line, if it begins with this word and a blank.
	std::optional<std::string_view> find(std::string_view word)
	{
		if (text_.substr(0, word.size()) != word || text_.substr(word.size(), 1) != " ")
			return {};
		return next().substr(word.size() + 1);
	}
	std::string_view get(const char *word)
	{
		const std::optional<std::string_view> rest = find(word);
		if (!rest)
			throw UnprovedError(
				"the proof has no line '" + std::string(word) + "' where one must be");
		return *rest;
	}
	std::uint64_t get_number(const char *word)
	{
		const std::optional<std::uint64_t> number = parse_plain_number(get(word));
		if (!number)
			throw UnprovedError("the line '" + std::string(word) + "' of the proof has no number");
		return *number;
	}
	std::string_view rest() const { return text_; }

private:
	std::string_view text_;
};

} // namespace

static Buffer bytes_in(std::string_view text)
{
	std::optional<Buffer> bytes = from_base64(text);
	if (!bytes)
		throw UnprovedError("the proof has a text that is no base64");
	return *std::move(bytes);
}

static Digest hash_in(std::string_view text)
{
	const Buffer bytes = bytes_in(text);
	if (bytes.size() != sizeof(Digest))
		throw UnprovedError("the proof has a hash of another size");
	return Cursor(bytes, "").digest();
}

static std::vector<Digest> hashes_in(Lines &lines)
{
	std::vector<Digest> path;
	for (std::string_view line = lines.next(); !line.empty(); line = lines.next()) {
		if (path.size() == most_hashes)
			throw UnprovedError("the proof has too many hashes");
		path.push_back(hash_in(line));
	}
	return path;
}

static std::string encoded_end(const std::vector<Digest> &path, const SignedNote &note)
{
	std::string text;
	for (const Digest &hash : path)
		text += to_base64(hash) + '\n';
	return text + '\n' + note.encoded();
}

std::string TlogProof::encoded() const
{
	return std::string(proof_line) + "\nextra " + to_base64(extra) + "\nindex " +
		std::to_string(index) + '\n' + encoded_end(path, note);
}

TlogProof TlogProof::parse(std::string_view text)
{
	if (text.size() > max_proof_text)
		throw UnprovedError("the proof is too large");
	Lines lines(text);
	if (lines.next() != proof_line)
		throw UnprovedError(
			"this is no proof: it does not begin with '" + std::string(proof_line) + "'");
	TlogProof proof;
	proof.extra = bytes_in(lines.get("extra"));
	proof.index = lines.get_number("index");
	proof.path = hashes_in(lines);
	proof.note = SignedNote::parse(lines.rest());
	return proof;
}

bool looks_like_consistency_proof(std::string_view text)
{
	return text.substr(0, consistency_line.size()) == consistency_line;
}

std::string ConsistencyProof::encoded() const
{
	return std::string(consistency_line) + "\nhead " + to_base64(older_head) + "\nold " +
		std::to_string(older) + '\n' + encoded_end(path, note);
}

ConsistencyProof ConsistencyProof::parse(std::string_view text)
{
	if (text.size() > max_proof_text)
		throw UnprovedError("the proof is too large");
	Lines lines(text);
	if (lines.next() != consistency_line)
		throw UnprovedError("this is no proof of consistency");
	ConsistencyProof proof;
	proof.older_head = hash_in(lines.get("head"));
	proof.older = lines.get_number("old");
	proof.path = hashes_in(lines);
	proof.note = SignedNote::parse(lines.rest());
	return proof;
}

// --- belief -------------------------------------------------------------------------------------

ProofVerdict verify_checkpoint(const SignedNote &note, const Trust &trust)
{
	ProofVerdict verdict;
	verdict.checkpoint = Checkpoint::parse(note.text);
	if (!trust.is_given())
		throw UsageError("a root, a key or a policy has to say who is believed");
	if (trust.root && verdict.checkpoint.root() != *trust.root)
		throw UnprovedError("the proof is of the root " + to_hex(verdict.checkpoint.root()) +
			", not of " + to_hex(*trust.root));
	if (trust.is_in_history && !trust.is_in_history(verdict.checkpoint))
		throw UnprovedError("the proof is of the root " + to_hex(verdict.checkpoint.root()) +
			", which is not in this store");
	std::vector<VerifierKey> keys = trust.keys;
	for (const PublicKey &key : trust.bare_keys)
		keys.push_back({verdict.checkpoint.origin, NoteKeyType::ed25519, key});
	for (const VerifierKey &key : keys)
		if (note.is_signed_by(key))
			verdict.signers.push_back(key.name);
	if (!keys.empty() && verdict.signers.empty())
		throw UnprovedError("none of the keys has signed the checkpoint");
	if (trust.policy)
		for (std::string &name : trust.policy->check(note, verdict.checkpoint.origin))
			verdict.signers.push_back(std::move(name));
	return verdict;
}

static ProofVerdict verify_consistency(std::string_view text, const Trust &trust)
{
	const ConsistencyProof proof = ConsistencyProof::parse(text);
	ProofVerdict verdict = verify_checkpoint(proof.note, trust);
	const Checkpoint &newer = verdict.checkpoint;
	if (proof.older == 0 || proof.older > newer.size ||
		!is_consistent(proof.older, proof.older_head, newer.size, newer.head, proof.path))
		throw UnprovedError("the later state does not go on from the earlier one");
	verdict.older = Checkpoint{newer.origin, proof.older, proof.older_head};
	if (trust.path || trust.range)
		throw UnprovedError("a proof of consistency has no path");
	if (trust.older_root && verdict.older->root() != *trust.older_root)
		throw UnprovedError("the proof goes on from the root " + to_hex(verdict.older->root()));
	return verdict;
}

// The proof may hold, and be of something else than was asked.
static void check_question(const InnerProof &proof, const Trust &trust)
{
	if (trust.older_root)
		throw UnprovedError("this is no proof of consistency");
	if (trust.path && *trust.path != proof.path)
		throw UnprovedError(
			"the proof is of the path " + quote(proof.path) + ", not of " + quote(*trust.path));
	const bool is_range = proof.kind == ProofKind::range || proof.kind == ProofKind::blocks;
	if (!trust.range)
		return;
	if (!is_range ||
		trust.range->resolve(proof.entry->size) != ByteRange::Extent{proof.begin, proof.size})
		throw UnprovedError("the proof is of " +
			(is_range ? "the bytes " + std::to_string(proof.begin) + '-' +
						std::to_string(proof.begin + proof.size - 1)
					  : "no range") +
			", not of " + to_text(*trust.range));
}

ProofVerdict verify_proof(std::string_view text, const Trust &trust)
{
	if (looks_like_consistency_proof(text))
		return verify_consistency(text, trust);
	const TlogProof proof = TlogProof::parse(text);
	ProofVerdict verdict = verify_checkpoint(proof.note, trust);
	const Checkpoint &checkpoint = verdict.checkpoint;
	verdict.proved = check_inner_proof(proof.extra);
	const LayerHeader &header = verdict.proved->header;
	if (checkpoint.origin != origin_of(header.store_id))
		throw UnprovedError("the checkpoint is of another store than the proof");
	if (proof.index >= checkpoint.size || header.generation != proof.index + 1)
		throw UnprovedError("the index is not that of the state");
	if (proof.path.size() != merkle_path_length(checkpoint.size, proof.index, proof.index + 1))
		throw UnprovedError("the proof has another number of hashes");
	const Digest leaf = leaf_hash(verdict.proved->layer_id());
	if (root_of_path(
			checkpoint.size, proof.index, proof.index + 1, [&] { return leaf; }, proof.path) !=
		checkpoint.head)
		throw UnprovedError("the state is not in the history of the checkpoint");
	check_question(*verdict.proved, trust);
	return verdict;
}

} // namespace dig
