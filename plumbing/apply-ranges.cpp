// dig-apply-ranges: a copy of a file of one state becomes that of another.
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/file_patch.h"

using namespace dig;

static constexpr char usage[] =
	"dig-apply-ranges [-q] [--in-place [--resume]] [--progress[=WHEN]]\n"
	"                 [--metrics[=FILE]] ROOT ROOT PATH FILE";

static int apply_ranges(Options &options)
{
	PatchOptions patch_options;
	bool quiet = false;
	std::vector<std::string> words;
	Report report;
	report.add_to(options)
		.flag("in-place", 0, patch_options.in_place, "write into FILE, and do not make a new one")
		.flag("resume", 0, patch_options.resume, "with --in-place: FILE may be written in part")
		.flag("quiet", 'q', quiet, "do not say that there is nothing to do")
		.positional(words, 4, 4)
		.parse();
	if (patch_options.resume && !patch_options.in_place)
		throw UsageError("--resume goes with --in-place only");
	Store store(get_store());
	const StatedFile before(store, words[0], words[2]), after(store, words[1], words[2]);
	patch_options.work = &report.begin({{"check", 40}, {"write", 20}, {"verify", 40}});
	const bool is_changed = patch_file(store, before, after, words[3], patch_options);
	report.finish();
	if (!is_changed && !quiet)
		tell_error(quote(words[3]) + " has the content of " + after.shown + " already");
	return exit_status::done;
}

int dig_apply_ranges_main(int argc, char **argv) { return run(argc, argv, usage, apply_ranges); }
