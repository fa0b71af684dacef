// Where content goes: a file that is made, replaced, or changed in place.
//
//     new          under its own name, when it is small and nothing is there
//     replaced     under a temporary name beside it, and renamed when it is whole
//     in place     the file that is there gets the ranges that differ; so does a block device
//
// A file that is written apart gets its name only when it is whole.  What is not whole when a Target
// ends is removed.
#ifndef DIG_TARGET_H
#define DIG_TARGET_H

#include <atomic>
#include <span>
#include <unordered_set>

#include "libdig/verbs/checkout_tally.h"
#include "libdig/verbs/directory_stack.h"
#include "libdig/verbs/old_content.h"

namespace dig {

// Content up to this size is written by one worker at once.
constexpr std::uint64_t small_file = 1_MiB;

// What stands where entries are to go.  Nothing is written.
class Obstacles {
public:
	explicit Obstacles(const CheckoutOptions &options) : options_(options) {}

	// Of each entry in turn; stack is at the destination and makes nothing.  Error (128) when what is
	// there may not be replaced.
	void add(DirectoryStack &stack, const Entry &entry);
	// By number of entry: whether it replaces, or is, something that exists.
	bool exists(std::size_t number) const { return exists_[number]; }
	// Whether that is a block device to write into.
	bool is_device(std::size_t number) const { return devices_.contains(number); }

private:
	bool is_there(DirectoryStack &stack, const Entry &entry);
	void check_special(const Entry &entry, const File &parent, FileType type);

	const CheckoutOptions &options_;
	std::vector<bool> exists_;
	std::unordered_set<std::size_t> devices_;
};

// What all targets of one extraction have in common.  Any thread.
struct TargetPlan {
	TargetPlan(Store &from, const CheckoutOptions &with, CheckoutTally &into);
	// A name that nothing else has.
	std::string temporary_name() { return temporary_prefix + std::to_string(temporary_count++); }

	Store &store;
	const CheckoutOptions &options;
	CheckoutTally &tally;
	std::string temporary_prefix;
	std::atomic<std::uint64_t> temporary_count{0};
};

// Of one thread at a time, but for write() of large files, punch_hole() and what says so.
class Target {
public:
	// Where the entry goes.
	struct Spot {
		DirectoryPointer directory;
		bool replaces = false;
		bool is_device = false; // a block device that is written in place
	};
	Target(TargetPlan &plan, const Entry &entry, Spot spot);
	~Target();
	Target(const Target &) = delete;

	const Entry &entry() const { return entry_; }
	// What is there already, in a large file that is changed in place; else null.
	OldContent *old() { return old_ ? &*old_ : nullptr; }
	bool is_device() const { return spot_.is_device; }

	// Opens a large file with its size, kept or made.
	void open_large();
	// True when a hole, or what is there, is as good as zeros.
	bool punch_hole(std::uint64_t offset, std::uint64_t size) const;
	// The one place where content gets into files.  Of a small file, all chunks: it is left alone when
	// it has them already.
	void write(std::span<const WantedChunk> chunks);
	// Sets mode and time, and gives the file its name.
	void complete();

	// Threads that need it, and the planner.  The last one completes it.
	void add_user() { users_++; }
	bool is_last_user() { return --users_ == 0; }

	// Any thread.  The first failure is kept.
	void fail(const std::string &reason, int status);
	// To be called where the error is handled.  Throws it again when it is no fate of one entry.
	void fail_unwritable(const SystemError &error);
	bool has_failed() const { return has_failed_; }
	// Only by the last user.
	CheckoutFailure failure() const { return {entry_.path, reason_, status_}; }

private:
	bool keep(int access);
	void keep_device();
	void make(bool is_large);
	void keep_owner() const;
	bool is_there_already(std::span<const WantedChunk> chunks);
	void set_attributes();

	TargetPlan &plan_;
	Entry entry_;
	Spot spot_;
	File file_;
	std::string made_name_;         // of what is on disk and not whole
	std::optional<OldContent> old_; // of file_, when it is changed in place
	bool is_kept_ = false;          // file_ is what was there, changed in place or not at all
	std::atomic<std::uint64_t> users_{1};
	std::atomic<bool> has_failed_{false};
	std::mutex mutex_;
	std::string reason_;
	int status_ = exit_status::done;
};
using TargetPointer = std::shared_ptr<Target>;

// What has no content to be read in pieces.  exists says that something of the kind that may be
// replaced is there; for a directory, that it is there itself.
void write_symlink(TargetPlan &plan, const Entry &entry, const File &parent, const std::string &text, bool exists);
void write_directory(TargetPlan &plan, const Entry &entry, const File &parent, bool exists);

} // namespace dig

#endif
