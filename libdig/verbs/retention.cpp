#include "libdig/verbs/retention.h"

#include <algorithm>
#include <ctime>
#include <limits>

#include "libdig/store/tags.h"
#include "libdig/worktree/wildcard.h"

namespace dig {

// Numbers of periods that contain a point in time: two times in one period have the same number.
struct Periods {
	std::int64_t hour, day, week, month, year;
};

static Periods periods_of(std::int64_t time_s, bool is_utc)
{
	const std::time_t time = time_s;
	std::tm parts{};
	if (!(is_utc ? ::gmtime_r(&time, &parts) : ::localtime_r(&time, &parts)))
		return {};
	Periods periods{};
	periods.year = parts.tm_year;
	periods.month = periods.year * 12 + parts.tm_mon;
	// Days as the calendar counts them here, and not as UTC does.
	parts.tm_isdst = 0;
	const std::time_t local = ::timegm(&parts);
	periods.hour = local / 3600;
	periods.day = local / 86400 - (local % 86400 < 0);
	// 1970-01-01 was a Thursday; weeks begin on Monday.
	periods.week = (periods.day + 3) / 7 - ((periods.day + 3) % 7 < 0);
	return periods;
}

static std::vector<std::uint64_t> tagged_generations(const StorePaths &paths, const std::vector<std::string> &patterns)
{
	std::vector<std::uint64_t> generations;
	if (patterns.empty())
		return generations;
	for (const std::string &name : tag_names(paths)) {
		const bool is_meant = std::any_of(patterns.begin(), patterns.end(), [&](const std::string &pattern) {
			Wildcard wildcard;
			return wildcard.compile(pattern, 0) ? wildcard.matches(name) : pattern == name;
		});
		if (!is_meant)
			continue;
		if (const std::optional<Tag> tag = find_tag(paths, name))
			generations.push_back(tag->generation);
	}
	return generations;
}

std::vector<bool> kept_states(Store &store, const KeepRules &rules)
{
	const std::uint64_t count = store.roots().size();
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	std::vector<bool> keep(count + 1, false);
	if (rules.is_empty()) {
		for (std::uint64_t i = 1; i <= count; i++)
			keep[i] = !table->is_dropped(i);
		return keep;
	}
	const auto keep_one = [&](std::uint64_t generation) {
		if (generation >= 1 && generation <= count && !table->is_dropped(generation))
			keep[generation] = true;
	};
	for (const std::uint64_t generation : rules.generations) {
		if (generation >= 1 && generation <= count && table->is_dropped(generation))
			throw DroppedState("@" + std::to_string(generation) + " cannot be kept: it was dropped before");
		keep_one(generation);
	}
	const std::vector<std::uint64_t> tagged = tagged_generations(store.paths(), rules.tags);
	if (!rules.tags.empty() && tagged.empty())
		throw Error("no tag matches --keep-tag; nothing is dropped");
	for (const std::uint64_t generation : tagged)
		keep_one(generation);
	struct Rule {
		std::uint64_t left;
		std::int64_t Periods::*period;
		std::int64_t last = std::numeric_limits<std::int64_t>::min();
	};
	Rule periodic[] = {{rules.hourly, &Periods::hour}, {rules.daily, &Periods::day}, {rules.weekly, &Periods::week},
		{rules.monthly, &Periods::month}, {rules.yearly, &Periods::year}};
	std::uint64_t left = rules.last;
	std::optional<std::int64_t> newest;
	for (std::uint64_t i = count; i > 0; i--) {
		if (table->is_dropped(i))
			continue;
		const std::int64_t time_s = store.state(i).header.time_s;
		if (!newest)
			keep[i] = true;
		newest = newest.value_or(time_s);
		if (left > 0 && left--)
			keep[i] = true;
		if (rules.within_s && time_s >= *newest - rules.within_s)
			keep[i] = true;
		const Periods periods = periods_of(time_s, rules.is_utc);
		for (Rule &rule : periodic)
			if (const std::int64_t period = periods.*rule.period; rule.left > 0 && period != rule.last) {
				rule.last = period;
				rule.left--;
				keep[i] = true;
			}
	}
	return keep;
}

struct Unit {
	char letter;
	std::int64_t seconds;
};

// Up to 3000 years; nothing if the text is none.
static std::optional<std::int64_t> sum_of_spans(std::string_view text, std::span<const Unit> units)
{
	constexpr std::int64_t most = 100000000000;
	std::int64_t sum = 0;
	for (std::size_t i = 0; i < text.size(); i++) {
		std::int64_t number = 0;
		const std::size_t start = i;
		for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && number < most; i++)
			number = number * 10 + (text[i] - '0');
		const auto unit = std::find_if(units.begin(), units.end(),
			[&](const Unit &one) { return i < text.size() && one.letter == text[i]; });
		if (i == start || unit == units.end() || number > most / unit->seconds)
			return {};
		sum = std::min(most, sum + number * unit->seconds);
	}
	return sum > 0 ? std::optional(sum) : std::nullopt;
}

std::int64_t parse_duration(std::string_view text)
{
	constexpr Unit units[] = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}, {'m', 31 * 86400}, {'y', 366 * 86400}};
	if (const auto seconds = sum_of_spans(text, units))
		return *seconds;
	throw UsageError(quote(text) + " is no span of time; give it as 36h, 30d, 8w, 6m (months) or 1y");
}

std::int64_t parse_short_duration(std::string_view text)
{
	constexpr Unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
	const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
	if (const auto seconds = sum_of_spans(is_number ? std::string(text) + "s" : std::string(text), units))
		return std::min<std::int64_t>(*seconds, 1000000000);
	throw UsageError(quote(text) + " is no span of time; give it as 90s, 30m (minutes) or 2h");
}

} // namespace dig
