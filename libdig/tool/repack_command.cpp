#include "libdig/tool/repack_command.h"

#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/records.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/repack.h"
#include "libdig/verbs/retention.h"

namespace dig {

static int parse_level(const std::string &text)
{
	if (text.empty() || text.size() > 2 || text.find_first_not_of("0123456789") != text.npos ||
		std::stoi(text) < 1 || std::stoi(text) > 19)
		throw UsageError(quote(text) + " is no level from 1 to 19");
	return std::stoi(text);
}

int repack_command(Options &options)
{
	RepackOptions repack;
	bool quiet = false;
	std::vector<std::string> none;
	Report report;
	report.add_to(options)
		.flag("dry-run", 'n', repack.is_dry, "say what would be done, to the byte")
		.flag("quiet", 'q', quiet, "print nothing")
		.flag("pending", 0, repack.is_pending_only, "only what was to be compressed later")
		.value("level", 0, [&](const std::string &text) { repack.level = parse_level(text); }, "N",
			"of zstd, from 1 to 19; large files, too")
		.flag("fetch", 0, repack.brings_content, "only bring the content that lies in a remote")
		.flag("long", 0, repack.has_long_blocks, "blocks of 4 MiB: smaller, and slower to read in parts")
		.value("budget", 0, [&](const std::string &text) {
			repack.deadline_ns = clock_ns() + parse_short_duration(text) * std::int64_t(1000000000);
		}, "TIME", "end after this time, with what was done until then")
		.positional(none, 0, 0)
		.parse();
	const StorePaths paths = get_store();
	Output &out = standard_output();
	if (!quiet)
		repack.made = [&](const GenerationRange &range, std::uint64_t before, std::uint64_t after) {
			out.record("make\t@" + std::to_string(range.first) +
				(range.last > range.first ? "-@" + std::to_string(range.last) : "") + '\t' +
				std::to_string(after) + '\t' + std::to_string(before));
		};
	repack.notice = [](const std::string &notice) { warn(notice); };
	repack.work = &report.begin({{"copy", 100}});
	const RepackResult result = repack_store(paths, repack);
	report.finish();
	if (quiet)
		return exit_status::done;
	out.record(counted(result.layers_before, "layer") + " of " + std::to_string(result.size_before) + " bytes, then " +
		counted(result.layers_after, "layer") + " of " + std::to_string(result.size_after) + " bytes");
	if (!result.is_finished)
		out.record("not finished; the next 'dig repack' goes on");
	return exit_status::done;
}

} // namespace dig
