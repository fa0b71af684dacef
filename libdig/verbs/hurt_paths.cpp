#include "libdig/verbs/hurt_paths.h"

#include <algorithm>

namespace dig {

constexpr std::size_t most_open = 10000; // some MB

void HurtPaths::begin(const std::string &path, std::uint64_t generation, const std::string &why)
{
	if (open_.size() + begun_.size() < most_open)
		begun_[path] = {generation, why};
	else
		// Memory is bounded: this one is told at once, and its last state is not.
		tell({path, generation, generation, true, why});
}

void HurtPaths::end(const std::string &path)
{
	if (open_.contains(path))
		ended_.push_back(path);
}

void HurtPaths::finish_state(std::uint64_t last)
{
	for (const std::string &path : ended_) {
		const auto at = open_.find(path);
		const Hurt &hurt = at->second;
		tell({path, hurt.since, std::max(hurt.since, last), false, hurt.why});
		open_.erase(at);
	}
	ended_.clear();
	open_.merge(begun_);
}

void HurtPaths::give_up_state()
{
	for (const auto &[path, hurt] : begun_)
		tell({path, hurt.since, hurt.since, false, hurt.why});
	begun_.clear();
	ended_.clear();
}

void HurtPaths::end_all(std::uint64_t last)
{
	for (const auto &[path, hurt] : open_)
		tell({path, hurt.since, std::max(hurt.since, last), false, hurt.why});
	open_.clear();
}

void HurtPaths::tell(const Told &told)
{
	count_++;
	first_ = first_ ? std::min(first_, told.first) : told.first;
	last_ = std::max(last_, told.last);
	tell_(told);
}

} // namespace dig
