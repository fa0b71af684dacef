// dig clone is dig-init-store, dig-remote add, dig-fetch-states and dig-extract.
#include <cstdlib>

#include "libdig/os/directory.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-clone [-nq] [--lazy] [--progress[=WHEN]] [--metrics[=FILE]] URL\n"
	"          [DIRECTORY]";

// The last part of the URL, without ".dig".
static std::string directory_for(const std::string &url)
{
	std::string name = url;
	while (name.ends_with('/'))
		name.pop_back();
	name.erase(0, name.find_last_of("/:") + 1);
	if (name.ends_with(".dig"))
		name.erase(name.size() - 4);
	if (name.empty() || name == "." || name == "..")
		throw UsageError("the URL has no name for the directory; give one behind it");
	return name;
}

static int clone(Options &options)
{
	bool is_without_files = false, is_lazy = false;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("no-files", 'n', is_without_files, "write no files into the directory")
		.flag("lazy", 0, is_lazy, "leave content in the remote, until it is asked for")
		.positional(names, 1, 2)
		.parse();
	const std::string directory = names.size() > 1 ? names[1] : directory_for(names[0]);
	require_remote_url(names[0]);
	Command make = tool_command("init-store");
	make.insert(make.end(), {"--", directory});
	int status;
	const std::string store = output_of(make, status);
	if (status != exit_status::done)
		return status;
	::setenv("DIG_DIR", store.c_str(), 1);
	::setenv("DIG_WORK_TREE", directory.c_str(), 1);
	std::string url = names[0];
	if (scheme_of(url) == "file" && !url.starts_with("file://"))
		url = resolved_path(url);
	save_remote(get_store(), {usual_remote, url});
	Command fetch = tool_command("fetch-states");
	if (is_lazy)
		fetch.push_back("--lazy");
	report.pass_on(fetch);
	const std::string said = output_of(fetch, status);
	if (!said.empty())
		standard_output().record(said);
	if (status != exit_status::done) {
		tell("the store in " + quote(store) + " stays; 'dig fetch' there goes on");
		return status;
	}
	if (is_without_files || is_lazy || said == "nothing is new")
		return status;
	standard_output().flush();
	Command extract = tool_command("extract");
	extract.insert(extract.end(), {"-q", "--at=HEAD", "--", directory});
	replace_process(extract);
}

int dig_clone_main(int argc, char **argv) { return run(argc, argv, usage, clone); }
