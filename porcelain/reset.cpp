#include "libdig/base/byte_size.h"
#include "libdig/staging/staged_items.h"
#include "libdig/staging/staging_clear.h"
#include "libdig/store/reserve.h"
#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/unstage.h"
#include "libdig/verbs/work_diff.h"

using namespace dig;

static constexpr char usage[] = "dig-reset [-q] [PATH...]";

// Whoever knows git may want to go back to a state.
static bool looks_like_state(const std::string &name)
{
	if (name == "HEAD" || name.starts_with("HEAD~") || name.starts_with("HEAD^"))
		return true;
	const bool is_number = name.size() > 1 && name.find_first_not_of("0123456789", 1) == name.npos;
	return (name[0] == '@' && is_number) ||
		(name.size() >= 12 && name.find_first_not_of("0123456789abcdef") == name.npos);
}

static void check_paths(Store &store, const std::vector<std::string> &paths, const std::vector<std::string> &typed)
{
	const Index index = current_index(store);
	for (std::size_t i = 0; i < paths.size(); i++)
		if (looks_like_state(typed[i]) && !has_path_anywhere(store, index, paths[i]))
			throw UsageError(quote(typed[i]) + " names a state, and dig reset takes paths; 'dig extract --at=" +
				typed[i] + " DEST' writes its files");
	check_paths_exist(store, index, paths, typed);
}

// On a full disk, all that is staged goes before anything is written.
static std::uint64_t unstage_with_little_room(Store &store, const std::vector<std::string> &paths)
{
	std::uint64_t count = 0;
	try {
		with_reserve(store.paths(), [&] { count = unstage(store, paths); });
	} catch (const SystemError &error) {
		if (!paths.empty() || !is_out_of_room(error))
			throw;
		const Index index = Index::open(store.paths().staging());
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next())
			count += index.is_staged(*at.current());
		discard_staging(store);
		StagingWriter writer(store);
		reconcile_index(store, writer);
	}
	return count;
}

static int reset(Options &options)
{
	bool quiet = false;
	std::vector<std::string> typed;
	options.flag("quiet", 'q', quiet, "no summary").positional(typed).parse();
	Store store(get_store());
	std::vector<std::string> paths;
	for (const std::string &path : typed)
		paths.push_back(stored_path(store.paths(), path));
	if (!paths.empty())
		check_paths(store, paths, typed);
	const UnfinishedAdds before = find_unfinished_adds(store.paths().staging());
	std::uint64_t count = 0;
	try {
		count = unstage_with_little_room(store, paths);
	} catch (const CorruptError &error) {
		if (!typed.empty())
			throw;
		warn(std::string(error.what()) + "; the staged content is discarded");
		discard_staging(store);
		StagingWriter writer(store);
		reconcile_index(store, writer);
	}
	keep_reserve(store.paths());
	if (before.bytes > 0 && find_unfinished_adds(store.paths().staging()).bytes == 0)
		warn(size_text(static_cast<double>(before.bytes)) + " that an interrupted add had stored are dropped");
	if (!quiet)
		tell(std::to_string(count) + (count == 1 ? " path is" : " paths are") + " no longer staged");
	return exit_status::done;
}

int dig_reset_main(int argc, char **argv) { return run(argc, argv, usage, reset); }
