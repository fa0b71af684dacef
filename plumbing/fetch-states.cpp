#include "libdig/base/byte_size.h"
#include "libdig/remote/fetch.h"
#include "libdig/remote/reapply.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-fetch-states [-q] [--plan] [--lazy] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"                 [REMOTE|URL]";

static int fetch_states_command(Options &options)
{
	bool quiet = false;
	FetchOptions fetch;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("plan", 0, fetch.is_plan, "only say what would come")
		.flag("lazy", 0, fetch.is_lazy, "leave content in the remote, until it is asked for")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(names, 0, 1)
		.parse();
	const StorePaths paths = get_store();
	RemoteName remote = remote_of(paths, names.empty() ? usual_remote : names[0]);
	if (fetch.is_lazy && remote.name.empty())
		throw UsageError("content stays in a remote that has a name; 'dig remote add' gives it one");
	fetch.is_lazy |= remote.is_lazy;
	fetch.known = remote.known;
	raise_file_limit();
	fetch.start = [command = helper_command(remote.url)] { return start_helper(command); };
	const std::unique_ptr<RemoteObjects> objects = fetch.start();
	fetch.work = &report.begin({{"fetch", 60}, {"read", 10}, {"check", 30}});
	if (fetch.is_lazy && !remote.is_lazy && !fetch.is_plan) {
		// Before anything relies on it.
		remote.is_lazy = true;
		save_remote(paths, remote);
	}
	FetchResult result;
	try {
		result = fetch_states(paths, *objects, fetch);
	} catch (const PartedHistories &parted) {
		if (fetch.is_plan)
			throw;
		RemoteStore other(*objects);
		go_on_from(paths, other, parted.newest(), *fetch.work, quiet);
		report.finish();
		return exit_status::done;
	}
	report.finish();
	if (!fetch.is_plan && !remote.name.empty() && result.range.first > 0 && remote.known != result.newest) {
		remote.known = result.newest;
		save_remote(paths, remote);
	}
	if (quiet)
		return exit_status::done;
	const GenerationRange &range = result.range;
	if (range.first == 0) {
		standard_output().record("nothing is new");
		return exit_status::done;
	}
	std::string text = (fetch.is_plan ? "would bring @" : "@") + std::to_string(range.first);
	if (range.last > range.first)
		text += " to @" + std::to_string(range.last);
	if (!fetch.is_lazy || !fetch.is_plan)
		text += ", " + size_text(static_cast<double>(result.bytes));
	if (fetch.is_lazy)
		text += "; " + size_text(static_cast<double>(result.elsewhere)) + " stay in the remote";
	if (result.kept > 0)
		text += "; " + size_text(static_cast<double>(result.kept)) +
			(fetch.is_plan ? " are" : " were") + " here already";
	standard_output().record(text);
	return exit_status::done;
}

int dig_fetch_states_main(int argc, char **argv) { return run(argc, argv, usage, fetch_states_command); }
