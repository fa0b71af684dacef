// Reads fields from bytes that nobody has checked yet.  A field that goes beyond the end, or a
// count that is too large for the bytes that are left, is a CorruptError that names the file and
// the byte.
#ifndef DIG_CURSOR_H
#define DIG_CURSOR_H

#include <string>

#include "libdig/base/digest.h"
#include "libdig/base/endian.h"
#include "libdig/base/error.h"

namespace dig {

class Cursor {
public:
	// bytes begin at offset base of the file called name.  Bytes and name must outlive the
	// cursor.
	Cursor(Bytes bytes, std::string_view name, std::uint64_t base = 0)
		: bytes_(bytes), name_(name), base_(base)
	{
	}

	std::uint64_t offset() const { return base_ + at_; }
	std::size_t left() const { return bytes_.size() - at_; }
	bool at_end() const { return at_ == bytes_.size(); }

	Bytes take(std::size_t size)
	{
		if (size > left())
			fail("it ends too early");
		const Bytes piece = bytes_.subspan(at_, size);
		at_ += size;
		return piece;
	}
	std::uint8_t u8() { return take(1)[0]; }
	std::uint16_t u16() { return load<std::uint16_t>(take(2).data()); }
	std::uint32_t u32() { return load<std::uint32_t>(take(4).data()); }
	std::uint64_t u64() { return load<std::uint64_t>(take(8).data()); }
	std::int64_t i64() { return load<std::int64_t>(take(8).data()); }
	Digest digest()
	{
		Digest value;
		std::memcpy(value.bytes.data(), take(32).data(), 32);
		return value;
	}
	// Checks that value items of at least item_size bytes each can still follow, and returns
	// value.
	std::uint64_t count(std::uint64_t value, std::size_t item_size)
	{
		if (value > left() / item_size)
			fail("a count is larger than what follows");
		return value;
	}
	void expect_end()
	{
		if (!at_end())
			fail("bytes after the end");
	}
	[[noreturn]] void fail(std::string_view what) const
	{
		throw CorruptError(what, name_, offset());
	}

private:
	Bytes bytes_;
	std::string_view name_;
	std::uint64_t base_;
	std::size_t at_ = 0;
};

// a + b, or CorruptError.
inline std::uint64_t checked_add(std::uint64_t a, std::uint64_t b, std::string_view name,
	std::uint64_t offset = 0)
{
	std::uint64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		throw CorruptError("a number is too large", name, offset);
	return sum;
}

} // namespace dig

#endif
