// Whether all content of states is there.
#ifndef DIG_VERIFY_STATES_H
#define DIG_VERIFY_STATES_H

#include <string>
#include <unordered_set>

#include "libdig/os/environment.h"
#include "libdig/staging/tree_survey.h"
#include "libdig/store/store.h"
#include "libdig/verbs/hurt_paths.h"
#include "libdig/verbs/verify_blocks.h"

namespace dig {

class StateVerifier {
public:
	struct Extent {
		bool is_quick, compares_block_trees;
	};
	StateVerifier(Store &store, BlockVerifier &blocks, Findings &findings, Work &work, const Extent &extent)
		: store_(store), blocks_(blocks), findings_(findings), work_(work), extent_(extent),
		  lists_(store.nodes(), temporary_directory())
	{
	}

	// All that the generation has and the last state that was checked had not.  is_lost: its layer could not be
	// opened, which was told.
	void check(std::uint64_t generation, bool is_lost);
	// All states up to this generation were checked at another time.  Generations may go back.
	void begin_behind(std::uint64_t generation);
	// The states after this generation are not looked at next.
	void end_at(std::uint64_t generation) { hurt_paths_.end_all(generation); }
	const HurtPaths &hurt_paths() const { return hurt_paths_; }

private:
	void check_state(std::uint64_t generation, const std::string &name);
	void check_entry(const Entry &entry, std::uint64_t generation);
	void check_list(const Entry &entry);
	void check_chunk(const Digest &id, std::uint64_t size);
	void compare_block_tree(const Entry &entry);

	Store &store_;
	BlockVerifier &blocks_;
	Findings &findings_;
	Work &work_;
	const Extent extent_;
	std::unordered_set<Digest, DigestHash> compared_; // content with its block tree
	TreeSurvey lists_;
	std::uint64_t last_state_ = 0; // that could be read
	HurtPaths hurt_paths_{[this](const HurtPaths::Told &hurt) { findings_.hurt(hurt); }};
};

} // namespace dig

#endif
