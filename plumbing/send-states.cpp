#include "libdig/base/byte_size.h"
#include "libdig/remote/push.h"
#include "libdig/remote/reapply.h"
#include "libdig/tool/command.h"
#include "libdig/tool/remote_command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-send-states [-q] [--single-writer] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"                [REMOTE|URL]";

// Somebody else may be first each time.
constexpr int most_attempts = 100;

static int send_states(Options &options)
{
	bool quiet = false, is_single = false;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("single-writer", 0, is_single, "do not test that the place lets only one of two writers win")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(names, 0, 1)
		.parse();
	const StorePaths paths = get_store();
	RemoteName remote = remote_of(paths, names.empty() ? usual_remote : names[0]);
	std::optional<Store> store(paths);
	raise_file_limit();
	if (!is_single)
		require_careful_remote(paths, remote);
	const std::unique_ptr<RemoteObjects> objects = start_helper(helper_command(remote.url));
	RemoteStore other(*objects);
	Work &work = report.begin({{"export", 100}});
	PushResult result;
	PushStart start;
	start.known = remote.known;
	for (int attempt = 1;; attempt++) {
		try {
			result = push_states(*store, other, start, work);
			break;
		} catch (const PartedHistories &parted) {
			if (attempt == most_attempts)
				throw;
			// Who loses twice may be behind by many.
			ReapplyResult made = go_on_from(paths, other, attempt == 1 ? parted.newest() : 0, work, quiet);
			start.known = made.theirs.last;
			start.is_newest = start.known > 0;
			start.nodes = std::move(made.nodes);
			store.emplace(paths);
		}
	}
	report.finish();
	if (!remote.name.empty() && remote.known != result.common) {
		remote.known = result.common;
		save_remote(paths, remote);
	}
	if (quiet)
		return exit_status::done;
	const GenerationRange &range = result.range;
	if (result.newest > result.common) {
		standard_output().record("the remote has all states, up to @" + std::to_string(result.common) +
			", and is at @" + std::to_string(result.newest) + "; 'dig fetch' brings what is new");
		return exit_status::done;
	}
	standard_output().record(range.first == 0
		? "the remote has all states, up to @" + std::to_string(result.newest)
		: "sent @" + std::to_string(range.first) +
			(range.last > range.first ? " to @" + std::to_string(range.last) : std::string()) + ", " +
			size_text(static_cast<double>(result.bytes)));
	return exit_status::done;
}

int dig_send_states_main(int argc, char **argv) { return run(argc, argv, usage, send_states); }
