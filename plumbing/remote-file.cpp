#include "libdig/remote/file_objects.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-remote-file DIRECTORY|file:///DIRECTORY";

static int remote_file(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 1, 1).parse();
	std::string directory = names[0];
	if (directory.starts_with("file://"))
		directory.erase(0, 7);
	if (directory.empty())
		throw UsageError("a directory is needed");
	FileObjects objects(directory);
	serve_objects(objects, File::standard_input(), File::duplicate_of(1, "standard output"));
	return exit_status::done;
}

int dig_remote_file_main(int argc, char **argv) { return run(argc, argv, usage, remote_file); }
