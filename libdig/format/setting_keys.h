// The table of settings: every key with its type, its limits, and its place in Settings.
#ifndef DIG_SETTING_KEYS_H
#define DIG_SETTING_KEYS_H

#include <variant>

#include "libdig/format/settings.h"

namespace dig {

// One row of the table.
struct SettingKey {
	enum class Type : std::uint8_t { size, count, boolean, text, choice, list };
	using Place = std::variant<std::uint64_t *, bool *, std::string *, Compression *,
		std::vector<std::string> *>;

	std::string_view name; // "chunking.target"
	Type type;
	std::string_view description;
	Place (*place)(Settings &);
	std::uint64_t least = 0, most = 0; // of sizes and counts
	bool may_be_zero = false;          // although least is more

	std::string_view section() const { return name.substr(0, name.find('.')); }
	std::string_view leaf() const { return name.substr(name.find('.') + 1); }
};

std::span<const SettingKey> setting_keys();

// What values are allowed, for messages: "0, or a size from 4KB to 2MB (units B, KB, MB, GB, TB)".
std::string allowed_text(const SettingKey &key);

// Null if no key has this name.
const SettingKey *find_setting_key(std::string_view name);
// Throws an Error that lists the keys of the section if no key has this name.
const SettingKey &get_setting_key(std::string_view name);

// The value as dig prints it, without quotes: "256KB", "true", "zstd".  Each item of a list has a
// line of its own.  Nothing when there is no value.
std::optional<std::string> value_text(const Settings &settings, const SettingKey &key);
Origin origin_of(const Settings &settings, const SettingKey &key);

// The position of a key in setting_keys(), and in Settings::origins.
std::size_t number_of(const SettingKey &key);
// "unknown key 'x'", with the keys of its section and the name that may have been meant.
std::string unknown_setting_key(std::string_view name);
// Whether name is "core", "chunking", "performance", "fetch" or "safe".
bool is_setting_section(std::string_view name);
// Nothing unless text is "auto", "zstd", "zlib" or "none".
std::optional<Compression> parse_compression(std::string_view text);

} // namespace dig

#endif
