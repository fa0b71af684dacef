// The program that all tools are.  A tool is a link to it, and the name that it was called by says
// which one is meant.  With 36 programs each would carry the libraries again: they took 263 MB.
// Called by no tool's name it is dig itself, and dig X goes on as the tool X, or runs dig-X from the
// exec path or PATH.
//
// A tool costs the others nothing when it starts: there is no object that is built before main()
// (t0007), and code that is not run is not read.
#include <algorithm>
#include <cstdlib>
#include <span>

#include "libdig/base/suggestion.h"
#include "libdig/base/trace.h"
#include "libdig/os/environment.h"
#include "libdig/os/file.h"
#include "libdig/tool/command.h"
#include "libdig/tool/installation.h"

using namespace dig;

// make writes the list: TOOL("check-ignore", dig_check_ignore_main) for plumbing/check-ignore.cpp.
#define TOOL(name, main) int main(int argc, char **argv);
#include "tools.inc"
#undef TOOL

struct Tool {
	std::string_view name;
	int (*main)(int argc, char **argv);
};

static constexpr Tool tools[] = {
#define TOOL(name, main) {name, main},
#include "tools.inc"
#undef TOOL
};

static const Tool *find_tool(std::string_view name)
{
	const auto *tool = std::find_if(std::begin(tools), std::end(tools), [&](const Tool &t) { return t.name == name; });
	return tool == std::end(tools) ? nullptr : tool;
}

static constexpr char usage[] = "dig [-C DIR] [-c KEY=VALUE] COMMAND [ARGUMENT...]\n"
				"dig [--version] [--help] [--exec-path]";

// "commands" lists what there is: category, name and one line, taken from the pages.
static void list_commands(Output &out, const std::string &path)
{
	const std::optional<Buffer> list = find_whole_file(path + "/commands", 1_MiB);
	out.record("usage: dig [-C DIR] [-c KEY=VALUE] COMMAND [ARGUMENT...]");
	out.record("   or: dig [--version] [--help] [--exec-path]");
	if (!list)
		return;
	for (const char *category : {"porcelain", "plumbing"}) {
		out.record("");
		out.record(category == std::string_view("porcelain") ? "For people:" : "For scripts:");
		for (std::string_view rest = text_of(*list); !rest.empty();) {
			const std::size_t end = std::min(rest.find('\n'), rest.size());
			const std::string_view line = rest.substr(0, end);
			rest.remove_prefix(std::min(end + 1, rest.size()));
			const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
			if (line.substr(0, first) != category || second == line.npos)
				continue;
			std::string name(line.substr(first + 1, second - first - 1));
			name.resize(std::max<std::size_t>(name.size(), 14), ' ');
			out.record("  " + name + " " + std::string(line.substr(second + 1)));
		}
	}
	out.record("");
	out.record("'dig COMMAND -h' shows how one is used, 'dig help COMMAND' its page.");
}

static std::vector<std::string> command_names(const std::string &path)
{
	std::vector<std::string> names{"help"};
	const std::optional<Buffer> list = find_whole_file(path + "/commands", 1_MiB);
	for (std::string_view rest = list ? text_of(*list) : ""; !rest.empty();) {
		const std::size_t first = rest.find('\t'), second = rest.find('\t', first + 1), end = rest.find('\n');
		if (second < end)
			names.emplace_back(rest.substr(first + 1, second - first - 1));
		rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
	}
	return names;
}

static void set(const char *name, const std::string &value) { ::setenv(name, value.c_str(), 1); }

// The options of dig itself, and the command behind them.
class CommandLine {
public:
	CommandLine(int argc, char **argv) : words_(argv + std::min(argc, 1), argv + argc) {}

	// False when an option has said it all.
	bool take_options()
	{
		for (; at_ < words_.size() && words_[at_][0] == '-'; at_++)
			if (!take_option(words_[at_]))
				return false;
		return true;
	}

	// The command and its arguments.
	std::span<char *> rest() const { return words_.subspan(at_); }

private:
	bool take_option(const std::string &option)
	{
		const bool has_value = at_ + 1 < words_.size();
		if (option == "-C" && has_value)
			change_directory(words_[++at_]);
		else if (option == "-c" && has_value)
			hand_down(words_[++at_]);
		else if (option == "--version")
			standard_output().record("dig " DIG_VERSION);
		else if (option == "--exec-path")
			standard_output().record(exec_path());
		else if (option == "-h" || option == "--help")
			list_commands(standard_output(), exec_path());
		else
			throw UsageError("no such option, or it needs a value: " + option +
				did_you_mean(option, {"--version", "--help", "--exec-path"}));
		return option == "-C" || option == "-c";
	}

	// A setting, for all that is run from here on.
	static void hand_down(const std::string &setting)
	{
		const char *known = std::getenv("DIG_CONFIG");
		set("DIG_CONFIG", known && *known ? known + ('\n' + setting) : setting);
	}

	std::span<char *> words_;
	std::size_t at_ = 0;
};

// Whether the file is the program that runs here, by whatever name.
static bool is_this_program(const std::string &path)
{
	const std::optional<FileStat> file = find_stat(path), own = find_stat(own_program());
	return file && own && file->device == own->device && file->inode == own->inode;
}

// The tool to go on as, in this process; nothing when there was no command.  A program of that name
// in the exec path is preferred to the tool in here, unless it is the same; one in PATH is not.
static const Tool *run_command(CommandLine &line)
{
	if (!line.take_options())
		return nullptr;
	const std::string path = exec_path();
	if (line.rest().empty()) {
		list_commands(standard_output(), path);
		return nullptr;
	}
	const std::string name = line.rest()[0];
	if (name.find('/') != name.npos)
		throw UsageError(quote(name) + " is a path, and a command is a name");
	const char *search = std::getenv("PATH");
	set("PATH", path + (search && *search ? ":" + std::string(search) : ""));
	name_tools("dig " + name);
	const Tool *tool = find_tool(name);
	const std::string beside = path + "/dig-" + name;
	const bool is_beside = find_stat(beside).has_value();
	if (tool && (!is_beside || is_this_program(beside))) {
		trace::stop();
		return tool;
	}
	Command command{is_beside ? beside : "dig-" + name};
	for (char *const argument : line.rest().subspan(1))
		command.push_back(argument);
	try {
		replace_process(command);
	} catch (const SystemError &error) {
		if (error.error() == ENOENT)
			throw UsageError(quote(name) + " is no dig command; 'dig' lists them" +
				did_you_mean(name, command_names(path)));
		throw;
	}
}

static int dig_main(int argc, char **argv)
{
	CommandLine line(argc, argv);
	const Tool *tool = nullptr;
	// What follows the command is its own affair, so this is no case for Options.
	const int status = run(argc, argv, usage, [&](Options &) {
		tool = run_command(line);
		return exit_status::done;
	});
	if (!tool)
		return status;
	return tool->main(static_cast<int>(line.rest().size()), line.rest().data());
}

int main(int argc, char **argv)
{
	for (const std::string &name : own_names(argc > 0 ? argv[0] : nullptr)) {
		if (name == "dig")
			break;
		if (const Tool *tool = find_tool(name.starts_with("dig-") ? name.substr(4) : name))
			return tool->main(argc, argv);
	}
	return dig_main(argc, argv);
}
