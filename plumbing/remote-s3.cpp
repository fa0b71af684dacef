#include "libdig/network/s3_objects.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] = "dig-remote-s3 s3://BUCKET[/PREFIX]";

static int remote_s3(Options &options)
{
	std::vector<std::string> names;
	options.positional(names, 1, 1).parse();
	S3Objects objects(names[0], load_settings({}).fetch);
	serve_objects(objects, File::standard_input(), File::duplicate_of(1, "standard output"));
	return exit_status::done;
}

int dig_remote_s3_main(int argc, char **argv) { return run(argc, argv, usage, remote_s3); }
