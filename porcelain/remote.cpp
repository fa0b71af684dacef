#include "libdig/os/directory.h"
#include "libdig/remote/remote_check.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-remote [list]\n"
	"dig-remote add NAME URL\n"
	"dig-remote check [NAME|URL]\n"
	"dig-remote remove NAME";

static int list(const StorePaths &paths)
{
	int status = exit_status::done;
	const std::vector<RemoteName> remotes = remotes_of(paths, [&](const std::string &problem) {
		tell_error(problem);
		status = exit_status::corrupt;
	});
	for (const RemoteName &remote : remotes)
		standard_output().record(remote.name + '\t' + remote.url);
	return status;
}

static int add(const StorePaths &paths, const std::string &name, std::string url)
{
	require_remote_name(name);
	require_remote_url(url);
	for (const RemoteName &remote : remotes_of(paths, [](const std::string &problem) { warn(problem); }))
		if (remote.name == name)
			throw Error("there is a remote " + quote(name) + " already, " + quote(remote.url));
	// A path stays right in any directory.
	if (scheme_of(url) == "file" && !url.starts_with("file://") && find_stat(url))
		url = resolved_path(url);
	save_remote(paths, {name, url});
	return exit_status::done;
}

static int check(const StorePaths &paths, RemoteName remote)
{
	const RemoteVerdict verdict = check_remote([&] { return start_helper(helper_command(remote.url)); });
	for (const std::string &fault : verdict.faults)
		tell_error(fault);
	if (!remote.name.empty() && remote.is_checked != verdict.faults.empty()) {
		remote.is_checked = verdict.faults.empty();
		save_remote(paths, remote);
	}
	if (!verdict.faults.empty())
		return exit_status::corrupt;
	standard_output().record("ok " + verdict.can);
	return exit_status::done;
}

static int remote(Options &options)
{
	std::vector<std::string> words;
	options.positional(words).parse();
	const StorePaths paths = get_store();
	const std::string verb = words.empty() ? "list" : words[0];
	const std::size_t count = words.empty() ? 0 : words.size() - 1;
	if (verb == "list" && count == 0)
		return list(paths);
	if (verb == "add" && count == 2)
		return add(paths, words[1], words[2]);
	if (verb == "check" && count <= 1)
		return check(paths, remote_of(paths, count == 1 ? words[1] : usual_remote));
	if (verb == "remove" && count == 1) {
		if (!remove_remote(paths, words[1]))
			throw Error("there is no remote " + quote(words[1]));
		return exit_status::done;
	}
	throw UsageError(quote(verb) + " is none of list, add, check and remove, or has other words behind it");
}

int dig_remote_main(int argc, char **argv) { return run(argc, argv, usage, remote); }
