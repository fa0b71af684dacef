// dig import is dig-index-layer or, with --tar, dig-update-index.
#include "libdig/os/file.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-import [-q] [--progress[=WHEN]] [--metrics[=FILE]] FILE|-\n"
	"dig-import --tar [-q] [--path=PATH] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"           FILE|-";

static int import_tar(const std::string &name, const Command &command)
{
	if (name == "-")
		replace_process(command);
	const File input = File::open_named(name, O_RDONLY);
	Child child(command, input.fd());
	return child.wait_for_part();
}

static int import_command(Options &options)
{
	bool is_tar = false;
	std::optional<std::string> path;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("tar", 0, is_tar, "stage the members of a tar archive")
		.value("path", 0, path, "PATH", "with --tar: the directory that they go to")
		.positional(names, 1, 1)
		.parse();
	if (path && !is_tar)
		throw UsageError("--path goes with --tar");
	Command command = tool_command(is_tar ? "update-index" : "index-layer");
	report.pass_on(command);
	if (is_tar) {
		command.insert(command.end(), {"--add", "--stdin-tar"});
		if (path)
			command.push_back("--path=" + *path);
		if (!options.is_quiet())
			command.push_back("--summary");
		return import_tar(names[0], command);
	}
	command.insert(command.end(), {"--", names[0]});
	replace_process(command);
}

int dig_import_main(int argc, char **argv) { return run(argc, argv, usage, import_command); }
