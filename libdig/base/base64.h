// Base 64 (RFC 4648, section 4): the standard alphabet, with padding, in one line.
#ifndef DIG_BASE64_H
#define DIG_BASE64_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/bytes.h"

namespace dig {

std::string to_base64(Bytes bytes);

// Nothing unless text is what to_base64() makes of some bytes: no other alphabet, no blanks, the padding
// complete, and unused bits zero.  So that bytes have one text.
std::optional<Buffer> from_base64(std::string_view text);

} // namespace dig

#endif
