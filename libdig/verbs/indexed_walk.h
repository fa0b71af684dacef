// The records of a walk of the work tree, held against the index.
//
// A walk tells what there is, in the order of paths.  A path that the index has and the walk does not
// show was passed over, and that alone does not say why: it may be gone, ignored, in a store of its
// own, or newer than the walk's look at its directory.  So each of these paths is looked at here.
#ifndef DIG_INDEXED_WALK_H
#define DIG_INDEXED_WALK_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/verbs/scoped_records.h"
#include "libdig/worktree/work_record.h"

namespace dig {

class IndexedWalk {
public:
	// What the two have, in the order of paths.
	class Visitor {
	public:
		virtual ~Visitor() = default;
		// A file, a symlink or an empty directory.  known is its record; null where the index has none.
		virtual void present(const WorkRecord &found, const IndexRecord *known) = 0;
		// Tracked, but nothing that could be its entry lies there.  found is what lies there; null for
		// nothing.  A directory that is found has something in it, or the record is of no directory.
		virtual void absent(const IndexRecord &known, const WorkRecord *found) = 0;
		// The path, or what is below it, could not be looked at.
		virtual void failed(const std::string &path, const std::string &message) = 0;
		// A path that was asked for, and that leads to nothing.
		virtual void missing(const std::string &path) = 0;
		// A store of its own, or neither file, symlink nor directory.
		virtual void skipped(const WorkRecord &found) = 0;
	};

	// removes: entries of the index that are gone from the work tree are going to be removed, so that
	// an empty directory can take their place.  All must outlive this.
	IndexedWalk(const File &root, const Index &index, bool removes, Visitor &visitor);

	// Every record of the walk, from its scopes to its end.
	void take(const WorkRecord &record);
	// The paths that were asked for.
	const std::vector<std::string> &scopes() const { return known_.scopes(); }

private:
	void pass_over(std::optional<std::string_view> path);
	void present(const WorkRecord &record);
	void failed(const WorkRecord &record);
	void look_at(const IndexRecord &record);
	bool is_new_directory(const std::string &path);
	bool is_whole_entry(const WorkRecord &found) const;

	const File &root_;
	bool removes_;
	Visitor &visitor_;
	ScopedRecords known_;
	IndexCursor beside_;
	std::string failed_; // the last path that failed: what the index has below it stays unknown
};

} // namespace dig

#endif
