// Where values come from, what they may be, and how a file is edited.
#include "libdig/format/setting_keys.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <set>

#include "libdig/base/error.h"
#include "libdig/base/error.h"
#include "libdig/os/environment.h"
#include "libdig/os/publish.h"
#include "libdig/os/publish.h"

using namespace dig;

namespace {

// A file in the current directory, which no store or home is looked for in.
class ConfigFile {
public:
	ConfigFile(std::string path, std::string_view text) : path_(std::move(path))
	{
		publish_file(path_, bytes_of(text));
	}
	~ConfigFile() { remove_file_if_there(path_); }
	const std::string &path() const { return path_; }

private:
	std::string path_;
};

struct NoGlobalFile {
	NoGlobalFile()
	{
		setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
		unsetenv("DIG_CONFIG");
	}
};

Settings load(std::string_view store_text, std::vector<std::string> command_line = {})
{
	const ConfigFile file("settings-test.toml", store_text);
	return load_settings(file.path(), command_line);
}

// The message of the Error that loading ends with.
std::string complaint(std::string_view store_text, std::vector<std::string> command_line = {})
{
	try {
		load(store_text, command_line);
	} catch (const Error &error) {
		BOOST_TEST(error.status() == exit_status::failed);
		return error.what();
	}
	return "none";
}

std::string edited(std::string_view text, std::string_view key,
	std::optional<std::string_view> value)
{
	try {
		return edited_config(text, "f", get_setting_key(key), value);
	} catch (const Error &error) {
		return error.what();
	}
}

std::string shown(const Settings &settings, std::string_view key)
{
	return value_text(settings, get_setting_key(key)).value_or("none");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(settings, NoGlobalFile)

BOOST_AUTO_TEST_CASE(every_key_has_a_name_a_description_and_a_default_that_is_allowed)
{
	std::set<std::string_view> names;
	Settings defaults;
	for (const SettingKey &key : setting_keys()) {
		BOOST_TEST(names.insert(key.name).second, key.name);
		BOOST_TEST(!key.description.empty(), key.name);
		BOOST_TEST(!allowed_text(key).empty(), key.name);
		BOOST_TEST(&get_setting_key(key.name) == &key);
		const std::optional<std::string> text = value_text(defaults, key);
		if (text)
			load("", {std::string(key.name) + "=" + *text});
	}
	BOOST_TEST(names.size() == setting_count);
}

BOOST_AUTO_TEST_CASE(the_defaults_are_the_documented_ones)
{
	const Settings settings = load("");
	BOOST_TEST(settings.chunking.target == 0U);
	BOOST_TEST(shown(settings, "chunking.small_file_chunk_size") == "256KB");
	BOOST_TEST(shown(settings, "chunking.small_file_threshold") == "1MB");
	BOOST_TEST(shown(settings, "chunking.medium_file_chunk_size") == "1MB");
	BOOST_TEST(shown(settings, "chunking.medium_file_threshold") == "100MB");
	BOOST_TEST(shown(settings, "chunking.large_file_chunk_size") == "512KB");
	BOOST_TEST(shown(settings, "chunking.huge_file_chunk_size") == "2MB");
	BOOST_TEST(shown(settings, "chunking.huge_file_threshold") == "1GB");
	BOOST_TEST(shown(settings, "performance.max_worker_threads") == "0");
	BOOST_TEST(shown(settings, "performance.batch_size") == "100");
	BOOST_TEST(shown(settings, "performance.buffer_size") == "256KB");
	BOOST_TEST(shown(settings, "performance.max_memory_usage") == "80MB");
	BOOST_TEST(shown(settings, "performance.chunk_cache_size") == "16MB");
	BOOST_TEST(shown(settings, "performance.file_cache_size") == "8MB");
	BOOST_TEST(shown(settings, "performance.async_io") == "true");
	BOOST_TEST(shown(settings, "performance.memory_map_threshold") == "0");
	BOOST_TEST(shown(settings, "performance.compression_threshold") == "4KB");
	BOOST_TEST(shown(settings, "core.author") == "none");
	for (const SettingKey &key : setting_keys())
		BOOST_TEST((origin_of(settings, key) == Origin::standard), key.name);
}

BOOST_AUTO_TEST_CASE(the_configuration_of_the_specification_is_accepted)
{
	const Settings settings = load(R"([chunking]
		small_file_chunk_size = "256KB"
		small_file_threshold = "1MB"
		medium_file_chunk_size = "1MB"
		medium_file_threshold = "100MB"
		large_file_chunk_size = "512KB"
		huge_file_chunk_size = "2MB"
		huge_file_threshold = "1GB"
		[performance]
		max_worker_threads = 0
		batch_size = 100
		buffer_size = "64KB"
		max_memory_usage = "2GB"
		chunk_cache_size = "500MB"
		file_cache_size = "100MB"
		async_io = true
		memory_map_threshold = "10MB"
		compression_threshold = "4KB"
	)");
	BOOST_TEST(settings.performance.max_memory_usage == 2_GiB);
	BOOST_TEST(settings.performance.memory_map_threshold == 10_MiB);
	BOOST_TEST((settings.origins[1] == Origin::standard));
}

BOOST_AUTO_TEST_CASE(the_command_line_outranks_the_store_file_and_that_the_global_file)
{
	setenv("XDG_CONFIG_HOME", current_directory().c_str(), 1);
	make_directory("dig");
	const ConfigFile global("dig/config.toml",
		"[performance]\nbatch_size = 1\nbuffer_size = 4096\nasync_io = false\n");
	const Settings settings =
		load("performance.batch_size = 2\nperformance.buffer_size = '8KB'\n",
			{"performance.batch_size=3"});
	BOOST_TEST(settings.performance.batch_size == 3U);
	BOOST_TEST(settings.performance.buffer_size == 8192U);
	BOOST_TEST(!settings.performance.async_io);
	const auto origin = [&](std::string_view key) {
		return static_cast<int>(origin_of(settings, get_setting_key(key)));
	};
	BOOST_TEST(origin("performance.batch_size") == static_cast<int>(Origin::command_line));
	BOOST_TEST(origin("performance.buffer_size") == static_cast<int>(Origin::store_file));
	BOOST_TEST(origin("performance.async_io") == static_cast<int>(Origin::global_file));
}

BOOST_AUTO_TEST_CASE(dig_config_holds_a_setting_a_line)
{
	setenv("DIG_CONFIG", "core.author=A B\n\nperformance.batch_size=7", 1);
	const std::vector<std::string> expected = {"core.author=A B", "performance.batch_size=7"};
	BOOST_TEST(command_line_settings() == expected, boost::test_tools::per_element());
	BOOST_TEST(load_settings({}).performance.batch_size == 7U);
}

BOOST_AUTO_TEST_CASE(a_typed_value_is_toml_or_else_a_bare_string)
{
	const auto author = [](std::string text) {
		return load("", {"core.author=" + text}).core.author;
	};
	BOOST_TEST(author("Ann Onymous <ann@example.org>") == "Ann Onymous <ann@example.org>");
	BOOST_TEST(author("\"Ann\"") == "Ann");
	BOOST_TEST(author("42") == "42");
	BOOST_TEST(author("true") == "true");
	BOOST_TEST(author("a=b") == "a=b");
	BOOST_TEST(author("") == "");
	const Settings settings = load("", {"performance.buffer_size=64KB", "core.compression=none",
						   "chunking.target='8KB'", "chunking.target=4096"});
	BOOST_TEST(settings.performance.buffer_size == 65536U);
	BOOST_TEST((settings.core.compression == Compression::none));
	BOOST_TEST(settings.chunking.target == 4096U);
	// A line break does not smuggle a second setting in.
	BOOST_TEST(complaint("", {"performance.batch_size=1\nx=2"}).find("batch_size must be") !=
		std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_complaint_names_file_line_key_and_what_is_allowed)
{
	BOOST_TEST(complaint("\n[performance]\nbuffer_size = \"2KB\"\n") ==
		"'settings-test.toml', line 3: performance.buffer_size must be a size from 4KB to 16MB "
		"(units B, KB, MB, GB, TB)");
	BOOST_TEST(complaint("[core]\nrecord_mtime = 1\n") ==
		"'settings-test.toml', line 2: core.record_mtime must be true or false");
	BOOST_TEST(complaint("[core]\ncompresion = 1\n") ==
		"'settings-test.toml', line 2: unknown key 'core.compresion'; [core] has compression, "
		"compression_level, author, record_mtime, file_digest, block_tree, verify_writes, merge_layers; "
		"did you mean 'core.compression'?");
	BOOST_TEST(complaint("[kore]\n") ==
		"'settings-test.toml', line 1: unknown key 'kore'; the sections are core, chunking, "
		"performance, fetch and safe");
	BOOST_TEST(complaint("core = 1\n").find("unknown key 'core'") != std::string::npos);
	BOOST_TEST(complaint("[core]\nauthor = \n").find("'settings-test.toml', line 2: ") == 0U);
	BOOST_TEST(complaint("", {"core.file_digest=maybe"}) ==
		"-c: core.file_digest must be true or false");
	BOOST_TEST(complaint("", {"core.file_digest"}) ==
		"-c: 'core.file_digest' is not of the form KEY=VALUE");
}

BOOST_AUTO_TEST_CASE(values_out_of_range_or_of_another_type_are_refused)
{
	for (const char *text : {"chunking.target = 4095", "chunking.target = '2049KB'",
			 "chunking.target = -1", "chunking.target = 65536.0", "chunking.target = true",
			 "chunking.huge_file_chunk_size = 0", "performance.batch_size = 0",
			 "performance.batch_size = '5'", "performance.max_worker_threads = 1025",
			 "performance.max_memory_usage = '8MB'", "performance.checkpoint_interval = 0",
			 "core.compression = 'lzma'", "core.compression = 1", "core.compression_level = 20",
			 "core.author = 5", "core.author = \"a\\nb\"", "core.verify_writes = 'yes'",
			 "chunking = []", "x = 1"})
		BOOST_TEST(complaint(text) != "none", text);
	for (const char *text : {"chunking.target = 4096", "chunking.target = 0",
			 "chunking.target = '2MB'", "performance.buffer_size = '16MB'",
			 "core.compression_level = 19", "performance.chunk_cache_size = 0"})
		BOOST_TEST(complaint(text) == "none", text);
}

BOOST_AUTO_TEST_CASE(thresholds_ascend)
{
	BOOST_TEST(complaint("chunking.small_file_threshold = '200MB'") ==
		"chunking.small_file_threshold (200MB, 'settings-test.toml') must not be above "
		"chunking.medium_file_threshold (100MB, the default)");
	BOOST_TEST(complaint("", {"chunking.huge_file_threshold=1MB"}) ==
		"chunking.medium_file_threshold (100MB, the default) must not be above "
		"chunking.huge_file_threshold (1MB, -c)");
	BOOST_TEST(complaint("[chunking]\nsmall_file_threshold = '1GB'\n"
			     "medium_file_threshold = '1GB'\n") == "none");
}

BOOST_AUTO_TEST_CASE(zlib_has_nine_levels)
{
	BOOST_TEST(complaint("[core]\ncompression = 'zlib'\ncompression_level = 9") == "none");
	BOOST_TEST(complaint("[core]\ncompression = 'zlib'\ncompression_level = 10") != "none");
}

BOOST_AUTO_TEST_CASE(a_store_cannot_call_itself_safe)
{
	BOOST_TEST(load("safe.directory = '/'").safe.directory.empty());
	BOOST_TEST(complaint("", {"safe.directory=/"}) != "none");
	setenv("XDG_CONFIG_HOME", current_directory().c_str(), 1);
	make_directory("dig");
	const ConfigFile global("dig/config.toml", "[safe]\ndirectory = ['/a', '/b']\n");
	BOOST_TEST(shown(load_settings({}), "safe.directory") == "/a\n/b");
}

BOOST_AUTO_TEST_CASE(an_edit_leaves_the_rest_as_it_is)
{
	const std::string text = "# top\n[core]\n  author = \"J\u00f6rg\"   # who\n\n[performance] # p\n"
				 "batch_size=5# five\n# end\n";
	BOOST_TEST(edited(text, "core.author", "Eve \"E\" \\") ==
		"# top\n[core]\n  author = \"Eve \\\"E\\\" \\\\\"   # who\n\n[performance] # p\n"
		"batch_size=5# five\n# end\n");
	BOOST_TEST(edited(text, "performance.batch_size", "70") ==
		"# top\n[core]\n  author = \"J\u00f6rg\"   # who\n\n[performance] # p\n"
		"batch_size=70# five\n# end\n");
	BOOST_TEST(edited(text, "core.file_digest", "true") ==
		"# top\n[core]\n  author = \"J\u00f6rg\"   # who\nfile_digest = true\n\n"
		"[performance] # p\nbatch_size=5# five\n# end\n");
	BOOST_TEST(edited(text, "chunking.target", "65536") ==
		text + "\n[chunking]\ntarget = \"64KB\"\n");
	BOOST_TEST(edited(text, "core.author", {}) ==
		"# top\n[core]\n\n[performance] # p\nbatch_size=5# five\n# end\n");
	BOOST_TEST(edited(text, "core.file_digest", {}) == text);
}

BOOST_AUTO_TEST_CASE(all_forms_of_toml_can_be_edited_or_are_refused)
{
	BOOST_TEST(edited("", "core.author", "A") == "[core]\nauthor = \"A\"\n");
	BOOST_TEST(edited("[core]", "core.author", "A") == "[core]\nauthor = \"A\"\n");
	BOOST_TEST(edited("[core]\nauthor = 'B'", "core.author", "A") == "[core]\nauthor = \"A\"");
	BOOST_TEST(edited("core.author = 'B'\r\n", "core.author", "A") == "core.author = \"A\"\r\n");
	BOOST_TEST(edited("core.author = 'B'\n[safe]\n", "core.file_digest", "true") ==
		"core.author = 'B'\ncore.file_digest = true\n[safe]\n");
	BOOST_TEST(edited("safe.directory = [ '/a', # a\n '/b' ] # b\n[core]\n", "safe.directory", "/c") ==
		"safe.directory = [\"/c\"] # b\n[core]\n");
	BOOST_TEST(edited("[safe]\ndirectory = [\n'/a',\n]\n[core]\n", "safe.directory", {}) ==
		"[safe]\n[core]\n");
	const std::string refusal =
		"cannot edit core.author in 'f' line by line; edit the file by hand";
	BOOST_TEST(edited("core = { file_digest = true }\n", "core.author", "A") == refusal);
	BOOST_TEST(edited("core = { author = 'B', file_digest = true }\n", "core.author", {}) ==
		refusal);
	BOOST_TEST(edited("core = { author = 'B' }\n", "core.author", "A") ==
		"core = { author = \"A\" }\n");
	BOOST_TEST(edited("[core]\nbad\n", "core.author", "A").find("'f', line 2: ") == 0U);
	BOOST_TEST(edited("", "core.compression_level", "99") ==
		"'f': core.compression_level must be a number from 0 to 19");
}

BOOST_AUTO_TEST_CASE(the_author_of_the_environment_comes_first)
{
	setenv("DIG_AUTHOR", "E", 1);
	BOOST_TEST(author_of(load("core.author = 'S'")) == "E");
	setenv("DIG_AUTHOR", "E\nF", 1);
	BOOST_CHECK_THROW(author_of(load("")), Error);
	unsetenv("DIG_AUTHOR");
	BOOST_TEST(author_of(load("core.author = 'S'")) == "S");
	BOOST_TEST(author_of(load("")).find('@') != std::string::npos);
}

// What toml++ makes of it is either a configuration or an Error.
BOOST_AUTO_TEST_CASE(no_mutation_of_a_configuration_ends_the_process)
{
	const std::vector<std::string> texts = {
		"# one\n[core]\nauthor = \"A B <a@b>\"\ncompression='zstd'\n\n[safe]\ndirectory = [\"/a\", "
		"'/b', ]\n",
		"performance = { batch_size = 10, async_io = true }\ncore.record_mtime = false\r\n",
		"[performance]\nbuffer_size = \"256KB\" # c\nmax_worker_threads = 0x10\nbatch_size = "
		"1_000\n[[core]]\n",
		"core.author = \"\"\"a\n\\u00e9 \\\n  b\"\"\"\nchunking.target = '''x'''\na = "
		"1979-05-27T07:32:00Z\nb = 1.5e3\n",
	};
	const std::string pieces[] = {"[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\"", "'", "\"\"\"",
		"'''", "\\", " ", "\t", "\xff", "\xc2", "\xe2\x80\xae", "\xed\xa0\x80", "0x", "1e", "inf", "-", "+", ":", "T",
		"1979-", "07:32", std::string(1, '\0'), "_", "true", "core", "a.b"};
	const char *wish = std::getenv("DIG_TEST_MUTATIONS");
	const int count = wish ? std::atoi(wish) : 20000;
	std::mt19937 random(1);
	const auto below = [&](std::size_t bound) { return random() % bound; };
	int good = 0;
	for (int i = 0; i < count; i++) {
		std::string text = texts[below(texts.size())];
		for (std::size_t edits = 1 + below(6); edits > 0; edits--) {
			const std::size_t at = below(text.size() + 1);
			switch (below(4)) {
			case 0: text.erase(at, 1 + below(8)); break;
			case 1: text.insert(at, pieces[below(std::size(pieces))]); break;
			case 2: text.insert(at, text.substr(below(text.size() + 1), below(30))); break;
			default:
				if (at < text.size())
					text[at] = static_cast<char>(random());
			}
		}
		try {
			check_config(text, "config.toml", Origin::global_file);
			good++;
		} catch (const Error &) {
		}
		try {
			edited_config(text, "config.toml", get_setting_key("core.author"), text.substr(0, below(20)));
		} catch (const Error &) {
		}
	}
	// Comments and blanks take many.
	BOOST_TEST(good > count / 500);
}

BOOST_AUTO_TEST_SUITE_END()
