// Large buffers that are made once and used again.  They lie on huge pages if the kernel has some,
// since the page faults of a new buffer of 4 KiB pages cost more than hashing its content.
#ifndef DIG_ARENA_H
#define DIG_ARENA_H

#include <vector>

#include "libdig/base/bytes.h"

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
	// Gives the memory behind the first size bytes back to the system.  It may be used again, and
	// then holds zeros.
	void give_back(std::size_t size);

private:
	std::uint8_t *data_ = nullptr;
	std::size_t size_ = 0;
	void *mapping_ = nullptr;
	std::size_t mapping_size_ = 0;
};

// Memory for containers that may grow large.  From 512 KiB on it lies on huge pages.
void *allocate_large(std::size_t size);
// What that takes: whole huge pages, if it is large.
std::size_t large_size(std::size_t size);
void free_large(void *memory, std::size_t size) noexcept;

template <typename T> struct LargeAllocator {
	using value_type = T;
	LargeAllocator() = default;
	template <typename U> LargeAllocator(const LargeAllocator<U> &) {}
	T *allocate(std::size_t count) { return static_cast<T *>(allocate_large(count * sizeof(T))); }
	void deallocate(T *memory, std::size_t count) noexcept { free_large(memory, count * sizeof(T)); }
	template <typename U> bool operator==(const LargeAllocator<U> &) const { return true; }
};
template <typename T> using LargeVector = std::vector<T, LargeAllocator<T>>;

} // namespace dig

#endif
