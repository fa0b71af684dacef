// Byte ranges as HTTP writes them (RFC 9110, section 14.1.2): "a-b" with both ends included,
// "a-" to the end, "-n" the last n bytes.
#ifndef DIG_BYTE_RANGE_H
#define DIG_BYTE_RANGE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dig {

struct ByteRange {
	// A part of content whose size is known.
	struct Extent {
		std::uint64_t offset = 0;
		std::uint64_t size = 0;
		bool operator==(const Extent &) const = default;
	};

	std::optional<std::uint64_t> first; // none in "-n"
	std::optional<std::uint64_t> last;  // none in "a-"; n in "-n"

	bool operator==(const ByteRange &) const = default;

	// The part of content_size bytes that the range covers.  A range that goes beyond the end
	// stops there.  Throws an Error if the range begins at or after the end, or is "-0".
	Extent resolve(std::uint64_t content_size) const;
};

// Nothing unless text has one of the three forms, its numbers fit into 64 bits, and a <= b.
std::optional<ByteRange> parse_byte_range(std::string_view text);

std::string to_text(const ByteRange &range);

} // namespace dig

#endif
