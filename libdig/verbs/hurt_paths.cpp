#include "libdig/verbs/hurt_paths.h"

#include <algorithm>

namespace dig {

constexpr std::size_t most_open = 10000; // some MB

void HurtPaths::begin(const std::string &path, std::uint64_t generation, const std::string &why)
{
	if (open_.size() < most_open)
		open_[path] = {generation, why};
	else
		// Memory is bounded: this one is told at once, and its last state is not.
		tell({path, generation, generation, true, why});
}

void HurtPaths::end(const std::string &path, std::uint64_t last)
{
	const auto at = open_.find(path);
	if (at == open_.end())
		return;
	const Hurt &hurt = at->second;
	tell({path, hurt.since, std::max(hurt.since, last), false, hurt.why});
	open_.erase(at);
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
