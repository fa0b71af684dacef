// Which paths have changed from one tree to the next, noted for dig log: .dig/changed-paths/N.  Derived.
//
//     +-------------+------------+---------------------+---------------------+-----
//     | root of the | root of    | length of | path    | length of | path    | ...
//     | tree before | the tree   | u16       |         | u16       |         |
//     +-------------+------------+---------------------+---------------------+-----
//     0             32           64
//
// A record is of two trees, which it names by their roots, and not of a generation.  So it stays true
// whatever becomes of the states and of the layers, and one of another store says nothing of this one.  It
// has all paths whose entries differ, in order; a record without any says that they are too many, or too
// scattered.
//
// The file is a record log (record_log.h), normative in dig-store-layout(5).  A file that is missing, short
// or damaged costs time alone: the trees are compared instead.
#ifndef DIG_CHANGED_PATHS_H
#define DIG_CHANGED_PATHS_H

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libdig/store/store.h"

namespace dig {

// A record as it is read: a view of bytes that nobody has checked but for their checksum.
class ChangedPaths {
public:
	constexpr static std::size_t least_bytes = 2 * sizeof(Digest), most_bytes = 8_KiB;

	// CorruptError unless the paths are in strict order and end where the bytes do.
	static ChangedPaths decode(Bytes record, std::string_view name);
	// Of paths in strict order; they are left out if they are too many for a record.
	static Buffer encode(const Digest &before, const Digest &after, const std::vector<std::string> &paths);

	const Digest &before() const { return before_; }
	const Digest &after() const { return after_; }
	bool has_paths() const { return !paths_.empty(); }
	// Whether the path, or one below it, is among them.  An empty path stands for everything.
	bool has(std::string_view path) const;

private:
	Digest before_, after_;
	std::vector<std::string_view> paths_;
};

// What is noted of some paths.  Costs the memory of one file's records, as far as they are of these paths.
class NotedChanges {
public:
	NotedChanges(const StorePaths &paths, std::vector<std::string> wanted);

	// For each wanted path, whether it or something below it differs between the trees, of which the second
	// one is that of the generation.  Null where this is not noted.  Until the next call.
	const std::vector<bool> *find(std::uint64_t generation, const Digest &before, const Digest &after);

private:
	std::string directory_;
	std::vector<std::string> wanted_;
	std::optional<std::uint64_t> file_number_; // that was read last
	std::map<std::pair<Digest, Digest>, std::vector<bool>> found_;
};

// Notes what the newest state has changed, and some older states in the same file that are not noted.
// Compares trees.  Nothing is noted in a store of which content may lie in a remote.  Not durable.  Under the
// store's lock.
void note_changed_paths(Store &store);
// The same of some states in the file that has this generation; false when none is left.
bool note_older_changed_paths(Store &store, std::uint64_t generation);
// The last generation in the file before that of this one, or 0.
std::uint64_t before_changed_paths_of(std::uint64_t generation);

// Calls problem for each file that is damaged or torn.
void check_changed_paths(const StorePaths &paths, std::uint64_t generations,
	const std::function<void(const std::string &)> &problem);

} // namespace dig

#endif
