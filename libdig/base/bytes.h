// Views of memory, and hexadecimal in and out.
#ifndef DIG_BYTES_H
#define DIG_BYTES_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dig {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

inline Bytes bytes_of(std::string_view text)
{
	return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

inline std::string_view text_of(Bytes bytes)
{
	return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

inline void append(Buffer &out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Lower-case digits, two a byte.
std::string to_hex(Bytes bytes);

// Fills out from exactly twice as many hexadecimal digits of either case; false, and out
// unspecified, for any other text.
bool from_hex(std::string_view text, MutableBytes out);

} // namespace dig

#endif
