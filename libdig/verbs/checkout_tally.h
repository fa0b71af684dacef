// What an extraction comes to: entries that were written, those that failed, and what the file system
// would not set.  Any thread may tell.
#ifndef DIG_CHECKOUT_TALLY_H
#define DIG_CHECKOUT_TALLY_H

#include <mutex>

#include "libdig/format/entry.h"
#include "libdig/os/file.h"
#include "libdig/verbs/checkout.h"

namespace dig {

class CheckoutTally {
public:
	// options must outlive it.
	explicit CheckoutTally(const CheckoutOptions &options) : options_(options) {}

	// The entry is there and whole.
	void add(const Entry &entry);
	void add_failure(const CheckoutFailure &failure);
	// To be called where the error is handled.  Throws it again when it is no fate of one entry.
	void add_unwritable(const std::string &path, const SystemError &error);
	bool has_failures() const;

	// These set what the entry says, and count it where the file system does not do that.  Other
	// failures are thrown.
	void set_mode(const File &file, const Entry &entry);
	void set_times(const File &file, const Entry &entry);
	// set returns false where the file system cannot hold the time, and has the nearest.
	void set_times(const Entry &entry, const std::function<bool()> &set);
	// The mode that the entry is to have: set-ID bits only where they are asked for.
	std::uint16_t mode_of(const Entry &entry) const;

	CheckoutResult result() const;

private:
	void try_to_set(UnsetCount &unset, const std::function<void()> &set);
	void note(UnsetCount &unset, const std::string &reason);

	const CheckoutOptions &options_;
	mutable std::mutex mutex_;
	CheckoutResult result_;
};

} // namespace dig

#endif
