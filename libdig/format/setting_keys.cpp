// Everything that reads, writes, lists or explains a setting goes through this table, so a new
// setting is one row, a member of Settings, and its entry in dig-config(5); t2600 compares page and
// table.
//
// C++ has no pointer to a member of a member, and the values have several types.  So a row reaches
// its value through a function, place<section, member>, which returns a variant of pointers.  The
// table is constexpr and costs no start-up: nothing of ours runs before main() (t0007).
#include "libdig/format/setting_keys.h"

#include <algorithm>

#include "libdig/base/byte_size.h"
#include "libdig/base/error.h"
#include "libdig/base/suggestion.h"

namespace dig {

using Type = SettingKey::Type;

// TOML's integers end here.
static constexpr std::uint64_t max_number = INT64_MAX;

template <auto section, auto member> static SettingKey::Place place(Settings &settings)
{
	return &((settings.*section).*member);
}

template <auto member> static constexpr auto core = place<&Settings::core, member>;
template <auto member> static constexpr auto chunking = place<&Settings::chunking, member>;
template <auto member> static constexpr auto performance = place<&Settings::performance, member>;
template <auto member> static constexpr auto fetch = place<&Settings::fetch, member>;

using Core = Settings::Core;
using Chunking = Settings::Chunking;
using Performance = Settings::Performance;
using Fetch = Settings::Fetch;

static constexpr std::array<SettingKey, setting_count> keys = {{
	{"core.compression", Type::choice, "how blocks of a layer are compressed",
		core<&Core::compression>},
	// zstd has levels up to 22.  Those above 19 need much more memory ("ultra").
	{"core.compression_level", Type::count, "0 is the codec's own default; zlib ends at 9",
		core<&Core::compression_level>, 0, 19},
	{"core.author", Type::text, "who commits; user@host where it is not set", core<&Core::author>},
	{"core.record_mtime", Type::boolean, "keep the modification times of files",
		core<&Core::record_mtime>},
	{"core.file_digest", Type::boolean, "also keep the SHA-256 of each whole file",
		core<&Core::file_digest>},
	{"core.block_tree", Type::boolean, "also keep the root of the block tree of each file of more than 1 MiB",
		core<&Core::block_tree>},
	{"core.verify_writes", Type::boolean, "decode every block again before it is published",
		core<&Core::verify_writes>},
	{"core.merge_layers", Type::boolean, "a commit merges small layers into one file",
		core<&Core::merge_layers>},

	// The limits of chunk sizes are those of the format: readers refuse a store with others.
	{"chunking.target", Type::size, "one mean chunk size at every offset; 0 takes the tiers below",
		chunking<&Chunking::target>, 4_KiB, 2_MiB, true},
	{"chunking.small_file_chunk_size", Type::size, "mean chunk size below small_file_threshold",
		chunking<&Chunking::small_file_chunk_size>, 4_KiB, 2_MiB},
	{"chunking.small_file_threshold", Type::size, "offset at which the medium tier begins",
		chunking<&Chunking::small_file_threshold>, 0, max_number},
	{"chunking.medium_file_chunk_size", Type::size, "mean chunk size below medium_file_threshold",
		chunking<&Chunking::medium_file_chunk_size>, 4_KiB, 2_MiB},
	{"chunking.medium_file_threshold", Type::size, "offset at which the large tier begins",
		chunking<&Chunking::medium_file_threshold>, 0, max_number},
	{"chunking.large_file_chunk_size", Type::size, "mean chunk size below huge_file_threshold",
		chunking<&Chunking::large_file_chunk_size>, 4_KiB, 2_MiB},
	{"chunking.huge_file_chunk_size", Type::size, "mean chunk size from huge_file_threshold on",
		chunking<&Chunking::huge_file_chunk_size>, 4_KiB, 2_MiB},
	{"chunking.huge_file_threshold", Type::size, "offset at which the huge tier begins",
		chunking<&Chunking::huge_file_threshold>, 0, max_number},

	{"performance.max_worker_threads", Type::count, "0 is one for each core",
		performance<&Performance::max_worker_threads>, 0, 1024},
	{"performance.batch_size", Type::count, "small files that a worker takes at once",
		performance<&Performance::batch_size>, 1, 100000},
	{"performance.buffer_size", Type::size, "how much is read at once",
		performance<&Performance::buffer_size>, 4_KiB, 16_MiB},
	// Below this a worker has no room for one segment of a large file.
	{"performance.max_memory_usage", Type::size, "all buffers, caches and queues together",
		performance<&Performance::max_memory_usage>, 16_MiB, max_number},
	{"performance.chunk_cache_size", Type::size, "windows for lookups, decoded blocks for reading",
		performance<&Performance::chunk_cache_size>, 0, max_number},
	{"performance.file_cache_size", Type::size, "what is known about files and tree nodes",
		performance<&Performance::file_cache_size>, 0, max_number},
	{"performance.async_io", Type::boolean, "read many small files at once with io_uring",
		performance<&Performance::async_io>},
	{"performance.memory_map_threshold", Type::size, "map files from this size on; 0 is never",
		performance<&Performance::memory_map_threshold>, 0, max_number},
	{"performance.compression_threshold", Type::size, "smaller blocks are stored raw",
		performance<&Performance::compression_threshold>, 0, max_number},
	{"performance.checkpoint_interval", Type::count, "files between two checkpoints of an add",
		performance<&Performance::checkpoint_interval>, 1, 1000000000},
	{"performance.checkpoint_bytes", Type::size, "bytes between two checkpoints of an add",
		performance<&Performance::checkpoint_bytes>, 64_KiB, max_number},

	// Each holds a part of an object in memory.
	{"fetch.connections", Type::count, "for one large object at a URL; 0 is as many as help",
		fetch<&Fetch::connections>, 0, 6},
	{"fetch.retries", Type::count, "attempts, one behind the other, that bring nothing",
		fetch<&Fetch::retries>, 0, 100},
	{"fetch.stall_time", Type::count, "seconds with less than 1 KB each, before a connection is cut",
		fetch<&Fetch::stall_time>, 1, 3600},
	{"fetch.max_time", Type::count, "seconds that one object may take; 0 is no limit",
		fetch<&Fetch::max_time>, 0, 1000000000},
	{"fetch.max_size", Type::size, "the largest object that is taken from a URL; 0 is no limit",
		fetch<&Fetch::max_size>, 0, max_number},
	{"fetch.max_redirects", Type::count, "how often a URL may lead to another one",
		fetch<&Fetch::max_redirects>, 0, 50},

	{"remote.cache_size", Type::size, "of what a lazy clone has read; 0 keeps nothing",
		place<&Settings::remote, &Settings::Remote::cache_size>, 0, max_number},

	{"safe.directory", Type::list, "stores of other users that may be opened; global file only",
		place<&Settings::safe, &Settings::Safe::directory>},
}};

static constexpr std::array<std::string_view, 5> compression_names = {"auto", "zstd", "zlib",
	"none", "later"};

std::span<const SettingKey> setting_keys() { return keys; }

std::size_t number_of(const SettingKey &key)
{
	return static_cast<std::size_t>(&key - keys.data());
}

const SettingKey *find_setting_key(std::string_view name)
{
	const auto found = std::find_if(keys.begin(), keys.end(),
		[&](const SettingKey &key) { return key.name == name; });
	return found == keys.end() ? nullptr : &*found;
}

// The keys that name may have meant: those of its section, or else the sections.
static std::string known_names(std::string_view name)
{
	const std::string_view section = name.substr(0, name.find('.'));
	std::string text;
	for (const SettingKey &key : keys)
		if (key.section() == section)
			text += (text.empty() ? "" : ", ") + std::string(key.leaf());
	if (text.empty())
		return "the sections are core, chunking, performance, fetch and safe";
	return "[" + std::string(section) + "] has " + text;
}

bool is_setting_section(std::string_view name)
{
	return std::any_of(keys.begin(), keys.end(),
		[&](const SettingKey &key) { return key.section() == name; });
}

std::string unknown_setting_key(std::string_view name)
{
	std::vector<std::string> names;
	for (const SettingKey &key : keys)
		names.emplace_back(key.name);
	return "unknown key " + quote(name) + "; " + known_names(name) + did_you_mean(name, names);
}

const SettingKey &get_setting_key(std::string_view name)
{
	const SettingKey *key = find_setting_key(name);
	if (!key)
		throw Error(unknown_setting_key(name));
	return *key;
}

std::string allowed_text(const SettingKey &key)
{
	switch (key.type) {
	case Type::boolean:
		return "true or false";
	case Type::text:
		return "a line of text";
	case Type::choice:
		return "auto, zstd, zlib, none or later";
	case Type::list:
		return "a directory or an array of directories";
	case Type::size:
	case Type::count:
		break;
	}
	const bool is_size = key.type == Type::size;
	const auto number = [&](std::uint64_t value) {
		return is_size ? exact_size_text(value) : std::to_string(value);
	};
	std::string text = key.may_be_zero ? "0, or " : "";
	text += is_size ? "a size" : "a number";
	if (key.most < max_number)
		text += " from " + number(key.least) + " to " + number(key.most);
	else if (key.least > 0)
		text += " from " + number(key.least) + " on";
	return text + (is_size ? " (units B, KB, MB, GB, TB)" : "");
}

std::optional<std::string> value_text(const Settings &settings, const SettingKey &key)
{
	// place() has no const twin; nothing is changed through it here.
	const SettingKey::Place value = key.place(const_cast<Settings &>(settings));
	std::string text;
	if (const auto *number = std::get_if<std::uint64_t *>(&value))
		return key.type == Type::size ? exact_size_text(**number) : std::to_string(**number);
	if (const auto *truth = std::get_if<bool *>(&value))
		return **truth ? "true" : "false";
	if (const auto *compression = std::get_if<Compression *>(&value))
		return std::string(compression_names[static_cast<std::size_t>(**compression)]);
	if (const auto *line = std::get_if<std::string *>(&value))
		text = **line;
	if (const auto *list = std::get_if<std::vector<std::string> *>(&value))
		for (const std::string &item : **list)
			text += (text.empty() ? "" : "\n") + item;
	if (text.empty())
		return {};
	return text;
}

Origin origin_of(const Settings &settings, const SettingKey &key)
{
	return settings.origins[number_of(key)];
}

std::optional<Compression> parse_compression(std::string_view text)
{
	const auto found = std::find(compression_names.begin(), compression_names.end(), text);
	if (found == compression_names.end())
		return {};
	return static_cast<Compression>(found - compression_names.begin());
}

} // namespace dig
