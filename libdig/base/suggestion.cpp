#include "libdig/base/suggestion.h"

#include <algorithm>

#include "libdig/base/error.h"

namespace dig {

// Longer words are no slips of the finger, and the distance costs the product of both sizes.
constexpr std::size_t longest_word = 64;

// Of edits that insert, delete, replace or exchange two neighbours; case costs nothing.
static std::size_t distance(std::string_view a, std::string_view b)
{
	const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
	// The distance of Damerau (1964), without edits inside of an exchanged pair.  A row depends on
	// the two rows before it, so three of them are enough.
	std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
	for (std::size_t j = 0; j <= b.size(); j++)
		last[j] = j;
	for (std::size_t i = 1; i <= a.size(); i++) {
		row[0] = i;
		for (std::size_t j = 1; j <= b.size(); j++) {
			const bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
			row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same ? 0 : 1)});
			const bool is_exchanged = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]);
			if (is_exchanged)
				row[j] = std::min(row[j], before_last[j - 2] + 1);
		}
		before_last = last;
		last = row;
	}
	return last[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string> &candidates)
{
	std::string best;
	if (word.size() < 2 || word.size() > longest_word)
		return best;
	std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
	for (const std::string &candidate : candidates) {
		if (candidate.size() > longest_word || candidate == word)
			continue;
		const std::size_t edits = distance(word, candidate);
		// Of words that are as near, one with as many letters: two were exchanged, or one is wrong.
		const bool is_likelier = edits == best_distance && !best.empty() && candidate.size() == word.size() &&
			best.size() != word.size();
		if ((edits < best_distance || is_likelier) && edits < word.size()) {
			best_distance = edits;
			best = candidate;
		}
	}
	// One or two letters begin too many words to mean one of them.
	if (!best.empty() || word.size() < 3)
		return best;
	for (const std::string &candidate : candidates)
		if (candidate.starts_with(word) && candidate != word && (best.empty() || candidate.size() < best.size()))
			best = candidate;
	return best;
}

static std::string question(const std::string &meant)
{
	return meant.empty() ? "" : "; did you mean " + quote(meant) + "?";
}

std::string did_you_mean(std::string_view word, const std::vector<std::string> &candidates)
{
	return question(nearest(word, candidates));
}

std::string did_you_mean_path(std::string_view path,
	const std::function<std::vector<std::string>(const std::string &directory)> &names_in)
{
	std::string directory;
	for (std::size_t start = 0; start < path.size();) {
		const std::size_t end = std::min(path.find('/', start), path.size());
		const std::string name(path.substr(start, end - start));
		const std::vector<std::string> names = names_in(directory);
		if (std::find(names.begin(), names.end(), name) == names.end()) {
			const std::string meant = nearest(name, names);
			return meant.empty() ? "" : question(directory + (directory.empty() ? "" : "/") + meant +
				std::string(path.substr(end)));
		}
		directory += (directory.empty() ? "" : "/") + name;
		start = end + 1;
	}
	return "";
}

} // namespace dig
