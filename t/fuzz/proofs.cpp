// Targets for proofs, notes, keys and policies, which come from strangers.
#include "libdig/base/path.h"
#include "libdig/format/tree_builder.h"
#include "libdig/proof/proof_bytes.h"
#include "libdig/proof/tlog_proof.h"
#include "t/fuzz/fuzz.h"

namespace dig {

static void run_inner(Bytes input)
{
	const InnerProof proof = check_inner_proof(input);
	require(
		proof.kind == ProofKind::state || path_problem(proof.path).empty(), "a proof is of a path");
}

static void run_text(Bytes input)
{
	const std::string text(text_of(input));
	if (looks_like_consistency_proof(text)) {
		const ConsistencyProof proof = ConsistencyProof::parse(text);
		require(proof.encoded() == text, "a proof of consistency has one form");
	} else {
		require(TlogProof::parse(text).encoded() == text, "a proof has one form");
	}
}

static void run_note(Bytes input)
{
	const SignedNote note = SignedNote::parse(text_of(input));
	require(note.encoded() == text_of(input), "a note has one form");
	const Checkpoint checkpoint = Checkpoint::parse(note.text);
	require(checkpoint.text() == note.text, "a checkpoint has one form");
}

static void run_policy(Bytes input) { Policy::parse(text_of(input), "policy"); }

static void run_key(Bytes input)
{
	const std::string text(text_of(input));
	parse_signify_public_key(text);
	if (text.find("PRIVATE") != text.npos || text.find("comment") != text.npos)
		SignerKey::parse(text, "name");
	else
		require(VerifierKey::parse(text).text() == text, "a key has one form");
}

static const char note_text[] =
	"urn:dig:chia:a3a95431871bd8a37701973b87281542b4a9a88e04e28c1cf4a91bfa58596939\n2\n"
	"Y20TRi+8tTQUPVi5DKPG5YhzbopcAq0vQmLxxTZ4qE8=\n\n";
static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static std::vector<Buffer> note_seeds()
{
	return {seed(note_text),
		seed(std::string(note_text) + "\xe2\x80\x94 example.com/foo AAAAAAAAAAAA\n")};
}

static std::vector<Buffer> text_seeds()
{
	const std::string hash = "9VGaVUs3+trmoDU9qYUcxYHo2z8gAKZcHfHW1o7yWGc=\n";
	return {seed("c2sp.org/tlog-proof@v1\nextra AAEC\nindex 1\n" + hash + "\n" + note_text),
		seed("dig-consistency@v1\nhead " + hash + "old 1\n" + hash + "\n" + note_text)};
}

static std::vector<Buffer> policy_seeds()
{
	return {seed("# a\nlog " + std::string(vkey) + "\nquorum none\n"),
		seed("group g any a b\nquorum g\n")};
}

static std::vector<Buffer> key_seeds()
{
	std::array<std::uint8_t, 32> zeros{};
	return {seed(vkey), seed(SignerKey{"a", SecretKey(zeros)}.text() + "\n"),
		seed("untrusted comment: x\nRWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")};
}

// A state of three entries, of which one has two chunks.
static std::vector<Buffer> inner_seeds()
{
	std::vector<std::pair<Digest, Buffer>> nodes;
	const NodeSink keep = [&](const Digest &id, Bytes stored) {
		nodes.emplace_back(id, Buffer(stored.begin(), stored.end()));
	};
	const NodeSource source = [&](const Digest &id) {
		for (const auto &[known, stored] : nodes)
			if (known == id)
				return stored;
		throw CorruptError("no such node");
	};
	TreeBuilder chunks(TreeKind::chunk_list, keep), manifest(TreeKind::manifest, keep);
	chunks.append_chunk(digest_of(bytes_of("a")), 70000);
	chunks.append_chunk(digest_of(bytes_of("b")), 5000);
	Entry entry;
	entry.size = 75000;
	entry.form = ContentForm::file_root;
	entry.content = chunks.finish().id;
	entry.add_attribute(block_tree_attribute, digest_of(bytes_of("c")));
	for (const char *path : {"a/b", "a/c", "d"}) {
		entry.path = path;
		manifest.append_entry(entry);
	}
	LayerHeader header;
	header.generation = 1;
	header.entries = 3;
	header.bytes = 225000;
	header.manifest_root = manifest.finish().id;
	header.chunking = ChunkingParameters().digest();
	ProofSource from{header, source};
	const SubtreeHash hash = [](std::uint64_t, std::uint64_t) { return Digest(); };
	return {prove_state(header), prove_file(from, "a/c", ChunkingParameters(), entry),
		prove_range(from, "a/b", 100, 70000), prove_blocks(from, "d", 20000, 10, hash),
		prove_absence(from, "a/bb"), prove_absence(from, "e")};
}

const std::vector<FuzzTarget> proof_targets = {
	{"inner-proof", "", inner_seeds, run_inner, nullptr},
	{"proof", "c2sp.org", text_seeds, run_text, nullptr},
	{"note", "urn:", note_seeds, run_note, nullptr},
	{"policy", "", policy_seeds, run_policy, nullptr},
	{"key", "", key_seeds, run_key, nullptr},
};

} // namespace dig
