// Sorts any number of texts by memcmp in bounded memory.  Texts that do not fit are written to
// sorted runs in temporary files without a name.
#ifndef DIG_SORTED_TEXTS_H
#define DIG_SORTED_TEXTS_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

class SortedTexts {
public:
	// Runs are made in directory or, if this is impossible, in TMPDIR or /tmp.
	explicit SortedTexts(std::string directory, std::size_t room = 8_MiB)
		: directory_(std::move(directory)), room_(room)
	{
	}

	void add(std::string_view text);
	bool is_empty() const { return items_.empty() && runs_.empty(); }
	// Calls take for every text in order; equal texts come as often as they were added.  May be
	// called several times, and texts may be added in between.
	void each(const std::function<void(std::string_view)> &take);

private:
	struct Item {
		std::uint32_t offset, size;
	};
	struct Run;
	std::string_view text_of_item(const Item &item) const
	{
		return std::string_view(heap_).substr(item.offset, item.size);
	}
	void sort();
	void spill();
	File new_file() const;

	std::string directory_;
	std::size_t room_;
	std::string heap_;
	std::vector<Item> items_;
	std::vector<File> runs_;
};

} // namespace dig

#endif
