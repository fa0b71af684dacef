// dig urn: the long name of content, valid on any machine.
#include "libdig/base/json_text.h"
#include "libdig/base/path.h"
#include "libdig/format/urn.h"
#include "libdig/os/beneath.h"
#include "libdig/os/directory.h"
#include "libdig/store/state_names.h"
#include "libdig/tool/command.h"
#include "libdig/tool/typed_path.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/work_diff.h"
#include "libdig/verbs/work_roots.h"

using namespace dig;

static constexpr char usage[] = "dig-urn [-z] [--json] [--file-root] [--range=a-b] [--at=ROOT] PATH...\n"
				"dig-urn [-z] [--json] [--file-root] [--range=a-b] ROOT:PATH...";

struct UrnLook {
	bool is_json = false, has_file_root = false;
	std::optional<ByteRange> range;
};

// The URN of a path of a state, or of one that no state has as it is now.
class Urns {
public:
	Urns(Store &store, const UrnLook &look) : store_(store), look_(look) {}

	void of_state(const RootName &root, const std::string &path, const std::string &shown, const std::string &state)
	{
		const TreeRoot manifest = store_.manifest(root.generation);
		const std::optional<Entry> entry = path.empty() ? std::nullopt : find_entry(manifest, path, store_.nodes());
		if (!entry && !has_path(manifest, store_.nodes(), path))
			throw Error(quote(shown) + " is not in " + state + did_you_mean_path(manifest, store_.nodes(), path));
		if (!entry && look_.range)
			throw UsageError("--range is for files, and " + quote(shown) + " is a directory");
		std::optional<Digest> file_root;
		if (entry && entry->kind != EntryKind::empty_directory)
			file_root = entry->file_root();
		show(path, root.root, file_root);
	}

	// Of the work tree, or staged: the newest state if it has the same content, else no state.
	void of_work_tree(const std::string &path, const std::string &shown)
	{
		const Index index = current_index(store_);
		const std::uint64_t newest = store_.roots().size();
		const RootName head{newest, store_.roots().tip_root()};
		std::optional<Entry> committed;
		if (newest > 0 && !store_.layer_table()->is_dropped(newest))
			committed = path.empty() ? std::nullopt : find_entry(store_.manifest(newest), path, store_.nodes());
		const File top = File::open_with(store_.paths().get_work_tree(), O_RDONLY | O_DIRECTORY);
		const WorkRoot work = path.empty() ? WorkRoot() : read_work_roots(store_, top, {path})[0];
		if (!work.error.empty())
			throw Error("cannot read " + quote(shown) + ": " + work.error);
		std::optional<Digest> now = work.root;
		// What came as a stream has no file.
		if (!work.stat)
			if (const std::optional<IndexRecord> staged = index.find(path))
				now = staged->entry.file_root();
		if (now && (!committed || committed->file_root() != *now)) {
			show(path, {}, now);
			return;
		}
		if (newest == 0)
			throw Error(quote(shown) + " is no file, and nothing is committed yet");
		of_state(head, path, shown, "HEAD");
	}

private:
	// Without a root, the file root is always told: nothing else says what content is meant.
	void show(const std::string &path, const std::optional<Digest> &root, const std::optional<Digest> &file_root)
	{
		Urn urn;
		urn.has_store = true;
		urn.store_id = store_.id();
		urn.root = root;
		urn.path = path;
		urn.range = look_.range;
		const std::string text = to_text(urn), digits = file_root ? to_hex(*file_root) : "";
		if (look_.is_json) {
			out_.record("{\"schema\":1,\"urn\":" + exact_json_string(text) + "," + json_field("path", path) +
				",\"root\":" + (root ? '"' + to_hex(*root) + '"' : "null") + ",\"file_root\":" +
				(file_root ? '"' + digits + '"' : "null") + "}");
			return;
		}
		out_.record(text + (file_root && (look_.has_file_root || !root) ? '\t' + digits : ""));
	}

	Store &store_;
	const UrnLook &look_;
	Output &out_ = standard_output();
};

static int urn(Options &options)
{
	UrnLook look;
	bool nul = false;
	std::optional<std::string> at;
	std::vector<std::string> typed;
	options.value("at", 0, at, "ROOT", "the state to name, instead of what the path has now")
		.value("range", 0, look.range, "a-b", "of these bytes")
		.flag("file-root", 0, look.has_file_root, "also the file root")
		.flag("json", 0, look.is_json, "a JSON object per line")
		.flag("", 'z', nul, "end records with NUL")
		.positional(typed, 1)
		.parse();
	standard_output().set_end(record_end(nul));
	Store store(get_store());
	Urns urns(store, look);
	for (const std::string &word : typed) {
		const std::optional<StatePath> named = at ? std::nullopt : split_state_path(word);
		// A file may have a ':' in its name.
		const bool is_file = named && !store.paths().work_tree.empty() &&
			find_stat_beneath(open_directory(store.paths().work_tree), stored_path(store.paths(), word));
		if (named && !is_file)
			urns.of_state(store.resolve(named->state), named->path.empty() ? "" : normalised_path(named->path, "", "/"),
				named->path, named->state);
		else if (at)
			urns.of_state(store.resolve(*at), stored_path(store.paths(), word), word, *at);
		else
			urns.of_work_tree(stored_path(store.paths(), word), word);
	}
	return exit_status::done;
}

int dig_urn_main(int argc, char **argv) { return run(argc, argv, usage, urn); }
