// The long name of content, good on any machine:
//
//     urn:dig:chia:<store id>[:<root>][/<path>][#bytes=a-b]
//
// Store id and root are 64 hexadecimal digits each.  "urn:dig:chia:" may have any case.  In the
// path "%XX" stands for a byte; it is decoded once, and what comes out must be a path that dig
// would store (path.h).  Without a root the newest state is meant, without a path the root
// itself.  Inside a work tree "/<path>#bytes=a-b" is short for the path in its store.
#ifndef DIG_URN_H
#define DIG_URN_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/byte_range.h"
#include "libdig/base/digest.h"

namespace dig {

struct Urn {
	bool has_store = false; // false in the short form
	Digest store_id;        // zeros in the short form
	std::optional<Digest> root;
	std::string path; // decoded; empty names the state
	std::optional<ByteRange> range;

	bool operator==(const Urn &) const = default;
};

// True when text begins like a URN of dig, well-formed or not.
bool looks_like_urn(std::string_view text);

// Error names the text and what is wrong with it.
Urn parse_urn(std::string_view text);

// The one spelling of it that dig prints: lower case, and everything in the path percent-encoded
// but letters, digits and "-._~!$&'()*+,;=:@/".
std::string to_text(const Urn &urn);

} // namespace dig

#endif
