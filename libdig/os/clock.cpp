// File systems keep more times than 64 bits of nanoseconds can: ext4 has years up to 2446 and XFS
// up to 2486.  A time outside becomes the nearer limit, because a file must not fail to be stored
// for its time.  The add that stores it says so.
//
// Division rounds down and not towards zero.  So a time before 1970 is the second before it and a
// positive rest, as in struct timespec.
#include "libdig/os/clock.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "libdig/os/file.h"

namespace dig {

std::int64_t nanoseconds_of(const timespec &time)
{
	// Both parts with the same sign: no product goes further than the sum.
	const bool is_early = time.tv_sec < 0;
	const std::int64_t seconds = time.tv_sec + is_early, rest = time.tv_nsec - is_early * nanoseconds_a_second;
	std::int64_t ns;
	if (__builtin_mul_overflow(seconds, nanoseconds_a_second, &ns) || __builtin_add_overflow(ns, rest, &ns))
		return is_early ? first_time_ns : last_time_ns;
	return ns;
}

std::int64_t seconds_of(std::int64_t ns)
{
	return ns / nanoseconds_a_second - (ns % nanoseconds_a_second < 0);
}

timespec timespec_of(std::int64_t ns)
{
	const std::int64_t rest = ns % nanoseconds_a_second;
	return {static_cast<time_t>(seconds_of(ns)),
		static_cast<long>(rest < 0 ? rest + nanoseconds_a_second : rest)};
}

std::int64_t now_ns()
{
	timespec now;
	::clock_gettime(CLOCK_REALTIME, &now);
	return nanoseconds_of(now);
}

bool is_time_kept(std::int64_t set_ns, std::int64_t found_ns)
{
	const std::int64_t difference = seconds_of(set_ns) - seconds_of(found_ns);
	return difference >= -2 && difference <= 2;
}

bool is_on_coarse_clock(const File &file)
{
	// File systems whose time stamps are coarser than the kernel's tick of 1-10 ms.
	struct statfs raw;
	if (::fstatfs(file.fd(), &raw) < 0)
		return true;
	switch (static_cast<unsigned long>(raw.f_type)) {
	case EXT4_SUPER_MAGIC: // ext3 has the same magic; its whole seconds show in the stamps
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case 0x2fc12fc1: // zfs
	case F2FS_SUPER_MAGIC: return false;
	default: return true;
	}
}

} // namespace dig
