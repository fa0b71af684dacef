// What dig-cat --batch-command answers to "prove".
#ifndef DIG_BATCH_PROOF_H
#define DIG_BATCH_PROOF_H

#include <optional>
#include <string_view>

#include "libdig/store/store.h"

namespace dig {

// The proof that was asked for, by the text behind "prove ".  Nothing if proofs are not supported.
std::optional<Buffer> batch_proof(Store &store, std::string_view request);

} // namespace dig

#endif
