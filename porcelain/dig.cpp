// dig X runs dig-X: beside this program, in DIG_EXEC_PATH, or anywhere in PATH.
#include <algorithm>
#include <cstdlib>

#include "libdig/base/suggestion.h"
#include "libdig/format/settings.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig [-C DIR] [-c KEY=VALUE] COMMAND [ARGUMENT...]\n"
				"dig [--version] [--help] [--exec-path]";

static std::string exec_path()
{
	const char *wanted = std::getenv("DIG_EXEC_PATH");
	if (wanted && *wanted)
		return wanted;
	// In the checkout; as it was installed, also when all of that was moved since; as it was built for.
	const std::string own = own_directory(), beside = own.substr(0, own.rfind('/')) + "/libexec/dig";
	for (const std::string &path : {own, beside})
		if (find_stat(path + "/dig-hash-object"))
			return path;
	return DIG_EXEC_PATH;
}

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

int main(int argc, char **argv)
{
	static int count;
	static char **arguments;
	count = argc;
	arguments = argv;
	// What follows the command is its own affair, so this is no case for Options.
	return run(1, argv, usage, [](Options &) -> int {
		const std::string path = exec_path();
		std::string handed_down = std::getenv("DIG_CONFIG") ? std::getenv("DIG_CONFIG") : "";
		int i = 1;
		for (; i < count && arguments[i][0] == '-'; i++) {
			const std::string option = arguments[i];
			const bool has_value = i + 1 < count;
			if (option == "-C" && has_value) {
				change_directory(arguments[++i]);
			} else if (option == "-c" && has_value) {
				if (!handed_down.empty())
					handed_down += '\n';
				handed_down += arguments[++i];
				set("DIG_CONFIG", handed_down);
			} else if (option == "--version") {
				standard_output().record("dig " DIG_VERSION);
				return exit_status::done;
			} else if (option == "--exec-path") {
				standard_output().record(path);
				return exit_status::done;
			} else if (option == "-h" || option == "--help") {
				list_commands(standard_output(), path);
				return exit_status::done;
			} else {
				throw UsageError("no such option, or it needs a value: " + option +
					did_you_mean(option, {"--version", "--help", "--exec-path"}));
			}
		}
		if (i == count) {
			list_commands(standard_output(), path);
			return exit_status::done;
		}
		const std::string name = arguments[i];
		if (name.find('/') != name.npos)
			throw UsageError("a command is a name");
		const char *search = std::getenv("PATH");
		set("PATH", path + (search && *search ? ":" + std::string(search) : ""));
		name_tools("dig " + name);
		const std::string beside = path + "/dig-" + name;
		Command command{find_stat(beside) ? beside : "dig-" + name};
		for (i++; i < count; i++)
			command.push_back(arguments[i]);
		try {
			replace_process(command);
		} catch (const SystemError &error) {
			if (error.error() == ENOENT)
				throw UsageError(quote(name) + " is no dig command; 'dig' lists them" +
					did_you_mean(name, command_names(path)));
			throw;
		}
	});
}
