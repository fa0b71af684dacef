// dig-checkout-root: extracts a state, or paths of it, below a directory.
#include "libdig/base/byte_size.h"
#include "libdig/base/path.h"
#include "libdig/os/directory.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/checkout.h"
#include "libdig/verbs/stage.h"

using namespace dig;

static constexpr char usage[] =
	"dig-checkout-root [-f] [--in-place] [--replace-special] [--sync]\n"
	"                  [--restore-setuid] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"                  ROOT DEST [PATH...]";

// Of the work tree itself, the index knows the content of files that stat finds unchanged.
static void use_index(const Store &store, CheckoutOptions &options, const std::string &destination)
{
	const std::string &work_tree = store.paths().work_tree;
	if (work_tree.empty() || !find_stat(destination) || resolved_path(destination) != resolved_path(work_tree))
		return;
	const auto index = std::make_shared<Index>(Index::open(store.paths().staging()));
	const auto top = std::make_shared<File>(File::open_with(destination, O_RDONLY | O_DIRECTORY));
	auto margins = std::make_shared<ClockMargins>(*top);
	options.known_root = [index, top, margins](const std::string &path, const FileStat &stat)
		-> std::optional<Digest> {
		const std::optional<IndexRecord> record = index->find(path);
		if (!record || record->is_removed || compare_stat(*record, stat, margins->of(path, stat)) != StatAnswer::same)
			return {};
		return record->entry.file_root();
	};
}

// Said once for all entries.  True when there are none.
static bool tell_unset(const std::string &what, const UnsetCount &unset)
{
	if (unset.entries > 0)
		tell_error("the " + what + " of " + std::to_string(unset.entries) +
			(unset.entries == 1 ? " entry" : " entries") + " could not be set: " + unset.reason);
	return unset.entries == 0;
}

static int checkout_root(Options &options)
{
	CheckoutOptions checkout_options;
	std::vector<std::string> words;
	Report report;
	report.add_summary_to(options);
	report.add_to(options)
		.flag("force", 'f', checkout_options.overwrite, "replace existing files")
		.flag("in-place", 0, checkout_options.in_place, "overwrite existing files where they differ")
		.flag("replace-special", 0, checkout_options.replace_special,
			"with -f: also devices, FIFOs and sockets")
		.flag("sync", 0, checkout_options.sync, "return when everything is on storage")
		.flag("restore-setuid", 0, checkout_options.restore_setuid,
			"also restore setuid, setgid and sticky bits")
		.positional(words, 2)
		.parse();
	checkout_options.overwrite |= checkout_options.in_place;
	Store store(get_store());
	const RootName root = store.resolve(words[0]);
	checkout_options.state = words[0];
	std::vector<std::string> paths;
	// Paths of a state are those of the state, wherever the command is run.
	for (std::size_t i = 2; i < words.size(); i++)
		paths.push_back(normalised_path(words[i], "", "/"));
	if (checkout_options.in_place)
		use_index(store, checkout_options, words[1]);
	Work &work = report.begin({{"check", 3, false}, {"write", 92}, {"finish", 5, false}});
	work.has_cache = true;
	checkout_options.work = &work;
	checkout_options.failed = [](const CheckoutFailure &failure) {
		tell_error(quote(failure.path) + " is not extracted: " + failure.reason);
	};
	const CheckoutResult result =
		checkout(store, store.manifest(root.generation), paths, words[1], checkout_options);
	report.finish();
	bool is_all_set = tell_unset("permissions", result.modes);
	is_all_set = tell_unset("times", result.times) && is_all_set;
	is_all_set = tell_unset("times", result.clamped_times) && is_all_set;
	report.summarise(counted(work.files.get(), "file") + ", " + size_text(static_cast<double>(work.bytes.get())));
	return result.status == exit_status::done && !is_all_set ? exit_status::partial : result.status;
}

int dig_checkout_root_main(int argc, char **argv) { return run(argc, argv, usage, checkout_root); }
