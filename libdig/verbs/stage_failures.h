// What an add could not take, beside what adds before it could not.
//
// The journal keeps the failures that dig status lists.  An old one is forgotten when its path is
// taken, is found unchanged, fails anew, or lies within what an add has looked at as a whole.
#ifndef DIG_STAGE_FAILURES_H
#define DIG_STAGE_FAILURES_H

#include <mutex>
#include <string>
#include <vector>

#include "libdig/os/file.h"
#include "libdig/staging/staging.h"

namespace dig {

class StageFailures {
public:
	// root is the work tree.  Both must outlive this.
	StageFailures(StagingWriter &writer, const File &root)
		: writer_(writer), root_(root), has_old_(!writer.failures().empty())
	{
	}

	// These by any thread.
	void add(const std::string &path, const std::string &message);
	// The path was taken, or is what it was.  Costs nothing where no old failure is recorded.
	void settle(const std::string &path);
	// All of the path and below was looked at.
	void look_at(const std::string &path);

	// The rest when no thread adds any more.  Hands the failures that stay to the writer: of old
	// ones those that were not settled, and of old and new ones those whose path leads to something.
	void record();
	const std::vector<JournalFailure> &all() const { return failures_; } // of this add
	std::uint64_t recorded_count() const { return recorded_count_; }     // of all()

private:
	StagingWriter &writer_;
	const File &root_;
	const bool has_old_;
	std::mutex mutex_;
	std::vector<JournalFailure> failures_;
	std::vector<std::string> settled_, scopes_;
	std::uint64_t recorded_count_ = 0;
};

} // namespace dig

#endif
