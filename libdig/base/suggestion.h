// What a word that was mistyped may have meant.
#ifndef DIG_SUGGESTION_H
#define DIG_SUGGESTION_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dig {

// The candidate that is nearest to word, or nothing where none is near: as many letters that are
// missing, too many, wrong or exchanged with their neighbour as one for each three.  A word that
// candidates begin with means the shortest of them.
std::string nearest(std::string_view word, const std::vector<std::string> &candidates);

// "; did you mean 'X'?", or nothing: for the end of a message.
std::string did_you_mean(std::string_view word, const std::vector<std::string> &candidates);

// The same for a path.  names_in gives what there is in a directory ("" for the top), as much of it
// as is worth a look: the first component that is not there is the mistyped one.
std::string did_you_mean_path(std::string_view path,
	const std::function<std::vector<std::string>(const std::string &directory)> &names_in);

} // namespace dig

#endif
