// What is noted of a state tells whether a path has changed.  Other states are compared in batches, by
// threads that take a run of neighbours each: neighbours share nearly all nodes, and each thread keeps those
// that it has read.  The first batches are small, so that the newest states are told at once.
#include "libdig/verbs/path_history.h"

#include <algorithm>

#include "libdig/os/machine.h"
#include "libdig/os/process.h"
#include "libdig/os/workers.h"
#include "libdig/verbs/near_paths.h"

namespace dig {

constexpr std::size_t first_batch = 16, largest_batch = 512;
constexpr std::size_t states_a_thread = 16; // for fewer, starting one costs more than it gains
constexpr std::size_t most_threads = 4;
constexpr std::size_t kept_nodes_size = 4_MiB;

PathHistory::PathHistory(Store &store, std::vector<std::string> paths, std::vector<std::string> typed)
	: store_(store), headers_(store), table_(store.layer_table()), paths_(std::move(paths)), typed_(std::move(typed)),
	  found_(paths_.size()), noted_(store.paths(), paths_)
{
}

std::uint64_t PathHistory::before(std::uint64_t generation) const
{
	do
		generation--;
	while (generation > 0 && table_->is_dropped(generation));
	return generation;
}

TreeRoot PathHistory::manifest(std::uint64_t generation)
{
	if (generation == 0)
		return store_.manifest(0);
	const LayerHeader &header = headers_.at(generation);
	return {header.manifest_root, header.entries, header.bytes};
}

PathHistory::Candidate PathHistory::candidate(std::uint64_t generation)
{
	const std::uint64_t before = this->before(generation);
	Candidate made{{generation, before}, manifest(before), manifest(generation)};
	if (const std::vector<bool> *const noted = noted_.find(generation, made.before.id, made.after.id))
		made.differs = *noted;
	return made;
}

void PathHistory::compare(std::vector<Candidate> &candidates)
{
	std::vector<Candidate *> left;
	for (Candidate &candidate : candidates)
		if (candidate.differs.empty())
			left.push_back(&candidate);
	const auto compare_run = [&](std::size_t first, std::size_t last) {
		KeptNodes nodes(store_, kept_nodes_size);
		PathDiff diff(nodes);
		for (std::size_t i = first; i < last; i++) {
			check_interrupted();
			for (const std::string &path : paths_)
				left[i]->differs.push_back(diff.has_any(left[i]->before, left[i]->after, path));
		}
	};
	const std::size_t count = std::clamp<std::size_t>(left.size() / states_a_thread, 1,
		std::min(usable_cores(), most_threads));
	const std::size_t share = (left.size() + count - 1) / count;
	Workers workers;
	for (std::size_t i = 1; i < count; i++) {
		const auto run = [&, i] { compare_run(i * share, std::min((i + 1) * share, left.size())); };
		if (!workers.start(run))
			workers.run(run);
	}
	workers.run([&] { compare_run(0, std::min(share, left.size())); });
	workers.join();
}

void PathHistory::each(std::uint64_t from, const std::function<bool(const LayerHeader &)> &is_wanted,
	const std::function<bool(const Step &)> &take)
{
	std::size_t most = first_batch;
	bool goes_on = true;
	for (std::uint64_t generation = from; generation > 0 && goes_on; most = std::min(2 * most, largest_batch)) {
		std::vector<Candidate> candidates;
		for (; generation > 0 && candidates.size() < most; generation--)
			if (!table_->is_dropped(generation) && is_wanted(headers_.at(generation)))
				candidates.push_back(candidate(generation));
		compare(candidates);
		for (std::size_t i = 0; i < candidates.size() && goes_on; i++) {
			bool has_changed = false;
			for (std::size_t path = 0; path < paths_.size(); path++)
				if (candidates[i].differs[path])
					has_changed = found_[path] = true;
			goes_on = !has_changed || take(candidates[i].step);
		}
	}
	require_found(from);
}

// A path that is in a state has come in one up to it.
void PathHistory::require_found(std::uint64_t from)
{
	while (from > 0 && table_->is_dropped(from))
		from--;
	for (std::size_t i = 0; i < paths_.size(); i++) {
		if (found_[i] || paths_[i].empty() || has_path(manifest(from), store_.nodes(), paths_[i]))
			continue;
		KeptNodes nodes(store_, kept_nodes_size);
		PathDiff diff(nodes);
		bool is_there = false;
		for (std::uint64_t generation = from; generation > 0 && !is_there; generation = before(generation)) {
			check_interrupted();
			const Candidate state = candidate(generation);
			is_there = state.differs.empty() ? diff.has_any(state.before, state.after, paths_[i]) : state.differs[i];
		}
		if (!is_there)
			throw Error(quote(typed_[i]) + " is in no state" +
				(from == headers_.size() ? std::string() : " up to @" + std::to_string(from)) +
				did_you_mean_path(manifest(from), store_.nodes(), paths_[i]));
	}
}

} // namespace dig
