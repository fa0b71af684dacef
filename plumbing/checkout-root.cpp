// dig-checkout-root: extracts a state, or paths of it, below a directory.
#include "libdig/checkout.h"
#include "libdig/command.h"
#include "libdig/path.h"
#include "libdig/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-checkout-root [-f] [--sync] [--restore-setuid] [--progress[=WHEN]]\n"
	"                  [--metrics[=FILE]] ROOT DEST [PATH...]";

static int checkout_root(Options &options)
{
	CheckoutOptions checkout_options;
	std::vector<std::string> words;
	Report report;
	report.add_to(options)
		.flag("force", 'f', checkout_options.overwrite, "replace files that exist")
		.flag("sync", 0, checkout_options.sync, "return when everything is on storage")
		.flag("restore-setuid", 0, checkout_options.restore_setuid,
			"restore setuid, setgid and sticky bits, too")
		.positional(words, 2)
		.parse();
	Store store(get_store());
	const RootName root = store.resolve(words[0]);
	checkout_options.state = words[0];
	std::vector<std::string> paths;
	// Paths of a state are those of the state, wherever the command is run.
	for (std::size_t i = 2; i < words.size(); i++)
		paths.push_back(normalised_path(words[i], "", "/"));
	Work &work = report.begin({{"check", 3, false}, {"write", 92}, {"finish", 5, false}});
	work.has_cache = true;
	checkout_options.work = &work;
	const CheckoutResult result =
		checkout(store, store.manifest(root.generation), paths, words[1], checkout_options);
	report.finish();
	int status = exit_status::done;
	for (const CheckoutFailure &failure : result.failures) {
		tell(quoted(failure.path) + " is not extracted: " + failure.reason);
		// Damage is the worst news.
		if (status != exit_status::corrupt)
			status = failure.status;
	}
	return status;
}

int main(int argc, char **argv) { return run(argc, argv, usage, checkout_root); }
