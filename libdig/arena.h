// Large buffers that are made once and used again, on huge pages where the kernel gives them: a
// first touch by 4 KiB pages costs more than hashing what is read into them.
#ifndef DIG_ARENA_H
#define DIG_ARENA_H

#include "libdig/bytes.h"

namespace dig {

class Arena {
public:
	Arena() = default;
	explicit Arena(std::size_t size);
	~Arena();
	Arena(Arena &&other) noexcept;
	Arena &operator=(Arena &&other) noexcept;

	std::uint8_t *data() const { return data_; }
	std::size_t size() const { return size_; }
	MutableBytes bytes() const { return {data_, size_}; }

private:
	std::uint8_t *data_ = nullptr;
	std::size_t size_ = 0;
	void *mapping_ = nullptr;
	std::size_t mapping_size_ = 0;
};

// size zero bytes that take no memory, at most 16 MiB.
Bytes zero_bytes(std::size_t size);

} // namespace dig

#endif
