// Which state a name stands for.
//
// A name is taken apart from its end: "v1~2" is two states before v1.  What is in front of "~" is tried
// in an order in which no two forms can be meant, since no tag can have a name of the other forms.
#include "libdig/store/state_names.h"

#include "libdig/base/error.h"
#include "libdig/base/suggestion.h"
#include "libdig/os/clock.h"
#include "libdig/os/typed_time.h"
#include "libdig/store/state_headers.h"
#include "libdig/store/store.h"
#include "libdig/store/tags.h"

namespace dig {

std::optional<StatePath> split_state_path(std::string_view name)
{
	std::size_t from = 0;
	if (name.starts_with("@{") || name.starts_with("HEAD@{"))
		from = std::min(name.find('}'), name.size());
	const std::size_t colon = name.find(':', from);
	if (colon == name.npos)
		return {};
	return StatePath{colon == 0 ? "HEAD" : std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
}

static std::optional<std::uint64_t> parse_number(std::string_view text)
{
	if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos)
		return {};
	return std::stoull(std::string(text));
}

// Resolves one name in one history.
class NameResolver {
public:
	NameResolver(Store &store, std::string_view name) : store_(store), roots_(store.roots()), name_(name) {}

	std::uint64_t resolve()
	{
		// In the braces of a time, '~' is no count.
		const std::size_t braces = name_.rfind('}');
		const std::size_t tilde = name_.find('~', braces == name_.npos ? 0 : braces);
		const std::uint64_t generation = base(name_.substr(0, tilde));
		if (tilde == name_.npos)
			return generation;
		const std::string behind(name_.substr(tilde + 1));
		const std::optional<std::uint64_t> back = behind.empty() ? 1 : parse_number(behind);
		if (!back)
			throw unknown("behind " + std::string(name_.substr(0, tilde + 1)) + " there must be a number");
		if (*back >= generation)
			throw unknown(generation == roots_.size() ? "there are only " + std::to_string(generation) + " generations"
				: "before @" + std::to_string(generation) + " there are only " + std::to_string(generation - 1));
		return generation - *back;
	}

private:
	std::string problem(const std::string &why) const { return quote(name_) + " names no state: " + why; }
	Error unknown(const std::string &why) const { return Error(problem(why)); }

	std::uint64_t base(std::string_view name)
	{
		if (name == "HEAD")
			return newest();
		if (name.starts_with("HEAD@{") || name.starts_with("@{"))
			return at_time(name.substr(name.find('{') + 1));
		if (name.starts_with('@'))
			return numbered(name.substr(1));
		if (const std::optional<Tag> tag = find_tag(store_.paths(), name)) {
			if (tag->generation == 0 || tag->generation > roots_.size() || roots_.at(tag->generation).root != tag->root)
				throw unknown("the tag has the root " + to_hex(tag->root) + " of @" + std::to_string(tag->generation) +
					", which this store does not have");
			return tag->generation;
		}
		if (name.size() < 4 || name.size() > 64 || name.find_first_not_of("0123456789abcdefABCDEF") != name.npos)
			throw unknown("it is neither HEAD, HEAD~N, @N, a tag, HEAD@{TIME} nor a root or 4 digits or more of one" +
				suggestion(name));
		return beginning_with(name);
	}

	std::string suggestion(std::string_view name) const
	{
		std::vector<std::string> names = tag_names(store_.paths());
		names.emplace_back("HEAD");
		return did_you_mean(name, names);
	}

	std::uint64_t newest() const
	{
		if (roots_.size() == 0)
			throw unknown("nothing is committed yet");
		return roots_.size();
	}

	std::uint64_t numbered(std::string_view digits) const
	{
		const std::uint64_t last = newest();
		const std::optional<std::uint64_t> generation = parse_number(digits);
		if (!generation || *generation == 0 || *generation > last)
			throw unknown("there are generations @1 to @" + std::to_string(last));
		return *generation;
	}

	// Times of states need not ascend, since clocks are set: all are looked at, from the newest one on.
	std::uint64_t at_time(std::string_view text)
	{
		const std::size_t end = text.find('}');
		if (end != text.size() - 1 || text.empty())
			throw unknown("a time stands in braces, as in HEAD@{2026-11-01}");
		const std::optional<TypedTime> time = parse_typed_time(text.substr(0, end), seconds_of(now_ns()));
		if (!time)
			throw unknown("a time is 2026-11-01, '2026-11-01 14:30', yesterday or '2 days ago'");
		StateHeaders headers(store_);
		for (std::uint64_t generation = newest(); generation > 0; generation--)
			if (headers.at(generation).time_s <= time->last_s)
				return generation;
		throw unknown("it lies before the first state, @1 of " + utc_text(headers.at(1).time_s));
	}

	std::uint64_t beginning_with(std::string_view name) const
	{
		std::string digits(name);
		for (char &c : digits)
			c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
		std::optional<std::uint64_t> found;
		for (std::uint64_t i = 1; i <= roots_.size(); i++)
			if (to_hex(roots_.at(i).root).starts_with(digits)) {
				if (found)
					throw AmbiguousRoot(problem("it is ambiguous; give more digits"));
				found = i;
			}
		if (!found)
			throw unknown("no generation of this store has that root" + suggestion(name));
		return *found;
	}

	Store &store_;
	RootHistory roots_;
	std::string_view name_;
};

RootName Store::resolve(std::string_view name)
{
	if (alone_)
		return resolve_alone(name);
	const std::uint64_t generation = NameResolver(*this, name).resolve();
	return {generation, roots().at(generation).root};
}

} // namespace dig
