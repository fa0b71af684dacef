#include "libdig/base/path_walk.h"
#include "libdig/staging/index.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"

using namespace dig;

static constexpr char usage[] = "dig-count [-z] [ROOT [PATH...]]\n"
				"dig-count [-z] --index [PATH...]";

namespace {

struct Count {
	std::uint64_t entries = 0, bytes = 0;
};

} // namespace

// What is below a path lies from "path/" to before "path0", since '0' follows '/'.  A node tells how
// much is below it, so that only the nodes at the two ends are read.
static Count count_in(const TreeRoot &manifest, const NodeSource &nodes, const std::string &path)
{
	TreeCursor at(TreeKind::manifest, manifest, nodes);
	if (path.empty())
		return {at.total_leaves(), at.total_bytes()};
	Count count;
	at.seek(path);
	if (!at.at_end() && at.path() == path)
		count = {1, at.entry().size};
	const std::string end = path + '0';
	at.seek(path + '/');
	while (!at.at_end()) {
		if (at.is_leaf()) {
			if (at.path() >= end)
				break;
			count.entries++;
			count.bytes += at.entry().size;
			at.skip();
		} else if (const NodeRef whole = at.subtree(); whole.last_path < end) {
			count.entries += whole.leaves;
			count.bytes += whole.bytes;
			at.skip();
		} else {
			at.enter();
		}
	}
	return count;
}

static Count count_in(const Index &index, const std::string &path)
{
	Count count;
	each_within(index.cursor(), path, [&](const IndexCursor &at) {
		count.entries += !at.current()->is_removed;
		count.bytes += at.current()->is_removed ? 0 : at.current()->entry.size;
	});
	return count;
}

// Prints a record; false when there is no such path.
static bool print_count(const std::string &path, const Count &count)
{
	if (count.entries == 0 && !path.empty())
		return false;
	Output &out = standard_output();
	out.write(std::to_string(count.entries) + ' ' + std::to_string(count.bytes) + '\t');
	out.record_path(path.empty() ? "." : path);
	return true;
}

// names are a state, and paths of it.
static int count_state(const std::vector<std::string> &names)
{
	Store store(get_store());
	const std::string &name = names[0];
	const TreeRoot manifest = store.manifest(store.resolve(name).generation);
	int status = exit_status::done;
	for (std::size_t i = 1; i < names.size(); i++) {
		const std::string &typed = names[i];
		// Paths of a state are those of the state, wherever the command is run.
		const std::string path = typed.empty() ? "" : normalised_path(typed, "", "/");
		if (print_count(path, count_in(manifest, store.nodes(), path)))
			continue;
		tell_error(quote(typed) + " is not in " + name + did_you_mean_path(manifest, store.nodes(), path));
		status = exit_status::failed;
	}
	return status;
}

static int count_index(const std::vector<std::string> &paths)
{
	const Store store(get_store());
	const Index index = Index::open(store.paths().staging());
	int status = exit_status::done;
	for (const std::string &typed : paths) {
		const std::string path = typed.empty() ? "" : stored_path(store.paths(), typed);
		if (print_count(path, count_in(index, path)))
			continue;
		tell_error(quote(typed) + " is not in the index" + did_you_mean_path(index, path));
		status = exit_status::failed;
	}
	return status;
}

static int count(Options &options)
{
	bool nul = false, is_index = false;
	std::vector<std::string> names;
	options.flag("", 'z', nul, "end records with NUL")
		.flag("index", 0, is_index, "the index instead of a state")
		.positional(names)
		.parse();
	standard_output().set_end(record_end(nul));
	// Without a path, all paths: they are at and below "".
	if (names.empty() && !is_index)
		names.emplace_back("HEAD");
	if (names.size() == (is_index ? 0 : 1))
		names.emplace_back();
	return is_index ? count_index(names) : count_state(names);
}

int dig_count_main(int argc, char **argv) { return run(argc, argv, usage, count); }
