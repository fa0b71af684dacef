// The records of the index within the scopes of a walk, in step with it.
#ifndef DIG_SCOPED_RECORDS_H
#define DIG_SCOPED_RECORDS_H

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/staging/index.h"

namespace dig {

class ScopedRecords {
public:
	explicit ScopedRecords(IndexCursor at) : at_(std::move(at)) {}

	// A path and all below it; "" is everything.  Before the first pass_over().
	void add_scope(const std::string &path);
	const std::vector<std::string> &scopes() const { return scopes_; }

	// Calls passed for each record before position; without one, for all that are left.  Records that
	// are removed or lie in no scope are left out; whole stretches between scopes cost one look-up.
	void pass_over(std::optional<std::string_view> position,
		const std::function<void(const IndexRecord &)> &passed);
	// The record of a path that pass_over() has come to, if there is one; good until the next call.
	const IndexRecord *current(std::string_view path) const;
	// Past the record of a path that pass_over() has come to.
	void skip(std::string_view path);
	// Past all that lies at path and, right behind it, below.
	void skip_within(std::string_view path);

private:
	bool is_in_scope(std::string_view path) const;
	bool go_to_scope_behind(const std::string &path);

	IndexCursor at_;
	std::vector<std::string> scopes_, starts_;
	bool is_sorted_ = true, is_at_end_ = false;
};

} // namespace dig

#endif
