// Writes the entries of a state as files, below one directory and nowhere else.
//
// All paths are checked before anything is written.  The check finds files that exist already, entries
// that stand in each other's way, and paths that no store may hold.  Then several threads make
// directories and write files.  Every directory is opened beneath the destination and never through a
// symlink.  Symlinks and empty directories come last.
//
// A file gets only verified chunks.  It gets its name when it is whole; until then it is removed if
// anything fails.
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
	// With overwrite: in a file or a block device that is there, only the ranges that differ are
	// written.  If this ends early, the file is half the old and half the new one.
	bool in_place = false;
	// With in_place: the file root of a file below the destination, where it is known for sure.  Such
	// a file is not read.
	std::function<std::optional<Digest>(const std::string &path, const FileStat &)> known_root;
	bool sync = false;            // durable when it returns
	bool restore_setuid = false;  // setuid, setgid and sticky bits, too
	// Told of each entry that is not extracted, as it happens, by one thread at a time.
	std::function<void(const CheckoutFailure &)> failed;
	std::string state = "the state"; // what messages call the manifest
	Work *work = &unseen_work();     // stages "check", "write" and "finish"
};

// Entries that were written, but the file system would not set their mode or time.
struct UnsetCount {
	std::uint64_t entries = 0;
	std::string reason; // of the first one; it names the entry
};

struct CheckoutResult {
	std::uint64_t files = 0, symlinks = 0, directories = 0; // entries; directories are empty ones
	std::uint64_t bytes = 0;                                // of files
	std::uint64_t failures = 0;       // told of
	int status = exit_status::done;   // the worst that one of them ends a command with
	UnsetCount modes, times;
	UnsetCount clamped_times; // the file system has the nearest that it can hold
};

// Extracts all of the manifest or, if there are paths, the entries at and below them.  Each entry gets
// its whole path below destination.  The destination is made if it is missing.
//
// Error (128) before anything is written, for a path that is not in the manifest, for an entry that
// exists and may not be replaced, and where something else stands in the way.  An entry that cannot be
// read from the store, or cannot be written where it belongs, fails by itself.  A directory that cannot
// be made is one failure for all below it.  A full or failing disk ends everything.
CheckoutResult checkout(Store &store, const TreeRoot &manifest, const std::vector<std::string> &paths,
	const std::string &destination, const CheckoutOptions &options = {});

} // namespace dig

#endif
