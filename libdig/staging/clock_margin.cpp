#include "libdig/staging/clock_margin.h"

#include "libdig/base/error.h"
#include "libdig/os/clock.h"
#include "libdig/staging/index_record.h"

namespace dig {

// Each subvolume and each snapshot is a device, too.
constexpr std::size_t most_devices = 4096;

// Something on that device: the root, what the file lies in, or the file itself where that is a mount.
static bool lies_on_coarse_clock(const File &root, const std::string &path, std::uint64_t device)
{
	try {
		if (root.stat().device == device)
			return is_on_coarse_clock(root);
		const Parent parent = open_parent_beneath(root, path);
		if (parent.directory.stat().device == device)
			return is_on_coarse_clock(parent.directory);
		return is_on_coarse_clock(open_beneath(root, path, O_PATH));
	} catch (const SystemError &) {
		return true;
	}
}

std::int64_t ClockMargins::of(const std::string &path, const FileStat &stat)
{
	// Nearly all files of a walk lie on the device of the one before.
	if (last_margin_ != 0 && stat.device == last_device_)
		return last_margin_;
	if (of_devices_.size() >= most_devices)
		of_devices_.clear();
	std::int64_t &margin = of_devices_[stat.device];
	if (margin == 0)
		margin = lies_on_coarse_clock(root_, path, stat.device) ? coarse_clock_margin_ns : fine_clock_margin_ns;
	last_device_ = stat.device;
	return last_margin_ = margin;
}

} // namespace dig
