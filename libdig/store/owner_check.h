// Whether what leads to a store, and the store, belong to whom this user trusts.  A store tells where
// content is written and what counts as stored, and who may replace the file that points to it may
// point to another one; so each step of the way is asked before anything of it is read.
//
// Trusted are this user, for root under sudo also the user that called it (SUDO_UID), and what
// safe.directory of the global file names: the path itself, the store or the work tree; "/a/*" is all
// below /a, "*" everything.  A '/' at the end and symbolic links make no difference there.
//
// The work tree is no step of the way: what is in it is content and not orders, and root keeps the
// files of others.
#ifndef DIG_OWNER_CHECK_H
#define DIG_OWNER_CHECK_H

#include <cstdint>
#include <string>
#include <vector>

namespace dig {

class SystemError;

// What to do where a file of a store could not be used because it belongs to another user, as what
// root made in it; empty where that is not the reason.
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
