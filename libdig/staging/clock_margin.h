// How coarse the clocks of file systems are.  A work tree may reach over several of them, and what
// counts is the one that a file lies on.
#ifndef DIG_CLOCK_MARGIN_H
#define DIG_CLOCK_MARGIN_H

#include <unordered_map>

#include "libdig/os/beneath.h"

namespace dig {

class ClockMargins {
public:
	// root must outlive this.
	explicit ClockMargins(const File &root) : root_(root) {}

	// For is_untouched(), of the file at path below root.  Asks once a device.
	std::int64_t of(const std::string &path, const FileStat &stat);

private:
	const File &root_;
	std::unordered_map<std::uint64_t, std::int64_t> of_devices_;
	std::uint64_t last_device_ = 0;
	std::int64_t last_margin_ = 0; // 0 before the first
};

} // namespace dig

#endif
