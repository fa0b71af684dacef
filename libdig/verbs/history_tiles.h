// The history of a store as static tiles (c2sp.org/tlog-tiles), which any monitor of such logs can follow.
//
//     checkpoint                     the one that was signed last, or one of the newest state
//     tile/L/N[.p/W]                 hashes of the tree of layer ids, 256 to a tile
//     tile/entries/N[.p/W]           the layer ids themselves
#ifndef DIG_HISTORY_TILES_H
#define DIG_HISTORY_TILES_H

#include <optional>
#include <string>

#include "libdig/format/root_history.h"

namespace dig {

// Names a tile: of entries, if there is no level.
struct TileName {
	std::optional<int> level;
	std::uint64_t number = 0;
	std::uint64_t width = 256; // less for the last one of a level
};
// "tile/0/x001/067.p/3"; nothing for what is no name in its only spelling.
std::optional<TileName> parse_tile_name(std::string_view name);
std::string to_text(const TileName &name);

// Nothing where the history has no such tile yet.  Hashes what is below it: 256 layer ids, and 256 times more for
// each level.
std::optional<Buffer> tile_of(const RootHistory &history, const TileName &name);

// All tiles of the first size states, and the checkpoint, below the directory.  Full tiles that are there stay as
// they are.  Returns how many were written.
std::uint64_t write_tiles(const RootHistory &history, std::uint64_t size,
	const std::string &checkpoint, const std::string &directory);

} // namespace dig

#endif
