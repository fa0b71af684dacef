// dig status tells of failures until they are settled, so they outlive the add.  Nearly every add
// has none and finds none.  So what was taken is noted only if there are old failures, and the
// lists are compared once, at the end.
#include "libdig/verbs/stage_failures.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/os/beneath.h"

namespace dig {

void StageFailures::add(const std::string &path, const std::string &message)
{
	std::lock_guard guard(mutex_);
	failures_.push_back({path, message});
}

void StageFailures::settle(const std::string &path)
{
	if (!has_old_)
		return;
	std::lock_guard guard(mutex_);
	settled_.push_back(path);
}

void StageFailures::look_at(const std::string &path)
{
	std::lock_guard guard(mutex_);
	scopes_.push_back(path);
}

// False where a path leads to nothing, so that there is nothing to take another time either.
static bool may_be_there(const File &root, const std::string &path)
{
	try {
		return find_stat_beneath(root, path).has_value();
	} catch (const SystemError &) {
		return true;
	}
}

void StageFailures::record()
{
	std::vector<JournalFailure> all;
	std::unordered_set<std::string_view> settled(settled_.begin(), settled_.end());
	for (const JournalFailure &failure : failures_)
		settled.insert(failure.path);
	for (const JournalFailure &old : writer_.failures()) {
		const bool was_looked_at = std::any_of(scopes_.begin(), scopes_.end(),
			[&](const std::string &scope) { return is_within(old.path, scope); });
		if (!settled.contains(old.path) && !was_looked_at && may_be_there(root_, old.path))
			all.push_back(old);
	}
	const std::size_t kept = all.size();
	std::copy_if(failures_.begin(), failures_.end(), std::back_inserter(all),
		[&](const JournalFailure &failure) { return may_be_there(root_, failure.path); });
	recorded_count_ = all.size() - kept;
	// The same list again would be written to the journal for nothing.
	const bool is_same = all.size() == writer_.failures().size() &&
		std::equal(all.begin(), all.end(), writer_.failures().begin(),
			[](const auto &a, const auto &b) { return a.path == b.path && a.message == b.message; });
	if (!is_same)
		writer_.set_failures(std::move(all));
}

} // namespace dig
