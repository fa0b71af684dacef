// Entries of a state become files again, below one directory and nowhere else.
//
// Paths are checked before anything is written: those that are there already, those that stand in
// each other's way, those that no store would hold.  Then directories are made and files written,
// by several threads, through descriptors of directories that were opened beneath the destination
// and never through a symlink; symlinks and empty directories come last.  A file gets its bytes
// only from verified chunks, and its name only when it is whole, or else it is removed again.
#ifndef DIG_CHECKOUT_H
#define DIG_CHECKOUT_H

#include "libdig/metrics.h"
#include "libdig/store.h"

namespace dig {

struct CheckoutOptions {
	bool overwrite = false;       // replace files and symlinks that are there
	// With overwrite: a file that is there gets only the ranges that differ, in place.  Whatever ends
	// this early leaves such a file half the one and half the other.
	bool in_place = false;
	// With in_place: the file root that a file below the destination has for sure, so that it need
	// not be read.
	std::function<std::optional<Digest>(const std::string &path, const FileStat &)> known_root;
	bool sync = false;            // durable when it returns
	bool restore_setuid = false;  // setuid, setgid and sticky bits, too
	std::string state = "the state"; // what messages call the manifest
	Work *work = &unseen_work();     // stages "check", "write" and "finish"
};

struct CheckoutFailure {
	std::string path, reason;
	int status; // that it ends a command with
};

struct CheckoutResult {
	std::uint64_t files = 0, symlinks = 0, directories = 0; // entries; directories are empty ones
	std::uint64_t bytes = 0;                                // of files
	std::vector<CheckoutFailure> failures;                  // damaged, or of an unknown kind
	std::uint64_t clamped_times = 0; // files whose time the file system cannot hold
	std::string first_clamped;       // one of them
};

// Extracts all of the manifest or, if there are paths, what is at and below them, under its whole
// path below destination, which is made if it is missing.  Error (128) before anything is written
// for a path that is not in the manifest, one that exists and may not be replaced, and one that
// something else stands in the way of.  What cannot be read from the store fails by itself; a
// failure to write ends everything.
CheckoutResult checkout(Store &store, const TreeRoot &manifest, const std::vector<std::string> &paths,
	const std::string &destination, const CheckoutOptions &options = {});

} // namespace dig

#endif
