// Whether what is new in a state has its place to itself.
#ifndef DIG_PLACE_CHECK_H
#define DIG_PLACE_CHECK_H

#include <optional>
#include <string>

#include "libdig/store/store.h"

namespace dig {

// Nothing that is no directory may stand above a path, and nothing below.
class PlaceCheck {
public:
	// is_first: all that lies below a path is new as well.
	PlaceCheck(Store &store, const TreeRoot &manifest, std::uint64_t generation, bool is_first)
		: above_{store, manifest}, below_{store, manifest}, generation_(generation), is_first_(is_first)
	{
	}

	// Paths in order.  CorruptError.
	void check(const std::string &path);

private:
	// Goes forward as long as it can, as it nearly always can.
	struct Place {
		Store &store;
		TreeRoot manifest;
		std::optional<TreeCursor> cursor = {};
		std::string last = {};

		// False at the end.
		bool seek(const std::string &path);
	};

	void check_above(const std::string &path);
	void fail(const std::string &above, const std::string &path) const;

	Place above_, below_;
	std::uint64_t generation_;
	bool is_first_;
	std::string last_;
};

} // namespace dig

#endif
