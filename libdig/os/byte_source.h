// Bytes that a file has and that lie elsewhere.
#ifndef DIG_BYTE_SOURCE_H
#define DIG_BYTE_SOURCE_H

#include <cstdint>

#include "libdig/base/bytes.h"

namespace dig {

// Any thread.
class ByteSource {
public:
	virtual ~ByteSource() = default;

	// Fills the buffer, or as much of it as there is; returns the number of bytes.
	virtual std::size_t read_at(MutableBytes buffer, std::uint64_t offset) = 0;
	// These bytes are going to be read soon.
	virtual void will_need(std::uint64_t offset, std::uint64_t size) = 0;
	// These bytes were not what they should have been: they are to be had anew.
	virtual void distrust(std::uint64_t offset, std::uint64_t size) = 0;
};

} // namespace dig

#endif
