#include "libdig/arena.h"

#include <new>
#include <utility>

#include <sys/mman.h>

namespace dig {

constexpr std::size_t huge_page = 2_MiB;

Arena::Arena(std::size_t size) : size_(size)
{
	// One huge page more, so that the arena can begin on one.
	mapping_size_ = (size + huge_page - 1) / huge_page * huge_page + huge_page;
	mapping_ = ::mmap(nullptr, mapping_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapping_ == MAP_FAILED)
		throw std::bad_alloc();
	const auto start = reinterpret_cast<std::uintptr_t>(mapping_);
	const auto aligned = (start + huge_page - 1) / huge_page * huge_page;
	data_ = reinterpret_cast<std::uint8_t *>(aligned);
	if (size >= huge_page)
		::madvise(data_, mapping_size_ - (aligned - start), MADV_HUGEPAGE);
}

Arena::~Arena()
{
	if (mapping_)
		::munmap(mapping_, mapping_size_);
}

Arena::Arena(Arena &&other) noexcept
	: data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
	  mapping_(std::exchange(other.mapping_, nullptr)), mapping_size_(other.mapping_size_)
{
}

Arena &Arena::operator=(Arena &&other) noexcept
{
	std::swap(data_, other.data_);
	std::swap(size_, other.size_);
	std::swap(mapping_, other.mapping_);
	std::swap(mapping_size_, other.mapping_size_);
	return *this;
}

Bytes zero_bytes(std::size_t size)
{
	// Never written, so every page is the kernel's zero page.
	static const Arena zeros(16_MiB);
	return Bytes(zeros.bytes()).first(size);
}

} // namespace dig
