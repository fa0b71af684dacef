// Tags: names that a person gives to states.  A tag is a file .dig/tags/NAME (dig-store-layout(5)):
//
//     +----------+------------+------+-----------------------------+-------+
//     | preamble | generation | root | locked only: u8 1 if it has | CRC32 |
//     | DIGTAG01 | u64        | 32   | an end, i64 its last second |       |
//     +----------+------------+------+-----------------------------+-------+
//
// A tag that was never locked has version 1 of the preamble, a locked one version 2: a dig that does not
// know locks refuses it.  A locked tag is neither moved nor deleted, and gc keeps its state.  Tags stay in
// their store: no remote and no exported file has them.
#ifndef DIG_TAGS_H
#define DIG_TAGS_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/store/store_paths.h"

namespace dig {

struct Tag {
	std::uint64_t generation = 0;
	Digest root;
	bool has_lock = false;
	std::optional<std::int64_t> locked_until_s; // its last second; nothing for a lock without an end

	bool operator==(const Tag &) const = default;
	bool is_locked(std::int64_t now_s) const { return has_lock && (!locked_until_s || now_s <= *locked_until_s); }

	Buffer encoded() const;
	static Tag decode(Bytes file, std::string_view name);
};

// A name has at most so many bytes, so that a temporary name has room beside it.
constexpr std::size_t max_tag_size = 200;

// Why a tag cannot have the name, or an empty view.  The rules are those of git for a component of a
// reference, and no tag can be taken for another name of a state (HEAD, @5, the digits of a root), for an
// option, or for ROOT:PATH.
std::string_view tag_name_problem(std::string_view name);

// Nothing if there is no such tag, or no tag can have the name.
std::optional<Tag> find_tag(const StorePaths &paths, std::string_view name);
// In order; a file that is no tag has no name here.
std::vector<std::string> tag_names(const StorePaths &paths);
// The generations of tags that are locked now.  CorruptError if one cannot be read.
std::vector<std::uint64_t> locked_generations(const StorePaths &paths);

// Durable when they return.  They take the lock of the store, so that no gc drops the state meanwhile.
// Error if a locked tag is in the way.  A tag that names the state already may get a lock, or one that ends
// later.  replaces: a tag that names another state is moved.
void put_tag(const StorePaths &paths, const std::string &name, const Tag &tag, bool replaces);
// Error if there is none.  Returns what it was.
Tag remove_tag(const StorePaths &paths, const std::string &name);

} // namespace dig

#endif
