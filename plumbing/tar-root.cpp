// dig-tar-root: a state, or paths of it, as a tar archive on standard output.
#include "libdig/base/path.h"
#include "libdig/os/clock.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/tar_export.h"

using namespace dig;

static constexpr char usage[] = "dig-tar-root [--progress[=WHEN]] [--metrics[=FILE]] ROOT [PATH...]";

static int tar_root(Options &options)
{
	std::vector<std::string> words;
	Report report;
	report.add_to(options).positional(words, 1).parse();
	if (is_terminal(1))
		throw UsageError("an archive is not for a terminal; write it to a file or a pipe");
	Store store(get_store());
	const RootName root = store.resolve(words[0]);
	TarExportOptions wishes;
	wishes.state = words[0];
	// Paths of a state are those of the state, wherever the command is run.
	for (std::size_t i = 1; i < words.size(); i++)
		wishes.paths.push_back(normalised_path(words[i], "", "/"));
	wishes.time_ns = nanoseconds_of({static_cast<time_t>(store.state(root.generation).header.time_s), 0});
	Work &work = report.begin({{"check", 3, false}, {"read", 97}});
	work.has_cache = true;
	wishes.work = &work;
	const std::uint64_t unknown = export_tar(store, store.manifest(root.generation), wishes,
		[](Bytes bytes) { standard_output().write(bytes); });
	report.finish();
	if (unknown > 0)
		tell_error(counted(unknown, "entry") + " of a kind that this dig does not know: not in the archive");
	return unknown > 0 ? exit_status::partial : exit_status::done;
}

int dig_tar_root_main(int argc, char **argv) { return run(argc, argv, usage, tar_root); }
