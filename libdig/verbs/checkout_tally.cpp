// Three kinds of trouble come out of an extraction, and each has another consequence.  A failure of
// one entry is told at once, counted, and makes the status 3, or 4 if it is damage.  What the file
// system cannot keep, such as modes on FAT, concerns every entry, so it is counted and told once,
// with the first reason.  An error that would meet every entry, such as a full disk, is thrown and
// ends the extraction.
#include "libdig/verbs/checkout_tally.h"

#include <cerrno>

#include "libdig/verbs/directory_stack.h"

namespace dig {

// What the file system was asked to set and does not keep.
static bool is_unsupported(int error)
{
	return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == EROFS;
}

void CheckoutTally::add(const Entry &entry)
{
	options_.work->files.add();
	std::lock_guard guard(mutex_);
	switch (entry.kind) {
	case EntryKind::file:
		result_.files++;
		result_.bytes += entry.size;
		break;
	case EntryKind::symlink: result_.symlinks++; break;
	default: result_.directories++; break;
	}
}

void CheckoutTally::add_failure(const CheckoutFailure &failure)
{
	std::lock_guard guard(mutex_);
	result_.failures++;
	// Damage is the worst news.
	if (result_.status != exit_status::corrupt)
		result_.status = failure.status;
	if (options_.failed)
		options_.failed(failure);
}

void CheckoutTally::add_unwritable(const std::string &path, const SystemError &error)
{
	if (!is_of_one_entry(error.error()))
		throw;
	add_failure({path, error.what(), exit_status::partial});
}

bool CheckoutTally::has_failures() const
{
	std::lock_guard guard(mutex_);
	return result_.failures > 0;
}

void CheckoutTally::try_to_set(UnsetCount &unset, const std::function<void()> &set)
{
	try {
		set();
	} catch (const SystemError &error) {
		if (!is_unsupported(error.error()))
			throw;
		note(unset, error.what());
	}
}

void CheckoutTally::note(UnsetCount &unset, const std::string &reason)
{
	std::lock_guard guard(mutex_);
	if (unset.entries++ == 0)
		unset.reason = reason;
}

std::uint16_t CheckoutTally::mode_of(const Entry &entry) const
{
	return entry.mode & (options_.restore_setuid ? 07777 : 0777);
}

void CheckoutTally::set_mode(const File &file, const Entry &entry)
{
	try_to_set(result_.modes, [&] { file.set_mode(mode_of(entry)); });
}

void CheckoutTally::set_times(const Entry &entry, const std::function<bool()> &set)
{
	try_to_set(result_.times, [&] {
		if (!set())
			note(result_.clamped_times, "the file system cannot hold the time of " +
				quote(entry.path) + "; the nearest that it can is set");
	});
}

void CheckoutTally::set_times(const File &file, const Entry &entry)
{
	if (entry.mtime_ns)
		set_times(entry, [&] { return file.set_times(*entry.mtime_ns); });
}

CheckoutResult CheckoutTally::result() const
{
	std::lock_guard guard(mutex_);
	return result_;
}

} // namespace dig
