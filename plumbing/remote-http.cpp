#include "libdig/network/http_objects.h"
#include "libdig/network/url_object.h"
#include "libdig/tool/command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-remote-http http[s]://HOST[:PORT][/PATH]\n"
	"dig-remote-http --object";

constexpr std::size_t longest_url = 64_KiB;

// Byte by byte, since requests follow.
static std::string first_line(const File &input)
{
	std::string line;
	Buffer byte(1);
	while (input.read_some(byte) == 1 && byte[0] != '\n')
		if (line.size() < longest_url)
			line += static_cast<char>(byte[0]);
	return line;
}

static int remote_http(Options &options)
{
	std::vector<std::string> names;
	bool is_object = false;
	options
		.flag("object", 0, is_object, "parts of one object, whose URL is the first line of standard input")
		.positional(names, 0, 1)
		.parse();
	if (is_object != names.empty())
		throw UsageError("give a URL, or --object");
	if (is_object) {
		const File input = File::standard_input();
		UrlObject object(first_line(input), load_settings({}).fetch);
		serve_objects(object, input, File::duplicate_of(1, "standard output"));
		return exit_status::done;
	}
	HttpObjects objects(names[0], load_settings({}).fetch);
	serve_objects(objects, File::standard_input(), File::duplicate_of(1, "standard output"));
	return exit_status::done;
}

int dig_remote_http_main(int argc, char **argv) { return run(argc, argv, usage, remote_http); }
