// The program that all tools are, linked once more, with a heap that counts.  When it ends, it appends a
// line to the file that DIG_TEST_COUNTS names: the name that it was called by, how often it allocated
// memory, and its minor page faults.
//
// The linker puts these functions in the place of those of the C library (Makefile).  What lies in a
// library that is linked dynamically is not counted.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sys/resource.h>

static std::atomic<unsigned long> allocations;

extern "C" {

void *__real_malloc(std::size_t size);
void *__real_calloc(std::size_t count, std::size_t size);
void *__real_realloc(void *memory, std::size_t size);
void *__real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void **memory, std::size_t alignment, std::size_t size);

void *__wrap_malloc(std::size_t size)
{
	allocations.fetch_add(1, std::memory_order_relaxed);
	return __real_malloc(size);
}

void *__wrap_calloc(std::size_t count, std::size_t size)
{
	allocations.fetch_add(1, std::memory_order_relaxed);
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, std::size_t size)
{
	allocations.fetch_add(1, std::memory_order_relaxed);
	return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(std::size_t alignment, std::size_t size)
{
	allocations.fetch_add(1, std::memory_order_relaxed);
	return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **memory, std::size_t alignment, std::size_t size)
{
	allocations.fetch_add(1, std::memory_order_relaxed);
	return __real_posix_memalign(memory, alignment, size);
}

}

// Where the C++ library is linked dynamically, its own would not be counted.
void *operator new(std::size_t size)
{
	if (void *const memory = std::malloc(size > 0 ? size : 1))
		return memory;
	throw std::bad_alloc();
}

void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

__attribute__((destructor)) static void tell()
{
	const char *const path = std::getenv("DIG_TEST_COUNTS");
	std::FILE *const file = path ? std::fopen(path, "ae") : nullptr;
	if (!file)
		return;
	rusage usage{};
	getrusage(RUSAGE_SELF, &usage);
	std::fprintf(file, "%s %lu %ld\n", program_invocation_short_name, allocations.load(), usage.ru_minflt);
	std::fclose(file);
}
