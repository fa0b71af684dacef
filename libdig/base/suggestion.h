// What a word that was mistyped may have meant.
#ifndef DIG_SUGGESTION_H
#define DIG_SUGGESTION_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dig {

// The candidate that is nearest to word, or nothing if none is near.  A candidate is near if at
// most one letter in three is missing, added, wrong or exchanged with its neighbour.  If word is
// the beginning of candidates, the shortest of them is the nearest.
std::string nearest(std::string_view word, const std::vector<std::string> &candidates);

// "; did you mean 'X'?" for the end of a message, or an empty text.
std::string did_you_mean(std::string_view word, const std::vector<std::string> &candidates);

// The same for a path.  The first component that is not there is taken for the mistyped one.
// names_in gives the names in a directory ("" is the top); it may leave some out if there are very
// many.
std::string did_you_mean_path(std::string_view path,
	const std::function<std::vector<std::string>(const std::string &directory)> &names_in);

} // namespace dig

#endif
