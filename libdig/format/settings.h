// Settings: what the user chose, and where.  From weak to strong:
//
//     defaults
//     ${XDG_CONFIG_HOME:-~/.config}/dig/config.toml     the global file
//     .dig/config.toml                                  the store file
//     dig -c key=value                                  handed down in DIG_CONFIG
//
// The keys, their meaning and their limits are one table (setting_keys); dig-config(5) is the same
// table for people.  Sizes are written "256KB" or "2GB", or as a plain number of bytes; a KB is
// 1024 bytes.
#ifndef DIG_SETTINGS_H
#define DIG_SETTINGS_H

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/base/bytes.h"

namespace dig {

class BlockCompressor;
enum class Codec : std::uint8_t;
struct SettingKey;

enum class Compression : std::uint8_t { automatic, zstd, zlib, none, later };

enum class Origin : std::uint8_t { standard, global_file, store_file, command_line };

constexpr std::size_t setting_count = 35;

// A configuration file is written by hand; a larger file is something else.
constexpr std::size_t max_config_size = 1 << 20;

// All sizes are bytes.  The initialisers are the defaults.
struct Settings {
	struct Chunking {
		std::uint64_t target = 0; // one mean chunk size for all offsets; 0: the tiers below
		std::uint64_t small_file_chunk_size = 256_KiB;
		std::uint64_t small_file_threshold = 1_MiB;
		std::uint64_t medium_file_chunk_size = 1_MiB;
		std::uint64_t medium_file_threshold = 100_MiB;
		std::uint64_t large_file_chunk_size = 512_KiB;
		std::uint64_t huge_file_chunk_size = 2_MiB;
		std::uint64_t huge_file_threshold = 1_GiB;
	} chunking;

	struct Performance {
		std::uint64_t max_worker_threads = 0; // 0: as many as the machine has cores
		std::uint64_t batch_size = 100;
		std::uint64_t buffer_size = 256_KiB;
		std::uint64_t max_memory_usage = 80_MiB;
		std::uint64_t chunk_cache_size = 16_MiB;
		std::uint64_t file_cache_size = 8_MiB;
		bool async_io = true;
		std::uint64_t memory_map_threshold = 0; // 0: never
		std::uint64_t compression_threshold = 4_KiB;
		std::uint64_t checkpoint_interval = 1000;
		std::uint64_t checkpoint_bytes = 256_MiB;
	} performance;

	struct Core {
		Compression compression = Compression::automatic;
		std::uint64_t compression_level = 0; // 0: the codec's own default
		std::string author;                  // empty: user@host
		bool record_mtime = true;
		bool file_digest = false;
		bool block_tree = false;
		bool verify_writes = false;
		bool merge_layers = true;
	} core;

	// Of content that comes by a URL.
	struct Fetch {
		std::uint64_t connections = 0; // 0: as many as help
		std::uint64_t retries = 5;
		std::uint64_t stall_time = 30; // seconds
		std::uint64_t max_time = 0;    // seconds; 0: no limit
		std::uint64_t max_size = 0;    // 0: no limit
		std::uint64_t max_redirects = 10;
	} fetch;

	struct Remote {
		std::uint64_t cache_size = 1_GiB; // of content that lies in a remote
	} remote;

	struct Safe {
		// Stores of other users that may be opened.  Honoured from the global file only.
		std::vector<std::string> directory;
	} safe;

	// By position in setting_keys().
	std::array<Origin, setting_count> origins{};
};

// Who commits: DIG_AUTHOR, else core.author, else user@host.
std::string author_of(const Settings &settings);

// ${XDG_CONFIG_HOME:-~/.config}/dig/config.toml; empty when neither variable is set.
std::string global_config_path();

// The "key=value" lines of DIG_CONFIG: what "dig -c" handed down.
std::vector<std::string> command_line_settings();

// The defaults, changed by the global file, the store file and the command line, in this order.  A
// file that is not there sets nothing.  Neither does a global file that may not be read: under sudo
// or in a container it may belong to another user.  Throws an Error for a line that is no TOML, an
// unknown key, or a value that is not allowed; it names the file (or "-c"), the key and what is
// allowed.  Without a store, pass nothing as its path.
Settings load_settings(const std::optional<std::string> &store_config_path,
	std::span<const std::string> command_line);
// The same with command_line_settings().
Settings load_settings(const std::optional<std::string> &store_config_path);

// Threads that share a piece of work: performance.max_worker_threads, or as many as the process has
// cores (usable_cores()).
std::size_t worker_threads(const Settings &settings);

// Bytes that buffers, caches and compressors may take together: performance.max_memory_usage, or less
// where a control group limits the memory of the process (memory_limit()).
std::uint64_t memory_budget(const Settings &settings);

// The least performance.max_memory_usage, in whole MB, with which carries() is true, which has to stay so
// with more; 0 where no value is enough, as in a control group that is limited.
std::uint64_t memory_that_carries(const Settings &settings, const std::function<bool(const Settings &)> &carries);

// With the codec and the level that core.compression and core.compression_level ask for.
BlockCompressor block_compressor_of(const Settings &settings);
// The same for what is made anew of stored content: what was to be compressed later is compressed now.
struct BlockCompression {
	Codec codec;
	int level;
};
BlockCompression late_compression_of(const Settings &settings);
constexpr int late_level = 9;

// The text of a configuration file with one value set or, with no value, its line removed.
// Everything else stays as it is, comments too.  The value is read as in -c; path is for
// messages.  Throws an Error when the value is not allowed, when text is no valid configuration, or
// when the value cannot be edited by line, as in an inline table.
std::string edited_config(std::string_view text, const std::string &path, const SettingKey &key,
	std::optional<std::string_view> value);

// Throws what load_settings() would throw if text were the file at path: the global file, or the
// store file together with the present global file.
void check_config(std::string_view text, const std::string &path, Origin origin);

} // namespace dig

#endif
