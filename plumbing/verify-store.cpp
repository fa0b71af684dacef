#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/heal.h"
#include "libdig/verbs/repair.h"
#include "libdig/verbs/verify.h"

using namespace dig;

static constexpr char usage[] =
	"dig-verify-store [-q] [--quick] [--repair] [--heal-from=SOURCE...]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]]";

static void heal(const StorePaths &paths, const std::vector<std::string> &sources, bool quiet)
{
	HealOptions heal;
	heal.sources = sources;
	heal.healed = [&](const std::string &what) {
		if (!quiet)
			standard_output().record("healed: " + what);
	};
	heal.notice = [](const std::string &notice) { warn(notice); };
	const HealResult result = heal_store(paths, heal);
	if (!quiet && result.lost > 0)
		standard_output().record("found " + std::to_string(result.found) + " of " + std::to_string(result.lost) +
			" chunks and nodes that no layer had");
}

static int verify_store_command(Options &options)
{
	VerifyOptions verify;
	bool quiet = false, is_repair = false;
	std::vector<std::string> none, sources;
	Report report;
	report.add_to(options)
		.flag("quick", 0, verify.is_quick, "check the structure only, not the content")
		.flag("repair", 0, is_repair, "first make anew what follows from the layers")
		.list("heal-from", 0, sources, "SOURCE", "first look for what is lost in a directory, store or layer")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(none, 0, 0)
		.parse();
	const StorePaths paths = get_store();
	if (is_repair)
		repair_store(paths, {[&](const std::string &what) {
			if (!quiet)
				standard_output().record("repaired: " + what);
		}, [](const std::string &notice) { warn(notice); }});
	if (!sources.empty())
		heal(paths, sources, quiet);
	verify.problem = [](const std::string &problem) { tell_error(problem); };
	verify.notice = [](const std::string &notice) { warn(notice); };
	Work &work = report.begin({{"check", 95}, {"finish", 5, false}});
	verify.work = &work;
	const VerifyResult result = verify_store(paths, verify);
	report.finish();
	if (result.hurt_files > 0) {
		const bool is_one = result.hurt_files == 1;
		tell_error(std::to_string(result.hurt_files) + (is_one ? " file is" : " files are") + " damaged, in @" +
			std::to_string(result.first_hurt) + (result.last_hurt > result.first_hurt ?
				" to @" + std::to_string(result.last_hurt) : std::string()) +
			"; 'dig add --reread' of a good copy and 'dig commit' heal " + (is_one ? "it" : "them"));
	}
	if (result.problems > 0) {
		tell_error(std::to_string(result.problems) + (result.problems == 1 ? " problem" : " problems") + " in " +
			quote(paths.store));
		return exit_status::corrupt;
	}
	if (!quiet)
		standard_output().record("ok: " + std::to_string(work.bytes.get()) + " bytes of blocks read, nothing " +
			(result.healed_blocks ? "lost" : "damaged"));
	return exit_status::done;
}

int dig_verify_store_main(int argc, char **argv) { return run(argc, argv, usage, verify_store_command); }
