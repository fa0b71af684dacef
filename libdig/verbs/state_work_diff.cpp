#include "libdig/verbs/state_work_diff.h"

#include "libdig/base/path.h"
#include "libdig/format/sorted_texts.h"
#include "libdig/os/beneath.h"
#include "libdig/os/directory.h"
#include "libdig/os/environment.h"
#include "libdig/store/path_diff.h"
#include "libdig/verbs/work_roots.h"

namespace dig {

constexpr std::size_t most_held = 4096; // paths whose content is read together
constexpr std::size_t kept_nodes_size = 8_MiB;

class StateAndWork {
public:
	StateAndWork(Store &store, const TreeRoot &state, const StateWorkDiff &take)
		: store_(store), take_(take), index_(current_index(store)),
		  top_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY)),
		  state_root_(state), state_(TreeKind::manifest, state, store.nodes()), suspects_(temporary_directory())
	{
	}

	void run(const std::vector<std::string> &paths)
	{
		const auto seen_work = [&](Difference difference, const std::string &path) {
			if (difference == Difference::failed)
				take_.failed(path, "it could not be looked at");
			else if (difference != Difference::untracked && difference != Difference::skipped &&
				difference != Difference::no_file)
				suspect(path, 'w');
		};
		diff_work(store_, index_, paths, seen_work);
		const std::vector<std::string> scopes = paths.empty() ? std::vector<std::string>{""} : paths;
		KeptNodes nodes(store_, kept_nodes_size);
		PathDiff diff(nodes);
		const TreeRoot newest = store_.head_tree();
		for (const std::string &scope : scopes)
			diff.each(state_root_, newest, scope, [&](const Entry *before, const Entry *after) {
				suspect((before ? before : after)->path, 's');
				return true;
			});
		diff_index(store_, index_, [&](Difference, const std::string &path) {
			for (const std::string &scope : scopes)
				if (is_within(path, scope)) {
					suspect(path, 's');
					return;
				}
		});
		look_at_suspects();
	}

private:
	// NUL keeps the texts in the order of paths.
	void suspect(const std::string &path, char side) { suspects_.add(path + '\0' + side); }

	void look_at_suspects()
	{
		std::string path;
		bool has_any = false, is_of_work = false;
		suspects_.each([&](std::string_view text) {
			const std::string_view now = text.substr(0, text.size() - 2);
			if (has_any && now != path) {
				look_at(path, is_of_work);
				is_of_work = false;
			}
			has_any = true;
			path = now;
			is_of_work = is_of_work || text.back() == 'w';
		});
		if (has_any)
			look_at(path, is_of_work);
		flush();
	}

	std::optional<Entry> find_in_state(const std::string &path)
	{
		if (!state_.at_end())
			state_.seek(path);
		return !state_.at_end() && state_.path() == path ? std::optional(state_.entry()) : std::nullopt;
	}

	// A path with what both sides have; reads: the content of after is still to be read.
	struct Held {
		std::string path;
		std::optional<Entry> before, after;
		bool reads = false;
	};

	void look_at(const std::string &path, bool is_of_work)
	{
		Held held{path, find_in_state(path), {}, false};
		const std::optional<IndexRecord> known = index_.find(path);
		if (known && !is_of_work)
			held.after = known->entry;
		else
			look_at_work(held, known.has_value());
		if (!held.before && !held.after)
			return;
		held_.push_back(std::move(held));
		if (held_.size() >= most_held)
			flush();
	}

	void look_at_work(Held &held, bool is_tracked)
	{
		const std::optional<FileStat> stat = find_stat_beneath(top_, held.path);
		// What nobody tracks is of no state.
		if (!stat || (!held.before && !is_tracked))
			return;
		Entry entry;
		entry.path = held.path;
		switch (stat->type) {
		case FileType::regular: entry.kind = EntryKind::file; break;
		case FileType::symlink: entry.kind = EntryKind::symlink; break;
		case FileType::directory:
			entry.kind = EntryKind::empty_directory;
			// What is in a directory is told by itself.
			if (!is_empty_directory(open_beneath(top_, held.path, O_RDONLY | O_DIRECTORY)))
				return;
			break;
		default: return;
		}
		const bool has_content = entry.kind != EntryKind::empty_directory;
		entry.size = has_content ? stat->size : 0;
		entry.mode = stat->mode;
		if (store_.settings().core.record_mtime)
			entry.mtime_ns = stat->mtime_ns;
		if (has_content && entry.size > 0)
			entry.form = ContentForm::file_root;
		if (held.before) {
			const Entry &before = *held.before;
			if (entry.kind == EntryKind::symlink)
				entry.mode = before.mode;
			if (!before.mtime_ns)
				entry.mtime_ns.reset();
			entry.attributes = before.attributes;
			entry.attribute_count = before.attribute_count;
			held.reads = has_content && before.kind == entry.kind && before.size == entry.size && entry.size > 0;
		}
		held.after = std::move(entry);
	}

	void flush()
	{
		std::vector<std::string> paths;
		for (const Held &held : held_)
			if (held.reads)
				paths.push_back(held.path);
		const std::vector<WorkRoot> roots = read_work_roots(store_, top_, paths);
		std::size_t next = 0;
		for (Held &held : held_) {
			if (held.reads && !take_root(held, roots[next++]))
				continue;
			const bool is_same = held.before && held.after && is_equal(*held.before, *held.after);
			if (!is_same && (held.before || held.after))
				take_.differs(held.before ? &*held.before : nullptr, held.after ? &*held.after : nullptr);
		}
		held_.clear();
	}

	// False if there is nothing to tell of the path.
	bool take_root(Held &held, const WorkRoot &read)
	{
		if (!read.stat) {
			held.after.reset();
			return true;
		}
		if (!read.root) {
			take_.failed(held.path, read.error.empty() ? "it was replaced while it was looked at" : read.error);
			return false;
		}
		held.after->content = *read.root;
		return true;
	}

	// An entry names one chunk in one of two ways.
	static bool is_equal(const Entry &a, const Entry &b)
	{
		return a.kind == b.kind && a.size == b.size && a.mode == b.mode && a.mtime_ns == b.mtime_ns &&
			a.file_root() == b.file_root() && a.attributes == b.attributes;
	}

	Store &store_;
	const StateWorkDiff &take_;
	Index index_;
	File top_;
	TreeRoot state_root_;
	TreeCursor state_;
	SortedTexts suspects_;
	std::vector<Held> held_;
};

void diff_state_and_work(Store &store, const TreeRoot &state, const std::vector<std::string> &paths,
	const StateWorkDiff &take)
{
	StateAndWork(store, state, take).run(paths);
}

} // namespace dig
