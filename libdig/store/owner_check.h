// Whether a store, and every file and link on the way to it, belongs to somebody whom this user trusts.
// A store decides where content is written and what counts as stored, and a file that points to a store
// decides which store it is.  So each step is checked before it is read.
//
// Trusted are: this user; for root under sudo, also the user that called sudo (SUDO_UID); and every
// place that safe.directory of the global file names, which is a path, a store or a work tree.  "/a/*"
// means everything below /a, and "*" everything.  A '/' at the end and symbolic links make no
// difference.
//
// The owner of the work tree is not checked.  Its files are content and give no orders, and root keeps
// the files of others.
#ifndef DIG_OWNER_CHECK_H
#define DIG_OWNER_CHECK_H

#include <cstdint>
#include <string>
#include <vector>

namespace dig {

class SystemError;

// Advice for the error that a file of a store belongs to another user, as files that root made in it
// do.  Empty when the error has another reason.
std::string advice_on_owner(const SystemError &error);

class OwnerCheck {
public:
	// work_tree may be empty.
	explicit OwnerCheck(std::string work_tree) : work_tree_(std::move(work_tree)) {}

	// Error when the path, or a symbolic link that it leads over at its end, is a stranger's.
	// A path that is not there passes.
	void require(const std::string &path) const;

private:
	bool is_named_safe(const std::string &path) const;

	std::string work_tree_;
};

} // namespace dig

#endif
