#include "libdig/tool/proof_reader.h"

#include <algorithm>
#include <cstdio>

#include "libdig/base/base64.h"
#include "libdig/os/connection.h"
#include "libdig/os/file.h"
#include "libdig/proof/content_check.h"
#include "libdig/tool/command.h"
#include "libdig/tool/records.h"
#include "libdig/tool/time_text.h"

namespace dig {

Options &TrustOptions::add_to(Options &options)
{
	return options.value("root", 0, root_, "HEX", "the root that the proof has to lead to")
		.list("key", 0, keys_, "KEY", "who has to have signed: a verifier key, or a file with keys")
		.value("policy", 0, policy_, "FILE", "which logs and witnesses have to have signed")
		.value("path", 0, asked_.path, "PATH", "what the proof has to be of")
		.value("range", 0, asked_.range, "a-b", "the bytes that the proof has to be of")
		.value(
			"older-root", 0,
			[this](const std::string &text) {
				asked_.older_root = parse_digest(text);
				if (!asked_.older_root)
					throw UsageError(
						"--older-root takes the 64 digits of a root, not " + quote(text));
			},
			"HEX", "the root that the history has to go on from");
}

std::string text_in(const std::string &name, std::size_t most)
{
	const File file = name == "-" ? File::standard_input() : File::open(name);
	std::string text;
	Buffer piece(64_KiB);
	while (const std::size_t size = file.read_some(piece)) {
		text.append(reinterpret_cast<const char *>(piece.data()), size);
		if (text.size() > most)
			throw Error(quote(name) + " is longer than " + std::to_string(most) + " bytes");
	}
	return text;
}

static void add_keys(Trust &trust, const std::string &name)
{
	constexpr std::size_t most_keys = 1_MiB;
	if (name.find('+') != name.npos && !find_stat(name)) {
		trust.keys.push_back(VerifierKey::parse(name));
		return;
	}
	const std::string text = text_in(name, most_keys);
	if (const std::optional<PublicKey> bare = parse_signify_public_key(text)) {
		trust.bare_keys.push_back(*bare);
		return;
	}
	const std::size_t before = trust.keys.size();
	for (std::string_view left = text; !left.empty();) {
		const std::size_t end = std::min(left.find('\n'), left.size());
		if (const std::string_view line = left.substr(0, end); !line.empty() && line[0] != '#')
			trust.keys.push_back(VerifierKey::parse(line));
		left.remove_prefix(std::min(end + 1, left.size()));
	}
	if (trust.keys.size() == before)
		throw Error(quote(name) + " has no key");
}

Trust TrustOptions::trust(const std::function<Digest(const std::string &)> &root_of) const
{
	Trust trust = asked_;
	if (root_) {
		trust.root = parse_digest(*root_);
		if (!trust.root && root_of)
			trust.root = root_of(*root_);
		if (!trust.root)
			throw UsageError("--root takes the 64 digits of a root, not " + quote(*root_));
	}
	for (const std::string &key : keys_)
		add_keys(trust, key);
	if (policy_)
		trust.policy = Policy::parse(text_in(*policy_, 1_MiB), *policy_);
	return trust;
}

static void tell_line(const char *name, const std::string &value)
{
	standard_output().record(std::string(name) + ' ' + value);
}

static void tell_entry(const Entry &entry)
{
	static constexpr const char *kinds[] = {"unknown", "file", "symlink", "directory"};
	char mode[8];
	std::snprintf(mode, sizeof mode, "%04o", entry.mode & 07777u);
	tell_line("kind", kinds[entry.is_known_kind() ? static_cast<int>(entry.kind) : 0]);
	tell_line("mode", mode);
	tell_line("size", std::to_string(entry.size));
	tell_line("file-root", to_hex(entry.file_root()));
	if (entry.mtime_ns) {
		const std::int64_t ns = *entry.mtime_ns, whole = (ns >= 0 ? ns : ns - 999999999) / 1000000000;
		char fraction[16];
		std::snprintf(fraction, sizeof fraction, ".%09lld", static_cast<long long>(ns - whole * 1000000000));
		std::string time = time_text(whole);
		tell_line("mtime", time.insert(time.rfind(' '), fraction));
	}
}

void tell_verdict(const ProofVerdict &verdict)
{
	use_utc();
	static constexpr const char *kinds[] = {"", "state", "file", "range", "range", "absence"};
	const Checkpoint &checkpoint = verdict.checkpoint;
	tell_line("proved",
		verdict.proved      ? kinds[static_cast<int>(verdict.proved->kind)]
			: verdict.older ? "consistency"
							: "checkpoint");
	if (const std::optional<InnerProof> &proof = verdict.proved) {
		if (proof->kind != ProofKind::state) {
			standard_output().write("path ");
			standard_output().record_path(proof->path);
		}
		if (proof->entry)
			tell_entry(*proof->entry);
		if (proof->kind == ProofKind::range || proof->kind == ProofKind::blocks) {
			tell_line("bytes",
				std::to_string(proof->begin) + '-' +
					std::to_string(proof->begin + proof->size - 1));
			tell_line("data",
				std::to_string(proof->data_begin) + '-' +
					std::to_string(proof->data_begin + proof->data_size - 1));
		}
		tell_line("generation", std::to_string(proof->header.generation));
		tell_line("time", time_text(proof->header.time_s));
		tell_line("layer", to_hex(proof->layer_id()));
		tell_line("store", to_hex(proof->header.store_id));
	} else if (!verdict.signers.empty()) {
		// A root says nothing of whose history it is.
		tell_line("origin", checkpoint.origin);
	}
	if (verdict.older) {
		tell_line("older-generation", std::to_string(verdict.older->size));
		tell_line("older-root", to_hex(verdict.older->root()));
	}
	tell_line("history", std::to_string(checkpoint.size));
	tell_line("root", to_hex(checkpoint.root()));
	for (const std::string &signer : verdict.signers)
		tell_line("signer", signer);
}

int read_proof(const std::string &name, const Trust &trust, const std::optional<std::string> &data,
	bool is_quiet)
{
	if (name == "-" && data == "-")
		throw UsageError("the proof and the content cannot both come from standard input");
	const std::string text = text_in(name, max_proof_text);
	const bool is_checkpoint = text.starts_with("urn:"); // its origin
	const ProofVerdict verdict = is_checkpoint ? verify_checkpoint(SignedNote::parse(text), trust)
										  : verify_proof(text, trust);
	if (data) {
		if (!verdict.proved)
			throw UsageError("this proves nothing of content");
		const File content = *data == "-" ? File::standard_input() : File::open(*data);
		widen_pipe(content.fd(), 1 << 20);
		check_content(
			*verdict.proved, [&](MutableBytes buffer) { return content.read_some(buffer); });
	}
	if (!is_quiet) {
		tell_verdict(verdict);
		if (data)
			tell_line("content", "matches");
	}
	return exit_status::done;
}

} // namespace dig
