// The staging area: what dig knows of the paths of the work tree (dig-index-format(5)).
//
// staging/index, the base, holds a record for each path of the last state and of what is staged
// over it.  staging/changes holds what came since, and is small: it is merged into a new base
// when it exceeds max(4 MiB, base / 8).  So adding one path to a million costs what one path
// costs.  Both are sorted by path, in blocks with checksums:
//
//     +----------+-------+-----+-------+-------------+------+
//     | preamble | block | ... | block | block table | tail |
//     +----------+-------+-----+-------+-------------+------+
//
// `changes` names the base that it belongs to.  Beside any other it is stale, as after a crash
// between writing a new base and removing it, and is ignored.
#ifndef DIG_INDEX_H
#define DIG_INDEX_H

#include "libdig/staging/index_file.h"

namespace dig {

// A walk over base and changes as one, in the order of paths.
class IndexCursor {
public:
	IndexCursor(std::shared_ptr<IndexFile> base, std::shared_ptr<IndexFile> changes);
	~IndexCursor();
	IndexCursor(IndexCursor &&) noexcept;
	IndexCursor &operator=(IndexCursor &&) noexcept;

	// Null at the end.  Removed paths come, too; until the next call.
	const IndexRecord *current() const;
	bool at_end() const { return !current(); }
	// Of the current record.
	std::string_view path() const { return current()->entry.path; }
	void next();
	// To the first record at or behind path; forward is cheap, backward costs a look-up.
	void seek(std::string_view path);

private:
	void settle();
	std::unique_ptr<IndexFileCursor> base_, changes_;
	const IndexRecord *current_ = nullptr;
};

// Finds what cannot stand beside a path: files where it has directories, and all below it.
class DisplacedRecords {
public:
	explicit DisplacedRecords(IndexCursor cursor) : at_(std::move(cursor)) {}

	// Calls found for each such record that is not removed.  Calls in the order of paths are cheap.
	void find(const std::string &path, const std::function<void(const IndexRecord &)> &found);

private:
	IndexCursor at_;
	std::string last_directory_; // whose parents were looked at
};

class Index {
public:
	// The index in the directory; empty where there is none.  Where it is damaged and nothing can be
	// staged, what is left of it, which may be nothing: is_lost() then.
	static Index open(const std::string &directory);
	// The same, but whatever is damaged is a CorruptError.
	static Index open_whole(const std::string &directory);
	// Its content follows from the newest state.
	bool is_lost() const { return is_lost_; }
	// Removes the files that cannot be read of one that is lost.  Under staging/lock.
	void remove_lost() const;

	const IndexState &state() const { return state_; }
	bool is_there() const { return base_ || changes_; }
	IndexCursor cursor() const { return IndexCursor(base_, changes_); }
	// All that is staged, among other records; costs what was put since the commit before, and no
	// more than that however long the index is.
	IndexCursor staged_cursor() const;
	bool is_staged(const IndexRecord &record) const
	{
		return record.sequence > state_.committed_sequence;
	}
	// The record of a path that is not removed.
	std::optional<IndexRecord> find(std::string_view path) const;
	// False only if nothing is staged; cheap.
	bool may_have_staged() const;
	// Checks every byte of both files.
	void check() const;

private:
	friend class IndexUpdate;
	bool may_have_staged(const std::shared_ptr<IndexFile> &file) const;

	std::shared_ptr<IndexFile> base_, changes_;
	IndexState state_;
	std::string directory_;
	bool is_lost_ = false;
};

} // namespace dig

#endif
