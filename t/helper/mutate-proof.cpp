// mutate-proof RUNS SEED ROOT PROOF [DATA]: changes the proof, what it was made of, the root or the content, each time
// in another way, and tells if any of them is believed.  Prints how many were refused.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <random>

#include "libdig/base/base64.h"
#include "libdig/os/file.h"
#include "libdig/proof/content_check.h"
#include "libdig/proof/tlog_proof.h"

using namespace dig;

static std::mt19937_64 number_generator;

static std::size_t below(std::size_t end) { return end ? number_generator() % end : 0; }

// One to three changes, of which the first is one for sure.
template <typename Bytes> static void mutate(Bytes &bytes)
{
	const Bytes before = bytes;
	while (bytes == before)
		for (std::size_t count = 1 + below(3); count > 0 && !bytes.empty(); count--) {
			const std::size_t at = below(bytes.size()),
							  size = 1 + below(std::min<std::size_t>(40, bytes.size() - at));
			const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
			switch (below(7)) {
			case 0:
				bytes[at] = static_cast<typename Bytes::value_type>(bytes[at] ^ (1 << below(8)));
				break;
			case 1: bytes[at] = static_cast<typename Bytes::value_type>(number_generator()); break;
			case 2:
				bytes[at] =
					static_cast<typename Bytes::value_type>(bytes[at] + (below(2) ? 1 : -1));
				break;
			case 3: bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(size)); break;
			case 4: {
				const Bytes piece(begin, begin + static_cast<std::ptrdiff_t>(size));
				bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size())),
					piece.begin(), piece.end());
				break;
			}
			case 5: bytes.resize(at); break;
			default: std::swap(bytes[at], bytes[below(bytes.size())]);
			}
		}
}

static std::string without_origin(const std::string &text)
{
	const std::size_t at = text.find("\n\n"), end = at == text.npos ? at : text.find('\n', at + 2);
	return end == text.npos ? text : text.substr(0, at + 2) + text.substr(end);
}

static bool is_believed(const std::string &text, const Trust &trust, const Buffer *content)
{
	try {
		const ProofVerdict verdict = verify_proof(text, trust);
		if (content) {
			std::size_t at = 0;
			check_content(*verdict.proved, [&](MutableBytes to) {
				const std::size_t size = std::min(to.size(), content->size() - at);
				std::copy_n(content->begin() + static_cast<std::ptrdiff_t>(at), size, to.begin());
				at += size;
				return size;
			});
		}
		return true;
	} catch (const UnprovedError &) {
		return false;
	}
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 129;
	const unsigned long runs = std::stoul(argv[1]);
	number_generator.seed(std::stoul(argv[2]));
	Trust trust;
	trust.root = parse_digest(argv[3]);
	const Buffer file = read_whole_file(argv[4], max_proof_text);
	const std::string text(text_of(file));
	const bool is_consistency = looks_like_consistency_proof(text);
	Buffer content;
	if (argc > 5)
		content = read_whole_file(argv[5], 64_MiB);
	const Buffer *compared = argc > 5 ? &content : nullptr;
	// Whoever reads it asks for what it is of.  What is not signed says nothing of the origin.
	const ProofVerdict verdict = verify_proof(text, trust);
	if (verdict.proved && verdict.proved->kind != ProofKind::state)
		trust.path = verdict.proved->path;
	if (verdict.proved &&
		(verdict.proved->kind == ProofKind::range || verdict.proved->kind == ProofKind::blocks))
		trust.range =
			ByteRange{verdict.proved->begin, verdict.proved->begin + verdict.proved->size - 1};
	if (verdict.older)
		trust.older_root = verdict.older->root();
	if (!is_believed(text, trust, compared)) {
		std::cerr << "the proof itself is not believed\n";
		return 1;
	}
	for (unsigned long run = 0; run < runs; run++) {
		std::string changed = text;
		Buffer changed_content = content;
		Trust changed_trust = trust;
		const std::size_t kind = below(20);
		if (kind == 0) {
			changed_trust.root->bytes[below(32)] ^= static_cast<std::uint8_t>(1 + below(255));
		} else if (kind == 1 && compared && !content.empty()) {
			mutate(changed_content);
		} else if (kind < 6 || is_consistency) {
			mutate(changed);
		} else {
			TlogProof proof = TlogProof::parse(text);
			if (kind == 6)
				proof.index += 1 + below(100);
			else if (kind == 7 && !proof.path.empty())
				proof.path[below(proof.path.size())].bytes[below(32)] ^=
					static_cast<std::uint8_t>(1 + below(255));
			else
				mutate(proof.extra);
			changed = proof.encoded();
		}
		if (changed == text && changed_content == content && changed_trust.root == trust.root)
			continue;
		if (is_consistency && without_origin(changed) == without_origin(text))
			continue;
		if (is_believed(changed, changed_trust, compared ? &changed_content : nullptr)) {
			std::cerr << "believed, run " << run << ":\n" << changed;
			return 1;
		}
	}
	std::cout << runs << " refused\n";
	return 0;
}
