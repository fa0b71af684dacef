// The headers of states, read one after the other: for looking through a long history.
#ifndef DIG_STATE_HEADERS_H
#define DIG_STATE_HEADERS_H

#include <vector>

#include "libdig/store/store.h"

namespace dig {

// Reads what was noted of 1,024 states together (state_log.h), and a layer only for a state that was not
// noted.  Each header is checked against the history.  A walk in either direction is cheap, and costs the
// memory of 1,024 headers.
class StateHeaders {
public:
	explicit StateHeaders(Store &store) : store_(store), roots_(store.roots()) {}

	std::uint64_t size() const { return roots_.size(); }
	// Until the next call.  Throws what Store::state() throws.
	const LayerHeader &at(std::uint64_t generation);

private:
	Store &store_;
	RootHistory roots_;
	std::uint64_t first_ = 0; // of headers_; 0 for none
	std::vector<std::optional<LayerHeader>> headers_;
};

} // namespace dig

#endif
