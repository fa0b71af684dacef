// What commands that read proofs have in common: whom the reader believes, and what is told of a proof.
#ifndef DIG_PROOF_READER_H
#define DIG_PROOF_READER_H

#include <functional>

#include "libdig/proof/tlog_proof.h"
#include "libdig/tool/options.h"

namespace dig {

class TrustOptions {
public:
	// --root, --key, --policy, and --path, --range and --older-root.
	Options &add_to(Options &options);
	// Reads the files that they name.  root_of finds a root by another name than its 64 digits.
	Trust trust(const std::function<Digest(const std::string &)> &root_of = nullptr) const;

private:
	std::optional<std::string> root_, policy_;
	std::vector<std::string> keys_;
	Trust asked_;
};

// A file that somebody gives, or standard input for "-"; an Error if it is longer than most.
std::string text_in(const std::string &name, std::size_t most);

// What the proof proves, as lines "NAME VALUE" on standard output.
void tell_verdict(const ProofVerdict &verdict);
// dig-verify-proof and dig verify, behind their own options.  data is the name of a file, or "-".
int read_proof(const std::string &name, const Trust &trust, const std::optional<std::string> &data,
	bool is_quiet);

} // namespace dig

#endif
