// dig-config: shows and changes settings.
#include <algorithm>

#include "libdig/format/setting_keys.h"
#include "libdig/format/settings.h"
#include "libdig/os/publish.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-config [-z] [--global] [--show-origin] KEY\n"
	"dig-config [-z] [--global] [--show-origin] --list\n"
	"dig-config [--global] KEY VALUE\n"
	"dig-config [--global] --unset KEY";

// Where settings are read and written.
struct Files {
	std::optional<std::string> store; // the store file, where there is a store that counts
	std::optional<std::string> format; // what has its chunking
	std::string global;

	explicit Files(bool only_global) : global(global_config_path())
	{
		if (only_global)
			return;
		if (const std::optional<std::string> directory = find_store_directory())
			store = *directory + "/config.toml", format = *directory + "/format";
	}
};

// Prints KEY=VALUE or VALUE, as git does: before NUL, a newline stands between key and value.
class Printer {
public:
	Printer(const Files &files, bool nul, bool show_origin)
		: files_(files), nul_(nul), show_origin_(show_origin)
	{
		standard_output().set_end(record_end(nul));
	}

	// Each item of a list is a record of its own.  False when there is no value.
	bool print(const Settings &settings, const SettingKey &key, bool with_key) const
	{
		const std::optional<std::string> text = value_text(settings, key);
		if (!text)
			return false;
		const std::string left =
			with_key ? std::string(key.name) + (nul_ ? '\n' : '=') : std::string();
		for (std::size_t at = 0; at <= text->size();) {
			const std::size_t end = std::min(text->find('\n', at), text->size());
			const std::string item = text->substr(at, end - at);
			if (show_origin_)
				print_origin(settings, key);
			standard_output().record(left + (nul_ ? item : shown_text(item)));
			at = end + 1;
		}
		return true;
	}

private:
	void print_origin(const Settings &settings, const SettingKey &key) const
	{
		Output &out = standard_output();
		const Origin origin = origin_of(settings, key);
		if (files_.format && key.section() == "chunking")
			out.path("file:" + *files_.format);
		else if (origin == Origin::standard)
			out.write("default");
		else if (origin == Origin::command_line)
			out.write("command line");
		else
			out.path("file:" + (origin == Origin::global_file ? files_.global : *files_.store));
		out.write(nul_ ? std::string_view("\0", 1) : "\t");
	}

	const Files &files_;
	bool nul_, show_origin_;
};

// A store keeps the chunking that it was made with, whatever the files say now.
static void show_chunking_of(const std::string &format, Settings &settings)
{
	const std::optional<Buffer> content = find_whole_file(format, 64_KiB);
	if (!content)
		return;
	const ChunkingParameters stored = StoreFormat::decode(*content, format).chunking;
	settings.chunking = {.target = stored.target,
		.small_file_chunk_size = stored.small_file_chunk_size,
		.small_file_threshold = stored.small_file_threshold,
		.medium_file_chunk_size = stored.medium_file_chunk_size,
		.medium_file_threshold = stored.medium_file_threshold,
		.large_file_chunk_size = stored.large_file_chunk_size,
		.huge_file_chunk_size = stored.huge_file_chunk_size,
		.huge_file_threshold = stored.huge_file_threshold};
}

static void create_parents(const std::string &path)
{
	const std::string directory = directory_of(path);
	if (find_stat(directory))
		return;
	create_parents(directory);
	make_directory(directory);
}

static int change(bool only_global, const SettingKey &key, std::optional<std::string_view> value)
{
	if (key.section() == "safe" && !only_global)
		throw Error(std::string(key.name) + " is honoured in the global file only; use --global");
	const Files files(only_global);
	if (!only_global && !files.store)
		throw NoStoreError("no store here or above; --global changes the global file");
	if (only_global && files.global.empty())
		throw Error("neither XDG_CONFIG_HOME nor HOME tells where the global file is");
	const std::string &path = only_global ? files.global : *files.store;
	const std::optional<Buffer> content = find_whole_file(path, max_config_size);
	const std::string_view old_text = content ? text_of(*content) : "";
	const std::string text = edited_config(old_text, path, key, value);
	if (!value && text == old_text)
		throw NegativeAnswer(std::string(key.name) + " is not set in " + quote(path));
	check_config(text, path, only_global ? Origin::global_file : Origin::store_file);
	create_parents(path);
	publish_file(path, bytes_of(text));
	if (key.section() == "chunking" && !only_global)
		warn("a store keeps the chunking that it was created with");
	return exit_status::done;
}

static int config(Options &options)
{
	bool nul = false, only_global = false, show_origin = false, list = false, unset = false;
	std::vector<std::string> words;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("global", 0, only_global, "use the global file, as outside of any store")
		.flag("show-origin", 0, show_origin, "show the origin of each value")
		.flag("list", 'l', list, "show all settings that have a value")
		.flag("unset", 0, unset, "remove the setting from the file")
		.positional(words, 0, 2)
		.parse();
	if (list && !words.empty())
		throw UsageError("--list takes no key");
	if (!list && words.empty())
		throw UsageError("no key given");
	if (unset && words.size() > 1)
		throw UsageError("--unset takes no value");
	if (unset && list)
		throw UsageError("--list and --unset exclude each other");
	const bool changes = unset || words.size() == 2;
	if (changes && (nul || show_origin))
		throw UsageError("-z and --show-origin do not go with a change");
	if (changes)
		return change(only_global, get_setting_key(words[0]),
			unset ? std::nullopt : std::optional<std::string_view>(words[1]));

	const SettingKey *key = list ? nullptr : &get_setting_key(words[0]);
	const Files files(only_global);
	Settings settings = load_settings(files.store);
	if (files.format)
		show_chunking_of(*files.format, settings);
	const Printer printer(files, nul, show_origin);
	if (key)
		return printer.print(settings, *key, false) ? exit_status::done : exit_status::no;
	for (const SettingKey &each : setting_keys())
		printer.print(settings, each, true);
	return exit_status::done;
}

int dig_config_main(int argc, char **argv) { return run(argc, argv, usage, config); }
