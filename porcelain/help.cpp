// dig help shows pages by man(1), or as plain text where there is none.
#include <algorithm>
#include <cstdlib>

#include "libdig/base/suggestion.h"
#include "libdig/os/directory.h"
#include "libdig/tool/command.h"
#include "libdig/tool/installation.h"
#include "libdig/tool/page_text.h"

using namespace dig;

static constexpr char usage[] = "dig-help [COMMAND]\n"
				"dig-help --list";

static constexpr const char *sections[] = {"1", "5", "7"};

// The name may end with its section.
static std::optional<std::string> find_page(const std::string &name)
{
	for (const std::string section : sections)
		for (const std::string &directory : page_directories(section)) {
			const std::string file = directory + '/' + name + (name.ends_with('.' + section) ? "" : '.' + section);
			if (find_stat(file))
				return file;
		}
	return {};
}

// What "dig help" takes: "add", "tutorial", "digignore".  A name in two sections comes twice.
static std::vector<std::string> page_names()
{
	std::vector<std::string> names;
	for (const char *section : sections)
		for (const std::string &directory : page_directories(section)) {
			if (!find_stat(directory))
				continue;
			for (const std::string &file : names_in(directory))
				if (file.starts_with("dig") && file.ends_with(std::string(".") + section))
					names.push_back(file.substr(file.starts_with("dig-") ? 4 : 0,
						file.size() - 2 - (file.starts_with("dig-") ? 4 : 0)));
		}
	return names;
}

static bool is_in_path(const std::string &program)
{
	const char *search = std::getenv("PATH");
	for (std::string_view rest = search ? search : ""; !rest.empty();) {
		const std::size_t end = std::min(rest.find(':'), rest.size());
		if (end > 0 && find_stat(std::string(rest.substr(0, end)) + '/' + program))
			return true;
		rest.remove_prefix(std::min(end + 1, rest.size()));
	}
	return false;
}

static int show_page(const std::string &file)
{
	for (const auto &[program, option] : {std::pair("man", "-l"), std::pair("mandoc", "-a")})
		if (is_in_path(program))
			replace_process({program, option, file});
	const std::optional<Buffer> page = find_whole_file(file, 1_MiB);
	standard_output().write(page_text(page ? text_of(*page) : "", static_cast<std::size_t>(terminal_columns(1))));
	return exit_status::done;
}

static int list_pages()
{
	std::vector<std::string> names = page_names();
	std::sort(names.begin(), names.end());
	names.erase(std::unique(names.begin(), names.end()), names.end());
	for (const std::string &name : names)
		standard_output().record(name);
	return exit_status::done;
}

static int help(Options &options)
{
	bool is_list = false;
	std::vector<std::string> names;
	options.flag("list", 0, is_list, "the names of all pages, one per line").positional(names, 0, 1).parse();
	if (is_list)
		return list_pages();
	const std::string path = own_directory();
	if (names.empty()) {
		for (const std::string &dig : {path + "/dig", path + "/../../bin/dig"})
			if (find_stat(dig))
				replace_process({dig});
		replace_process({"dig"});
	}
	const std::string &name = names[0];
	std::optional<std::string> file = find_page("dig-" + name);
	if (!file && name.starts_with("dig"))
		file = find_page(name);
	if (file)
		return show_page(*file);
	const std::vector<std::string> known = page_names();
	if (!known.empty())
		throw UsageError("there is no page about " + quote(name) + did_you_mean(name, known));
	// The pages are elsewhere, and man may know where.
	replace_process({"man", name.starts_with("dig") ? name : "dig-" + name});
}

int dig_help_main(int argc, char **argv) { return run(argc, argv, usage, help); }
