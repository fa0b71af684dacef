// Entries of a state become files again, below one directory and nowhere else.
//
// Paths are checked before anything is written: those that are there already, those that stand in
// each other's way, those that no store would hold.  Then directories are made and files written,
// by several threads, through descriptors of directories that were opened beneath the destination
// and never through a symlink; symlinks and empty directories come last.  A file gets its bytes
// only from verified chunks, and its name only when it is whole, or else it is removed again.
#ifndef DIG_CHECKOUT_H
#define DIG_CHECKOUT_H

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct CheckoutFailure {
	std::string path, reason;
	int status; // that it ends a command with
};

struct CheckoutOptions {
	bool overwrite = false;       // replace files and symlinks that are there
	bool replace_special = false; // with overwrite: devices, FIFOs and sockets, too
	// With overwrite: a file or a block device that is there gets only the ranges that differ, in
	// place.  Whatever ends this early leaves it half the one and half the other.
	bool in_place = false;
	// With in_place: the file root that a file below the destination has for sure, so that it need
	// not be read.
	std::function<std::optional<Digest>(const std::string &path, const FileStat &)> known_root;
	bool sync = false;            // durable when it returns
	bool restore_setuid = false;  // setuid, setgid and sticky bits, too
	// Told of each entry that is not extracted, as it happens, by one thread at a time.
	std::function<void(const CheckoutFailure &)> failed;
	std::string state = "the state"; // what messages call the manifest
	Work *work = &unseen_work();     // stages "check", "write" and "finish"
};

// Something that the file system does not let us set, of entries that are there otherwise.
struct UnsetCount {
	std::uint64_t entries = 0;
	std::string reason; // of the first, which it names
};

struct CheckoutResult {
	std::uint64_t files = 0, symlinks = 0, directories = 0; // entries; directories are empty ones
	std::uint64_t bytes = 0;                                // of files
	std::uint64_t failures = 0;       // told of
	int status = exit_status::done;   // the worst that one of them ends a command with
	UnsetCount modes, times;
	UnsetCount clamped_times; // the file system has the nearest that it can hold
};

// Extracts all of the manifest or, if there are paths, what is at and below them, under its whole
// path below destination, which is made if it is missing.  Error (128) before anything is written
// for a path that is not in the manifest, one that exists and may not be replaced, and one that
// something else stands in the way of.  An entry that cannot be read from the store fails by itself,
// and so does one that may not be written where it belongs; a directory that cannot be made is one
// failure for all below it.  A full or failing disk ends everything.
CheckoutResult checkout(Store &store, const TreeRoot &manifest, const std::vector<std::string> &paths,
	const std::string &destination, const CheckoutOptions &options = {});

} // namespace dig

#endif
