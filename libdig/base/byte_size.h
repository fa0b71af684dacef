// Counts of bytes as text.  The units are powers of 1024.
#ifndef DIG_BYTE_SIZE_H
#define DIG_BYTE_SIZE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dig {

// A size as it is typed in a setting or an option: "64KB", "2GB", "1000", "1000B".  Nothing for
// other texts, and for more than 2^63 - 1 bytes, where TOML's integers end.
std::optional<std::uint64_t> parse_size(std::string_view text);
// The text that parse_size() gives back as size, in the largest unit that leaves no rest.
std::string exact_size_text(std::uint64_t size);

// For people, in three digits: "1.50 GiB", "12.0 KiB", "7 bytes".
std::string size_text(double bytes);

} // namespace dig

#endif
