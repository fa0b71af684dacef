// Values from four places are put over each other in the order of their strength.  Each value goes
// through the table of keys (setting_keys), whatever its place, so a limit holds everywhere.  A
// value is put into a copy first: one that is not allowed changes nothing.  Limits that concern two
// settings are checked at the end, because the two may come from two files, and the message names
// both.
//
// TOML is parsed by toml++, in this file only, since its header is slow to compile.  A text passes
// toml_shape before: the store file may come from somebody else, and the parser fails assertions or
// recurses without a bound on some texts.
#include "libdig/format/settings.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "libdig/base/byte_size.h"
#include "libdig/base/error.h"
#include "libdig/chunking/block_compressor.h"
#include "libdig/format/setting_keys.h"
#include "libdig/format/toml_shape.h"
#include "libdig/os/environment.h"
#include "libdig/os/file.h"
#include "libdig/os/machine.h"

// toml++ asserts what a text makes wrong.  That is to be an error of the text, whether or not the
// build has assertions.
#undef NDEBUG
[[noreturn]] static void fail_toml(const char *assertion) { throw std::logic_error(assertion); }
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : fail_toml(#condition))
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace dig {

using Type = SettingKey::Type;
using Chunking = Settings::Chunking;

std::size_t worker_threads(const Settings &settings)
{
	const std::uint64_t wanted = settings.performance.max_worker_threads;
	return wanted ? wanted : usable_cores();
}

// In a group the program itself counts, too, and a part of the page cache: a process that leaves
// nothing for the cache waits for the storage with each write.
std::uint64_t memory_budget(const Settings &settings)
{
	constexpr std::uint64_t program = 12_MiB;
	const std::uint64_t wanted = settings.performance.max_memory_usage;
	const std::optional<std::uint64_t> limit = memory_limit();
	if (!limit)
		return wanted;
	const std::uint64_t ours = *limit - *limit / 4;
	return std::min(wanted, ours > program ? ours - program : 0);
}

std::uint64_t memory_that_carries(const Settings &settings, const std::function<bool(const Settings &)> &carries)
{
	constexpr std::uint64_t most = std::uint64_t(1) << 20;
	Settings with = settings;
	const auto is_enough = [&](std::uint64_t megabytes) {
		with.performance.max_memory_usage = megabytes * 1_MiB;
		return carries(with);
	};
	if (!is_enough(most))
		return 0;
	std::uint64_t least = 16, enough = most;
	while (least < enough) {
		const std::uint64_t middle = (least + enough) / 2;
		if (is_enough(middle))
			enough = middle;
		else
			least = middle + 1;
	}
	return enough * 1_MiB;
}

BlockCompressor block_compressor_of(const Settings &settings)
{
	const int level = static_cast<int>(settings.core.compression_level);
	switch (settings.core.compression) {
	case Compression::none:
	case Compression::later: return {Codec::none, level};
	case Compression::zlib: return {Codec::zlib, level};
	default: return {Codec::zstd, level};
	}
}

BlockCompression late_compression_of(const Settings &settings)
{
	const int level = static_cast<int>(settings.core.compression_level);
	switch (settings.core.compression) {
	case Compression::none: return {Codec::none, level};
	case Compression::zlib: return {Codec::zlib, level};
	case Compression::later: return {Codec::zstd, level ? level : late_level};
	default: return {Codec::zstd, level};
	}
}

static bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

static bool is_line(std::string_view text)
{
	return std::none_of(text.begin(), text.end(), is_control);
}

// Puts a value of TOML at the key's place in Settings; false if the value is not allowed.
class Assignment {
public:
	Assignment(const SettingKey &key, const toml::node &node) : key_(key), node_(node) {}

	bool operator()(std::uint64_t *value) const
	{
		std::optional<std::uint64_t> number;
		if (const auto *integer = node_.as_integer(); integer && integer->get() >= 0)
			number = static_cast<std::uint64_t>(integer->get());
		else if (const auto *text = node_.as_string(); text && key_.type == Type::size)
			number = parse_size(text->get());
		if (!number || *number > key_.most)
			return false;
		if (*number < key_.least && !(*number == 0 && key_.may_be_zero))
			return false;
		*value = *number;
		return true;
	}
	bool operator()(bool *value) const
	{
		const auto *truth = node_.as_boolean();
		if (truth)
			*value = truth->get();
		return truth;
	}
	bool operator()(std::string *value) const { return take_line(node_, *value); }
	bool operator()(Compression *value) const
	{
		const auto *text = node_.as_string();
		if (!text)
			return false;
		const std::optional<Compression> compression = parse_compression(text->get());
		if (compression)
			*value = *compression;
		return compression.has_value();
	}
	bool operator()(std::vector<std::string> *value) const
	{
		std::vector<std::string> lines;
		const auto take = [&](const toml::node &node) {
			return take_line(node, lines.emplace_back());
		};
		const toml::array *array = node_.as_array();
		const bool is_good = array ? std::all_of(array->begin(), array->end(), take) : take(node_);
		*value = std::move(lines);
		return is_good;
	}

private:
	static bool take_line(const toml::node &node, std::string &line)
	{
		const auto *text = node.as_string();
		if (text)
			line = text->get();
		return text && is_line(line);
	}

	const SettingKey &key_;
	const toml::node &node_;
};

static toml::table parsed_toml(std::string_view text, const std::string &name)
{
	if (const std::optional<TomlFault> fault = find_toml_fault(text))
		throw Error(name + ", line " + std::to_string(fault->line) + ": " + fault->reason);
	try {
		return toml::parse(text);
	} catch (const std::logic_error &) {
		throw Error(name + " is no TOML that dig can read");
	} catch (const toml::parse_error &error) {
		// The description may quote the file, whose bytes must not reach a terminal as they
		// are.
		throw Error(name + ", line " + std::to_string(error.source().begin.line) + ": " +
			shown_text(error.description()));
	}
}

// Where values come from, and the name of that in messages.
struct Provenance {
	std::string name;
	Origin origin;
};

static void assign(Settings &settings, const SettingKey &key, const toml::node &node,
	const Provenance &from)
{
	Settings changed = settings;
	if (!std::visit(Assignment(key, node), key.place(changed))) {
		const auto line = node.source().begin.line;
		const bool has_line = from.origin <= Origin::store_file && line > 0;
		throw Error(from.name + (has_line ? ", line " + std::to_string(line) : "") + ": " +
			std::string(key.name) + " must be " + allowed_text(key));
	}
	changed.origins[number_of(key)] = from.origin;
	settings = std::move(changed);
}

static void assign_section(Settings &settings, std::string_view section, const toml::node &node,
	const Provenance &from)
{
	const toml::table *table = node.as_table();
	if (!table)
		throw Error(from.name + ", line " + std::to_string(node.source().begin.line) + ": " +
			unknown_setting_key(section));
	for (const auto &[leaf, value] : *table) {
		const std::string name = std::string(section) + "." + std::string(leaf.str());
		const SettingKey *key = find_setting_key(name);
		if (!key)
			throw Error(from.name + ", line " + std::to_string(leaf.source().begin.line) + ": " +
				unknown_setting_key(name));
		// A store must not be able to call itself safe.
		if (key->type == Type::list && from.origin == Origin::store_file)
			continue;
		assign(settings, *key, value, from);
	}
}

static void assign_text(Settings &settings, std::string_view text, const Provenance &from)
{
	const toml::table table = parsed_toml(text, from.name);
	for (const auto &[section, node] : table) {
		if (!is_setting_section(section.str()))
			throw Error(from.name + ", line " + std::to_string(section.source().begin.line) + ": " +
				unknown_setting_key(section.str()));
		assign_section(settings, section.str(), node, from);
	}
}

// A value as typed on a command line: TOML or, if it is none, a bare string.
static void assign_typed(Settings &settings, const SettingKey &key, std::string_view typed,
	const Provenance &from)
{
	toml::table table;
	try {
		table = parsed_toml("value = " + std::string(typed), from.name);
	} catch (const Error &) {
	}
	const toml::node *node = table.get("value");
	// "2024-01-01" and "true" are fine names for an author, and a line break adds no keys.
	const bool is_bare = !node || table.size() > 1 || (key.type == Type::text && !node->is_string());
	if (is_bare)
		assign(settings, key, toml::value<std::string>(std::string(typed)), from);
	else
		assign(settings, key, *node, from);
}

static void assign_command_line(Settings &settings, const std::string &pair)
{
	const std::size_t equals = pair.find('=');
	if (equals == pair.npos)
		throw Error("-c: " + quote(pair) + " is not of the form KEY=VALUE");
	const SettingKey *key = find_setting_key(std::string_view(pair).substr(0, equals));
	if (!key)
		throw Error("-c: " + unknown_setting_key(std::string_view(pair).substr(0, equals)));
	if (key->type == Type::list)
		throw Error("-c: " + std::string(key->name) + " is honoured in the global file only");
	assign_typed(settings, *key, std::string_view(pair).substr(equals + 1),
		{"-c", Origin::command_line});
}

// Checks limits that concern two settings at once.  names has a name for each origin.
static void check_together(const Settings &settings, const std::array<std::string, 4> &names)
{
	const auto shown = [&](std::string_view name) {
		const SettingKey &key = get_setting_key(name);
		return std::string(name) + " (" + *value_text(settings, key) + ", " +
			names[static_cast<std::size_t>(origin_of(settings, key))] + ")";
	};
	const Chunking &tiers = settings.chunking;
	if (tiers.small_file_threshold > tiers.medium_file_threshold)
		throw Error(shown("chunking.small_file_threshold") + " must not be above " +
			shown("chunking.medium_file_threshold"));
	if (tiers.medium_file_threshold > tiers.huge_file_threshold)
		throw Error(shown("chunking.medium_file_threshold") + " must not be above " +
			shown("chunking.huge_file_threshold"));
	if (settings.core.compression == Compression::zlib && settings.core.compression_level > 9)
		throw Error(shown("core.compression_level") + " must not be above 9 with " +
			shown("core.compression"));
}

std::string global_config_path()
{
	// The XDG specification wants relative values ignored.
	const char *base = std::getenv("XDG_CONFIG_HOME");
	if (base && base[0] == '/')
		return std::string(base) + "/dig/config.toml";
	const char *home = std::getenv("HOME");
	return home && home[0] ? std::string(home) + "/.config/dig/config.toml" : "";
}

std::vector<std::string> command_line_settings()
{
	const char *variable = std::getenv("DIG_CONFIG");
	std::string_view text = variable ? variable : "";
	std::vector<std::string> pairs;
	while (!text.empty()) {
		const std::size_t end = std::min(text.find('\n'), text.size());
		if (end > 0)
			pairs.emplace_back(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return pairs;
}

static void assign_file(Settings &settings, const std::string &path, Origin origin)
{
	if (const std::optional<Buffer> content = find_whole_file(path, max_config_size))
		assign_text(settings, text_of(*content), {quote(path), origin});
}

// A global file that is /dev/null stands for no global settings.
static bool is_to_be_read(const std::string &global_path)
{
	if (global_path.empty() || !may_read(global_path))
		return false;
	const std::optional<FileStat> stat = find_stat(global_path);
	return !stat || stat->type != FileType::device;
}

Settings load_settings(const std::optional<std::string> &store_config_path,
	std::span<const std::string> command_line)
{
	Settings settings;
	const std::string global_path = global_config_path();
	if (is_to_be_read(global_path))
		assign_file(settings, global_path, Origin::global_file);
	if (store_config_path)
		assign_file(settings, *store_config_path, Origin::store_file);
	for (const std::string &pair : command_line)
		assign_command_line(settings, pair);
	check_together(settings,
		{"the default", quote(global_path), quote(store_config_path.value_or("")), "-c"});
	return settings;
}

Settings load_settings(const std::optional<std::string> &store_config_path)
{
	return load_settings(store_config_path, command_line_settings());
}

std::string author_of(const Settings &settings)
{
	const char *author = std::getenv("DIG_AUTHOR");
	if (!author || !author[0])
		return settings.core.author.empty() ? user_at_host() : settings.core.author;
	if (!is_line(author))
		throw Error("DIG_AUTHOR must be a line of text");
	return author;
}

// --- editing ---------------------------------------------------------------------------------
//
// A configuration file belongs to its user, who may have comments, an order and a layout in it.
// Writing it anew from its values would lose these.  So the file is edited as text: toml++ knows
// where each value begins and ends, only that part is replaced, and a new key gets a line of its
// own.
//
// TOML has more forms than this knows (inline tables, dotted keys, arrays over several lines).  The
// edit is therefore checked, and not the form: the values of the result are read, and must be those
// of the old text with the one change.  If they are not, the user is asked to edit the file.

static std::string toml_string(std::string_view text)
{
	std::string out = "\"";
	for (char c : text) {
		if (c == '"' || c == '\\')
			out += '\\';
		out += c;
	}
	return out + "\"";
}

static std::string toml_text(const Settings &settings, const SettingKey &key)
{
	std::string bare = value_text(settings, key).value_or("");
	switch (key.type) {
	case Type::count:
	case Type::boolean:
		return bare;
	case Type::size:
		return bare == "0" ? bare : toml_string(bare);
	case Type::text:
	case Type::choice:
		return toml_string(bare);
	case Type::list:
		break;
	}
	std::string text;
	for (const std::string &item : settings.safe.directory)
		text += (text.empty() ? "" : ", ") + toml_string(item);
	return "[" + text + "]";
}

// The keys that text sets, and their values as dig prints them.
static std::map<std::string_view, std::string> values_in(std::string_view text,
	const std::string &name)
{
	Settings settings;
	// As the global file, in which no key is ignored.
	assign_text(settings, text, {name, Origin::global_file});
	std::map<std::string_view, std::string> values;
	for (const SettingKey &key : setting_keys())
		if (origin_of(settings, key) != Origin::standard)
			values[key.name] = toml_text(settings, key);
	return values;
}

// The byte at which a line (counted from 1) begins; the end of the text for later ones.
static std::size_t start_of_line(std::string_view text, std::size_t line)
{
	std::size_t at = 0;
	for (; line > 1 && at < text.size(); line--)
		at = std::min(text.find('\n', at), text.size() - 1) + 1;
	return at;
}

// toml++ counts columns in code points.
static std::size_t byte_at(std::string_view text, const toml::source_position &position)
{
	std::size_t at = start_of_line(text, position.line);
	for (std::size_t column = position.column; column > 1 && at < text.size(); column--)
		do
			at++;
		while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
	return at;
}

// text with a line inserted at byte at.  The text before it gets a newline if it has none.
static std::string with_line(std::string_view text, std::size_t at, const std::string &line)
{
	std::string out(text.substr(0, at));
	if (!out.empty() && out.back() != '\n')
		out += '\n';
	return out + line + '\n' + std::string(text.substr(at));
}

static std::string with_new_key(std::string_view text, const toml::table &table,
	const SettingKey &key, const std::string &value)
{
	const std::string leaf(key.leaf()), section(key.section());
	const toml::node *node = table.get(section);
	if (!node) {
		const std::string gap = text.empty() ? "" : "\n";
		return with_line(text, text.size(), gap + "[" + section + "]\n" + leaf + " = " + value);
	}
	auto last_line = node->source().begin.line;
	for (const auto &[name, other] : *node->as_table())
		last_line = std::max(last_line, other.source().end.line);
	const bool has_header = text[byte_at(text, node->source().begin)] == '[';
	return with_line(text, start_of_line(text, last_line + 1),
		(has_header ? leaf : std::string(key.name)) + " = " + value);
}

std::string edited_config(std::string_view text, const std::string &path, const SettingKey &key,
	std::optional<std::string_view> value)
{
	const std::string shown_name = quote(path);
	auto expected = values_in(text, shown_name);
	const toml::table table = parsed_toml(text, shown_name);
	const toml::node *node = table[key.section()][key.leaf()].node();
	std::string edited(text);
	if (value) {
		Settings settings;
		assign_typed(settings, key, *value, {shown_name, Origin::command_line});
		const std::string new_text = expected[key.name] = toml_text(settings, key);
		if (node) {
			const std::size_t begin = byte_at(text, node->source().begin);
			edited.replace(begin, byte_at(text, node->source().end) - begin, new_text);
		} else {
			edited = with_new_key(text, table, key, new_text);
		}
	} else if (node) {
		expected.erase(key.name);
		const std::size_t begin = start_of_line(text, node->source().begin.line);
		edited.erase(begin, start_of_line(text, node->source().end.line + 1) - begin);
	}
	bool is_as_expected = false;
	try {
		is_as_expected = values_in(edited, shown_name) == expected;
	} catch (const Error &) {
	}
	if (!is_as_expected)
		throw Error("cannot edit " + std::string(key.name) + " in " + shown_name +
			" line by line; edit the file by hand");
	return edited;
}

void check_config(std::string_view text, const std::string &path, Origin origin)
{
	Settings settings;
	const std::string global_path = global_config_path();
	if (origin == Origin::store_file && is_to_be_read(global_path))
		assign_file(settings, global_path, Origin::global_file);
	assign_text(settings, text, {quote(path), origin});
	check_together(settings, {"the default",
		quote(origin == Origin::global_file ? path : global_path), quote(path), "-c"});
}

} // namespace dig
