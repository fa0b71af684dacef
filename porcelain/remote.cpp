#include "libdig/os/directory.h"
#include "libdig/remote/remote_check.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"

using namespace dig;

static constexpr char usage[] =
	"dig-remote [list]\n"
	"dig-remote add [--lazy] NAME URL\n"
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

static int add(const StorePaths &paths, const std::string &name, std::string url, bool is_lazy)
{
	require_remote_name(name);
	require_remote_url(url);
	for (const RemoteName &remote : remotes_of(paths, [](const std::string &problem) { warn(problem); }))
		if (remote.name == name)
			throw Error("there is a remote " + quote(name) + " already, " + quote(remote.url));
	// A path stays right in any directory.
	if (scheme_of(url) == "file" && !url.starts_with("file://") && find_stat(url))
		url = resolved_path(url);
	RemoteName remote{name, url};
	remote.is_lazy = is_lazy;
	save_remote(paths, remote);
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

// Content may lie only there.
static void require_not_needed(const StorePaths &paths, const std::string &name)
{
	std::size_t others = 0;
	bool is_lazy = false;
	for (const RemoteName &remote : remotes_of(paths, [](const std::string &) {}))
		if (remote.name == name)
			is_lazy = remote.is_lazy;
		else
			others += remote.is_lazy;
	if (!is_lazy || others > 0)
		return;
	Store store(paths);
	for (const MergedLayer &merged : store.layer_table()->merged())
		if (store.layer(merged.range.last)->is_elsewhere())
			throw Error("content of @" + std::to_string(merged.range.first) + " to @" +
				std::to_string(merged.range.last) + " lies only there; 'dig repack --fetch' brings it here");
}

static int remote(Options &options)
{
	bool is_lazy = false;
	std::vector<std::string> words;
	options
		.flag("lazy", 0, is_lazy, "add: content may stay there, until it is asked for")
		.positional(words)
		.parse();
	const StorePaths paths = get_store();
	const std::string verb = words.empty() ? "list" : words[0];
	const std::size_t count = words.empty() ? 0 : words.size() - 1;
	if (verb == "list" && count == 0)
		return list(paths);
	if (verb == "add" && count == 2)
		return add(paths, words[1], words[2], is_lazy);
	if (verb == "check" && count <= 1)
		return check(paths, remote_of(paths, count == 1 ? words[1] : usual_remote));
	if (verb == "remove" && count == 1) {
		require_not_needed(paths, words[1]);
		if (!remove_remote(paths, words[1]))
			throw Error("there is no remote " + quote(words[1]));
		return exit_status::done;
	}
	throw UsageError(quote(verb) + " is none of list, add, check and remove, or has other words behind it");
}

int dig_remote_main(int argc, char **argv) { return run(argc, argv, usage, remote); }
