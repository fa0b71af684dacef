// What a store has, as pages that a person clicks through, and as JSON.
#ifndef DIG_LISTING_PAGE_H
#define DIG_LISTING_PAGE_H

#include <string>
#include <vector>

#include "libdig/format/entry.h"
#include "libdig/format/layer_format.h"

namespace dig {

// All of it is text: markup in it is none.
std::string html_escaped(std::string_view text);

// A state in the list of states.
struct ShownState {
	std::uint64_t generation = 0;
	Digest root;
	std::optional<LayerState> state; // nothing if it is damaged
	bool is_dropped = false;
};
struct StatesPage {
	Digest store_id;
	std::vector<ShownState> states; // newest first
	std::uint64_t before = 0;       // the next page begins before this generation; 0 if there is none
};
std::string states_html(const StatesPage &page);
std::string states_json(const StatesPage &page);

// What is in a directory of a state.
struct ShownEntry {
	std::string name; // of a directory with '/'
	std::optional<Entry> entry; // nothing for a directory
};
struct DirectoryPage {
	std::string state; // as it was asked for
	std::uint64_t generation = 0;
	Digest root;
	std::string path; // empty, or it ends with '/'
	std::vector<ShownEntry> entries;
	std::string after; // the next page begins after this name; empty if there is none
};
std::string directory_html(const DirectoryPage &page);
std::string directory_json(const DirectoryPage &page);

} // namespace dig

#endif
