// Which state a name stands for: HEAD, HEAD~n, @n, a root or the beginning of one.
#include "libdig/base/error.h"
#include "libdig/base/suggestion.h"
#include "libdig/store/store.h"

namespace dig {

static std::optional<std::uint64_t> parse_number(std::string_view text)
{
	if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos)
		return {};
	return std::stoull(std::string(text));
}

RootName Store::resolve(std::string_view name) const
{
	if (alone_)
		return resolve_alone(name);
	const RootHistory roots = this->roots();
	const auto problem = [&](const std::string &why) { return quote(name) + " names no state: " + why; };
	const auto unknown = [&](const std::string &why) { return Error(problem(why)); };
	const auto state = [&](std::uint64_t generation) {
		return RootName{generation, roots.at(generation).root};
	};
	const std::string count = std::to_string(roots.size());
	if (name == "HEAD" || name.starts_with("HEAD~")) {
		const auto back = name == "HEAD" ? 0 : name == "HEAD~" ? 1 : parse_number(name.substr(5));
		if (!back)
			throw unknown("behind HEAD~ there must be a number");
		if (roots.size() == 0)
			throw unknown("nothing is committed yet");
		if (*back >= roots.size())
			throw unknown("there are only " + count + " generations");
		return state(roots.size() - *back);
	}
	if (name.starts_with('@')) {
		const auto generation = parse_number(name.substr(1));
		if (roots.size() == 0)
			throw unknown("nothing is committed yet");
		if (!generation || *generation == 0 || *generation > roots.size())
			throw unknown("there are generations @1 to @" + count);
		return state(*generation);
	}
	if (name.size() < 4 || name.size() > 64 ||
		name.find_first_not_of("0123456789abcdefABCDEF") != name.npos)
		throw unknown("it is neither HEAD, HEAD~N, @N nor a root or 4 digits or more of one" +
			did_you_mean(name.substr(0, name.find('~')), {"HEAD"}));
	std::string digits(name);
	for (char &c : digits)
		c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	std::optional<std::uint64_t> found;
	for (std::uint64_t i = 1; i <= roots.size(); i++)
		if (to_hex(roots.at(i).root).starts_with(digits)) {
			if (found)
				throw AmbiguousRoot(problem("it is ambiguous; give more digits"));
			found = i;
		}
	if (!found)
		throw unknown("no generation of this store has that root");
	return state(*found);
}

} // namespace dig
