// Integers as they lie in a file: little-endian, at any address.  The types have no padding
// and no alignment, so that a struct of them is the picture of a format.
#ifndef DIG_ENDIAN_H
#define DIG_ENDIAN_H

#include <bit>
#include <cstdint>
#include <cstring>

#include "libdig/base/bytes.h"

namespace dig {

static_assert(std::endian::native == std::endian::little, "dig runs on little-endian machines");

template <typename T> class LittleEndian {
public:
	LittleEndian() = default;
	LittleEndian(T value) { std::memcpy(raw_, &value, sizeof value); }
	operator T() const
	{
		T value;
		std::memcpy(&value, raw_, sizeof value);
		return value;
	}

private:
	std::uint8_t raw_[sizeof(T)] = {};
};

using le16 = LittleEndian<std::uint16_t>;
using le32 = LittleEndian<std::uint32_t>;
using le64 = LittleEndian<std::uint64_t>;

static_assert(sizeof(le16) == 2 && sizeof(le32) == 4 && sizeof(le64) == 8);
static_assert(alignof(le64) == 1);

template <typename T> inline T load(const void *from)
{
	T value;
	std::memcpy(&value, from, sizeof value);
	return value;
}

// Appends the value as it lies in a file.
template <typename T> inline void put(Buffer &out, T value)
{
	const std::size_t size = out.size();
	out.resize(size + sizeof value);
	std::memcpy(out.data() + size, &value, sizeof value);
}

inline void put_u8(Buffer &out, std::uint8_t value) { out.push_back(value); }
inline void put_u16(Buffer &out, std::uint16_t value) { put(out, value); }
inline void put_u32(Buffer &out, std::uint32_t value) { put(out, value); }
inline void put_u64(Buffer &out, std::uint64_t value) { put(out, value); }

// The bytes of a struct made of the types above.
template <typename T> inline Bytes raw_bytes(const T &value)
{
	static_assert(alignof(T) == 1, "only structs without padding lie in files");
	return {reinterpret_cast<const std::uint8_t *>(&value), sizeof value};
}

} // namespace dig

#endif
