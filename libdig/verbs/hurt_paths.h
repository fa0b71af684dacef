// Paths whose content is damaged, and the states that follow each other and have it so.
#ifndef DIG_HURT_PATHS_H
#define DIG_HURT_PATHS_H

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dig {

class HurtPaths {
public:
	struct Told {
		const std::string &path;
		std::uint64_t first, last;
		bool is_open; // states after the last one may have it, too
		const std::string &why;
	};
	explicit HurtPaths(std::function<void(const Told &)> tell) : tell_(std::move(tell)) {}

	// The states are looked at in order, each with its difference from the last one that could be read.  What
	// is said of a state counts when it is finished.
	void begin(const std::string &path, std::uint64_t generation, const std::string &why);
	// The path is gone or another one.
	void end(const std::string &path);
	// last is the last state that was finished before.
	void finish_state(std::uint64_t last);
	// Its list of files is damaged: what was said of it holds for it alone.
	void give_up_state();
	void end_all(std::uint64_t last);

	bool is_empty() const { return open_.empty() && begun_.empty(); }
	// Paths that were told, each once for all the states that have it so; and their states.
	std::uint64_t count() const { return count_; }
	std::uint64_t first() const { return first_; }
	std::uint64_t last() const { return last_; }

private:
	struct Hurt {
		std::uint64_t since; // generation
		std::string why;
	};
	void tell(const Told &told);

	std::function<void(const Told &)> tell_;
	std::map<std::string, Hurt, std::less<>> open_; // of the last state that was finished
	std::map<std::string, Hurt, std::less<>> begun_;
	std::vector<std::string> ended_;
	std::uint64_t count_ = 0, first_ = 0, last_ = 0;
};

} // namespace dig

#endif
