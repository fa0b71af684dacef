#include "libdig/verbs/history_tiles.h"

#include <algorithm>
#include <charconv>

#include "libdig/base/error.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::uint64_t full_width = 256;
constexpr int most_levels = 7; // 256^8 is beyond 64 bits

static std::optional<std::uint64_t> number_in(std::string_view text)
{
	std::uint64_t number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	return text.empty() || error != std::errc() || end != text.data() + text.size()
		? std::nullopt
		: std::optional(number);
}

// Three digits at a time: x001/x234/067.
static std::string path_of(std::uint64_t number)
{
	char digits[8];
	std::snprintf(digits, sizeof digits, "%03u", static_cast<unsigned>(number % 1000));
	std::string path = digits;
	while ((number /= 1000) > 0) {
		std::snprintf(digits, sizeof digits, "x%03u", static_cast<unsigned>(number % 1000));
		path = std::string(digits) + '/' + path;
	}
	return path;
}

std::string to_text(const TileName &name)
{
	return "tile/" + (name.level ? std::to_string(*name.level) : "entries") + '/' +
		path_of(name.number) + (name.width < full_width ? ".p/" + std::to_string(name.width) : "");
}

std::optional<TileName> parse_tile_name(std::string_view text)
{
	TileName name;
	std::string_view left = text;
	if (!left.starts_with("tile/") || text.size() > 64)
		return {};
	left.remove_prefix(5);
	const std::size_t slash = std::min(left.find('/'), left.size());
	const std::string_view level = left.substr(0, slash);
	if (level != "entries") {
		const std::optional<std::uint64_t> number = number_in(level);
		if (!number || *number > most_levels)
			return {};
		name.level = static_cast<int>(*number);
	}
	left.remove_prefix(std::min(slash + 1, left.size()));
	if (const std::size_t part = left.find(".p/"); part != left.npos) {
		const std::optional<std::uint64_t> width = number_in(left.substr(part + 3));
		if (!width || *width == 0 || *width >= full_width)
			return {};
		name.width = *width;
		left = left.substr(0, part);
	}
	std::string digits;
	for (char c : left)
		if (c != 'x' && c != '/')
			digits += c;
	const std::optional<std::uint64_t> number =
		digits.size() <= 18 ? number_in(digits) : std::nullopt;
	if (!number)
		return {};
	name.number = *number;
	// One spelling for each.
	return to_text(name) == text ? std::optional(name) : std::nullopt;
}

static Buffer hashes_of(
	const RootHistory &history, int level, std::uint64_t first, std::uint64_t count)
{
	Buffer tile;
	const std::uint64_t below = std::uint64_t(1) << 8 * level;
	for (std::uint64_t i = first; i < first + count; i++) {
		MerklePeaks peaks;
		for (std::uint64_t leaf = i * below; leaf < (i + 1) * below; leaf++)
			peaks.append(leaf_hash(history.at(leaf + 1).layer_id));
		append(tile, peaks.root());
	}
	return tile;
}

static Buffer entries_of(const RootHistory &history, std::uint64_t first, std::uint64_t count)
{
	Buffer bundle;
	for (std::uint64_t i = first; i < first + count; i++) {
		put_u8(bundle, 0); // big-endian
		put_u8(bundle, sizeof(Digest));
		append(bundle, history.at(i + 1).layer_id);
	}
	return bundle;
}

std::optional<Buffer> tile_of(const RootHistory &history, const TileName &name)
{
	const int level = name.level.value_or(0);
	const std::uint64_t there = history.size() >> 8 * level;
	if (name.number > there / full_width || name.number * full_width + name.width > there)
		return {};
	return name.level ? hashes_of(history, level, name.number * full_width, name.width)
					  : entries_of(history, name.number * full_width, name.width);
}

namespace {

// Tiles that fill up, and one of the level above for each that is full.
class TileWriter {
public:
	TileWriter(const RootHistory &history, const std::string &directory)
		: history_(history), directory_(directory)
	{
	}

	void add(std::size_t level, const Digest &hash)
	{
		if (level == levels_.size())
			levels_.emplace_back();
		Level &at = levels_[level];
		append(at.hashes, hash);
		at.peaks.append(hash);
		if (at.peaks.size() < full_width)
			return;
		end_tile(level);
		const Digest root = levels_[level].peaks.root();
		levels_[level].peaks = {};
		levels_[level].hashes.clear();
		levels_[level].number++;
		add(level + 1, root);
	}

	std::uint64_t finish()
	{
		for (std::size_t level = 0; level < levels_.size(); level++)
			if (levels_[level].peaks.size() > 0)
				end_tile(level);
		return written_;
	}

private:
	struct Level {
		Buffer hashes;
		MerklePeaks peaks;
		std::uint64_t number = 0;
	};

	void end_tile(std::size_t number)
	{
		const Level &level = levels_[number];
		TileName name{static_cast<int>(number), level.number, level.peaks.size()};
		write(name, level.hashes);
		if (number == 0)
			write({{}, level.number, name.width},
				entries_of(history_, level.number * full_width, name.width));
	}

	void write(const TileName &name, const Buffer &bytes)
	{
		const std::string path = directory_ + '/' + to_text(name);
		if (const std::optional<FileStat> there = find_stat(path);
			there && there->size == bytes.size())
			return;
		make_directories(directory_of(path));
		publish_file(path, bytes);
		written_++;
	}

	const RootHistory &history_;
	const std::string &directory_;
	std::vector<Level> levels_;
	std::uint64_t written_ = 0;
};

} // namespace

std::uint64_t write_tiles(const RootHistory &history, std::uint64_t size,
	const std::string &checkpoint, const std::string &directory)
{
	TileWriter writer(history, directory);
	for (std::uint64_t generation = 1; generation <= size; generation++)
		writer.add(0, leaf_hash(history.at(generation).layer_id));
	const std::uint64_t written = writer.finish();
	// Whoever reads the checkpoint finds its tiles.
	make_directories(directory);
	publish_file(directory + "/checkpoint", bytes_of(checkpoint));
	return written;
}

} // namespace dig
