#include "libdig/tool/batch_proof.h"

namespace dig {

std::optional<Buffer> batch_proof(Store &, std::string_view) { return {}; }

} // namespace dig
