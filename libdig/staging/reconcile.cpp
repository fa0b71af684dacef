// The index mirrors a state, and another staging area may have made a newer one.
//
// As a rule the difference of two manifests says what to put, which costs what changed.  Where the
// old manifest cannot be read, as in a store that was put back from a copy, every path of both
// sides is compared, and what is staged but stored nowhere is taken from the work tree again by
// the commit.  Where the new one cannot be read, the index mirrors the last state that can.
//
// Somebody may stage between reading the index and putting the difference over it; the sequence of
// the index tells, and then it begins again.
#include "libdig/staging/reconcile.h"

#include "libdig/os/process.h"
#include "libdig/staging/staged_content.h"
#include "libdig/store/last_tree.h"

namespace dig {

// Brings an index up to a state.
class Reconciliation {
public:
	Reconciliation(Store &store, StagingWriter &writer, const Index &index)
		: store_(store), writer_(writer), index_(index), update_(writer.directory())
	{
	}

	// False when the index has changed meanwhile.
	bool run()
	{
		try {
			follow_history();
		} catch (const Error &error) {
			if (error.status() != exit_status::corrupt && !dynamic_cast<const DroppedState *>(&error))
				throw;
			// The state that the index mirrors is not to be read, as where a store was put back that
			// is older than it: then nothing that the index says of content can be relied on.
			const std::uint64_t mirrored = with_last_tree(store_, [this](const TreeRoot &tree) {
				update_ = IndexUpdate(writer_.directory());
				compare_all(tree);
				mirrored_ = tree.id;
			});
			if (mirrored == 0)
				mirrored_.reset();
			doubt_staged();
		}
		return publish();
	}

private:
	// What is staged but stored nowhere is to be taken from the work tree again, by the commit.
	void doubt_staged()
	{
		each_lost_content(store_, index_, [this](IndexRecord record) {
			record.is_by_reference = true;
			record.has_stat = false;
			update_.put(record);
		});
	}

	bool publish()
	{
		struct Moved {};
		const std::uint64_t seen = index_.state().last_sequence;
		try {
			writer_.finish(update_, [&](IndexState &state) {
				if (state.last_sequence != seen + 1)
					throw Moved();
				state.manifest_root = mirrored_;
			});
			return true;
		} catch (const Moved &) {
			return false;
		}
	}

	void follow_history()
	{
		IndexCursor at = index_.cursor();
		mirrored_ = store_.head_manifest();
		diff_manifests(index_.state().manifest_root.value_or(empty_root(TreeKind::manifest)), store_.head_tree(),
			store_.nodes(), [&](const Entry *before, const Entry *after) {
				const std::string &path = after ? after->path : before->path;
				at.seek(path);
				const IndexRecord *known = at.current();
				put(path, after, known && known->entry.path == path ? known : nullptr);
			});
	}

	// Every path of either side.
	void compare_all(const TreeRoot &tree)
	{
		IndexCursor at = index_.cursor();
		TreeCursor state(TreeKind::manifest, tree, store_.nodes());
		for (state.settle(); at.current() || !state.at_end();) {
			check_interrupted();
			const int order = !at.current() ? 1 : state.at_end() ? -1 : at.current()->entry.path.compare(state.path());
			std::optional<Entry> entry;
			if (order >= 0)
				entry = state.entry();
			put(entry ? entry->path : at.current()->entry.path, entry ? &*entry : nullptr,
				order <= 0 ? at.current() : nullptr);
			if (order <= 0)
				at.next();
			if (order >= 0) {
				state.skip();
				state.settle();
			}
		}
	}

	// The path is as the state has it, unless something is staged there.
	void put(const std::string &path, const Entry *entry, const IndexRecord *known)
	{
		if (known && index_.is_staged(*known))
			return;
		if (entry ? known && !known->is_removed && known->entry == *entry : known && known->is_removed)
			return;
		IndexRecord record;
		record.entry.path = path;
		if (entry)
			record.entry = *entry;
		record.is_removed = !entry;
		record.has_no_file = known && known->has_no_file;
		update_.put(record);
	}

	Store &store_;
	StagingWriter &writer_;
	const Index &index_;
	std::optional<Digest> mirrored_; // manifest
	IndexUpdate update_;
};

void reconcile_index(Store &store, StagingWriter &writer)
{
	for (;;) {
		// The index first: what is read of roots then is not older.
		const Index index = Index::open(writer.directory());
		store.refresh();
		if (store.is_head(index.state().manifest_root) || Reconciliation(store, writer, index).run())
			return;
	}
}

} // namespace dig
