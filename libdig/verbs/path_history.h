// In which states a path has changed, the newest one first.
#ifndef DIG_PATH_HISTORY_H
#define DIG_PATH_HISTORY_H

#include <functional>
#include <string>
#include <vector>

#include "libdig/store/changed_paths.h"
#include "libdig/store/path_diff.h"
#include "libdig/store/state_headers.h"

namespace dig {

class PathHistory {
public:
	// The paths are normalised; messages say them as they were typed, which is at the same place in typed.
	PathHistory(Store &store, std::vector<std::string> paths, std::vector<std::string> typed);

	// A state, and the newest one before it that has its content; 0 stands for the time before the first
	// commit.
	struct Step {
		std::uint64_t generation, before;
	};
	// Calls take for each state from this one on down that is_wanted by its header and in which one of the
	// paths, or something below it, is not as in the state before; false ends the walk.  A state whose
	// content was dropped is passed over.  Afterwards: Error (128) if a path is in no state from there on.
	// What is noted of the states (changed_paths.h) answers at once; for others it costs the nodes that lead
	// to the paths, in the wanted states alone.
	void each(std::uint64_t from, const std::function<bool(const LayerHeader &)> &is_wanted,
		const std::function<bool(const Step &)> &take);

	StateHeaders &headers() { return headers_; }
	TreeRoot manifest(std::uint64_t generation);
	// The newest state before this one that has its content, or 0.
	std::uint64_t before(std::uint64_t generation) const;

private:
	struct Candidate {
		Step step;
		TreeRoot before, after;
		std::vector<bool> differs = {}; // by path; empty until it is known
	};
	Candidate candidate(std::uint64_t generation);
	void compare(std::vector<Candidate> &candidates);
	void require_found(std::uint64_t from);

	Store &store_;
	StateHeaders headers_;
	std::shared_ptr<const LayerTable> table_;
	std::vector<std::string> paths_, typed_;
	std::vector<bool> found_; // by path
	NotedChanges noted_;
};

} // namespace dig

#endif
