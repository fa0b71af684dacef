// Which states are kept: rules for dig gc.
#ifndef DIG_RETENTION_H
#define DIG_RETENTION_H

#include <string>
#include <vector>

#include "libdig/store/store.h"

namespace dig {

// A state is kept if one rule keeps it.  The newest state is always kept.
struct KeepRules {
	std::uint64_t last = 0;                                  // so many of the newest states
	std::int64_t within_s = 0;                               // not older than this, seen from the newest one
	std::uint64_t hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0; // the newest one of each period
	std::vector<std::string> tags;                           // patterns of names
	std::vector<std::uint64_t> generations;                  // these
	bool is_utc = false;                                     // where periods begin

	bool is_empty() const
	{
		return !last && !within_s && !hourly && !daily && !weekly && !monthly && !yearly && tags.empty() &&
			generations.empty();
	}
};

// By generation; [0] means nothing.  Without rules, all states that were not dropped.  Reads the header of
// each state.
std::vector<bool> kept_states(Store &store, const KeepRules &rules);

// "36h", "30d", "8w", "6m", "1y", or several of these together; seconds.  A month has 31 days and a year 366.
// UsageError for anything else.
std::int64_t parse_duration(std::string_view text);
// "90s", "30m" (minutes), "2h"; a number alone is seconds.
std::int64_t parse_short_duration(std::string_view text);

} // namespace dig

#endif
