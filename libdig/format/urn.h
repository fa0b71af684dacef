// The long name of content, which is valid on any machine:
//
//     urn:dig:chia:<store id>[:<root>][/<path>][#bytes=a-b]
//
// Store id and root have 64 hexadecimal digits each.  "urn:dig:chia:" may have any case.  In the
// path "%XX" stands for a byte; the path is decoded once, and the result must be a path that dig
// can store (path.h).  Without a root, the URN names the newest state; without a path, it names the
// state itself.  Inside a work tree, "/<path>#bytes=a-b" is short for the path in its store.
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

// True if text begins as a URN of dig, even if it is malformed.
bool looks_like_urn(std::string_view text);

// Throws an Error that names the text and its fault.
Urn parse_urn(std::string_view text);

// The spelling that dig prints.  It is lower case, and in the path all bytes are percent-encoded
// except letters, digits and "-._~!$&'()*+,;=:@/".
std::string to_text(const Urn &urn);

} // namespace dig

#endif
