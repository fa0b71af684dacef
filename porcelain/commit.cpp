// dig commit is dig-write-layer, then dig-update-root, with the store locked all the while.
#include <cstdlib>

#include "libdig/base/byte_size.h"
#include "libdig/os/lock.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-commit [-q] [--allow-empty] [--full] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"           -m MESSAGE";

static int commit(Options &options)
{
	bool quiet = false, allow_empty = false, full = false;
	std::optional<std::string> message;
	std::vector<std::string> none;
	Report report;
	report.add_to(options)
		.value("message", 'm', message, "MESSAGE", "the message of the commit")
		.flag("quiet", 'q', quiet, "print nothing")
		.flag("allow-empty", 0, allow_empty, "even if nothing is staged")
		.flag("full", 0, full, "a layer that stands alone")
		.positional(none, 0, 0)
		.parse();
	if (!message)
		throw UsageError("-m MESSAGE is needed");
	const StorePaths paths = get_store();
	const Lock lock = Lock::acquire(paths.lock());
	::setenv("DIG_LOCK_FD", lock.pass_on().c_str(), 1);
	const std::string old_root = to_hex(Store(paths).roots().tip_root());

	Command write = tool_command("write-layer");
	write.insert(write.end(), {"-m", *message});
	if (allow_empty)
		write.push_back("--allow-empty");
	if (full)
		write.push_back("--full");
	report.pass_on(write);
	int status;
	const std::string layer = output_of(write, status);
	if (status != exit_status::done)
		return status;
	Command update = tool_command("update-root");
	update.insert(update.end(), {layer, old_root});
	const std::string root = output_of(update, status);
	if (status != exit_status::done)
		return status;
	Store store(paths);
	const std::uint64_t generation = store.roots().size();
	accomplished("committed @" + std::to_string(generation));
	if (quiet)
		return status;
	const std::shared_ptr<Layer> made = store.layer(generation);
	standard_output().record("@" + std::to_string(generation) + ' ' +
		root.substr(0, store.roots().unique_digits()) + ' ' +
		std::to_string(made->state(generation).header.entries) + " entries, " +
		size_text(static_cast<double>(made->state(generation).header.bytes)) + "; layer of " +
		size_text(static_cast<double>(made->file_size())));
	return exit_status::done;
}

int dig_commit_main(int argc, char **argv) { return run(argc, argv, usage, commit); }
