// When a part that was not had is asked for again.
#ifndef DIG_FETCH_RETRIES_H
#define DIG_FETCH_RETRIES_H

#include <cstdint>
#include <optional>

namespace dig {

class FetchRetries {
public:
	// So many attempts, one behind the other, may bring next to nothing.
	explicit FetchRetries(std::uint64_t most) : most_(most) {}

	// An attempt has ended that brought so many bytes.  The nanoseconds to wait, or nothing when it was the
	// last one.  The server may have asked to wait.  number is that of the part: parts that failed together
	// come back apart.
	std::optional<std::int64_t> next(std::uint64_t bytes, std::uint64_t asked_s, std::uint64_t number);
	// Before the next one, which costs nothing.
	bool is_first() const { return attempts_ == 0; }
	void pass() { attempts_++; }

private:
	std::uint64_t most_, attempts_ = 0;
};

} // namespace dig

#endif
