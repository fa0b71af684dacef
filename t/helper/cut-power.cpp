// Shuts a file system down as a power cut would: nothing that is in memory only comes to its device.
//
//	cut-power --log | --no-log DIRECTORY
//
// --log writes the log of the file system first, so that names and sizes are new where content may not
// be; with --no-log it is as the last sync has left it.  For XFS and ext4, as root.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/ioctl.h>

// XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN, with XFS_FSOP_GOING_FLAGS_LOGFLUSH and _NOLOGFLUSH.
constexpr unsigned long shutdown_request = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t with_log = 1, without_log = 2;

int main(int argc, char **argv)
{
	const std::string_view option = argc == 3 ? argv[1] : "";
	if (option != "--log" && option != "--no-log") {
		std::fputs("usage: cut-power --log | --no-log DIRECTORY\n", stderr);
		return 129;
	}
	std::uint32_t flags = option == "--log" ? with_log : without_log;
	const int directory = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || ioctl(directory, shutdown_request, &flags) < 0) {
		std::fprintf(stderr, "cut-power: '%s': %s\n", argv[2], std::strerror(errno));
		return 128;
	}
	return 0;
}
