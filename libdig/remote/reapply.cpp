// The new history is made beside the old one: a layer for each state, the first of theirs with all content
// that came, the first of ours with all content of ours.  One replacement of roots is the moment that counts.
// The layers that it names no more are removed after that; what they had is in the new ones.
#include "libdig/remote/reapply.h"

#include <algorithm>
#include <unordered_map>

#include "libdig/format/manifest_update.h"
#include "libdig/format/tree_difference.h"
#include "libdig/os/directory.h"
#include "libdig/os/lock.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/remote/fetched_packs.h"
#include "libdig/store/state_log.h"
#include "libdig/verbs/export_states.h"
#include "libdig/verbs/incoming_layer.h"
#include "libdig/verbs/place_check.h"

namespace dig {

constexpr std::size_t most_named = 10; // paths in a message

// Changes of a manifest, in a file without a name.
class ChangeFile {
public:
	explicit ChangeFile(const std::string &directory) : file_(File::temporary_in(directory)) {}

	void put(const Entry *before, const Entry *after)
	{
		Buffer record;
		put_u8(record, after != nullptr);
		(after ? *after : *before).encode(record);
		Buffer head;
		put_u32(head, static_cast<std::uint32_t>(record.size()));
		append(head, record);
		file_.write_at(head, size_);
		size_ += head.size();
	}

	ManifestChanges changes() const
	{
		return [this, at = std::uint64_t(0)]() mutable -> std::optional<ManifestChange> {
			if (at == size_)
				return {};
			Buffer head(4);
			file_.read_exactly_at(head, at);
			Buffer record(load<std::uint32_t>(head.data()));
			file_.read_exactly_at(record, at + 4);
			at += 4 + record.size();
			Cursor cursor(record, file_.name());
			const bool is_there = cursor.u8() != 0;
			Entry entry = Entry::decode(cursor);
			ManifestChange change{entry.path, {}};
			if (is_there)
				change.entry = std::move(entry);
			return change;
		};
	}

private:
	File file_;
	std::uint64_t size_ = 0;
};

class Reapply {
public:
	Reapply(const StorePaths &paths, RemoteStore &remote, Work &work)
		: paths_(paths), work_(work), gc_(Lock::acquire(paths.gc_lock())), remote_(remote), store_(paths),
		  packs_(paths_, remote.objects(), work)
	{
	}

	ReapplyResult run(std::uint64_t newest)
	{
		roots_ = store_.roots();
		const std::optional<RemoteDescription> description = remote_.description();
		if (!description || description->store_id != store_.id())
			throw Error("the remote has states of another store");
		common_ = common_state();
		if (newest == 0)
			if (const std::vector<std::uint64_t> theirs = remote_.generations_after(common_); !theirs.empty())
				newest = theirs.back();
		if (newest <= common_ || common_ == roots_.size())
			return {};
		require_own_layers();
		remove_abandoned(paths_.layers(), "incoming");
		result_.theirs = {common_ + 1, newest};
		peaks_ = RootHistory::of(records_up_to(common_)).peaks();
		records_ = records_up_to(common_);
		take_theirs();
		require_no_conflict();
		make_mine();
		swap();
		return result_;
	}

private:
	struct NewLayer {
		Digest id;
		std::unique_ptr<PublishedFile> file;
	};

	std::vector<RootHistory::Record> records_up_to(std::uint64_t generation) const
	{
		std::vector<RootHistory::Record> records;
		for (std::uint64_t i = 1; i <= generation; i++)
			records.push_back(roots_.at(i));
		return records;
	}

	// The last state that both have.  It is looked for from the end, where it is in most cases: a record has the
	// root before it, which tells of all states there.
	std::uint64_t common_state()
	{
		std::uint64_t same = 0, other = roots_.size() + 1;
		for (std::uint64_t step = 1; same + 1 < other; step *= 2) {
			const std::uint64_t middle = same > 0 ? same + (other - same) / 2 : other - std::min(step, other - 1);
			const std::optional<RootRecord> record = remote_.record(middle);
			if (record && record->state.header.id() == roots_.at(middle).layer_id) {
				same = middle;
				continue;
			}
			other = middle;
			if (record && middle > 1 && record->state.header.parent_root == roots_.at(middle - 1).root)
				return middle - 1;
		}
		return same;
	}

	// Only roots can be replaced in one moment, and not the table, too.
	void require_own_layers() const
	{
		const std::shared_ptr<const LayerTable> table = store_.layer_table();
		if ((!table->merged().empty() && table->merged().back().range.last > common_) ||
			(!table->dropped().empty() && table->dropped().back().last > common_))
			throw Error("states after @" + std::to_string(common_) + " were merged or dropped before they were pushed, "
				"so that they cannot be made anew; add their files in a new clone");
	}

	// A layer file beside the others; nobody knows its name yet.
	void make_layer(const LayerState &state, const std::function<void(LayerMerger &)> &put)
	{
		MergeOptions merge;
		merge.least_live = 0;
		merge.state = [&](std::uint64_t) { return state; };
		merge.peaks_before = peaks_;
		merge.directory = paths_.tmp();
		merge.work = &work_;
		NewLayer made{state.header.id(), std::make_unique<PublishedFile>(paths_.layers() + "/incoming")};
		const std::uint64_t generation = state.header.generation;
		LayerMerger merger(store_, made.file->file(), {generation, generation}, merge);
		if (put)
			put(merger);
		merger.finish({}, 0);
		peaks_.append(leaf_hash(made.id));
		records_.push_back({made.id, root_of(peaks_)});
		made_.push_back(std::move(made));
	}

	static TreeRoot tree_of(const LayerHeader &header) { return {header.manifest_root, header.entries, header.bytes}; }

	// --- theirs -----------------------------------------------------------------------

	void take_theirs()
	{
		std::vector<LayerState> states;
		MerklePeaks peaks = peaks_;
		for (std::uint64_t i = result_.theirs.first; i <= result_.theirs.last; i++) {
			const std::optional<RootRecord> record = remote_.record(i);
			if (!record)
				throw Error("the record of @" + std::to_string(i) + " is gone from the remote");
			const LayerHeader &header = record->state.header;
			if (header.store_id != store_.id() || header.chunking != store_.chunking().digest() ||
				header.parent_root != root_of(peaks))
				throw CorruptError("the record of @" + std::to_string(i) + " does not follow on the one before");
			if (record->is_dropped)
				throw Error("the content of @" + std::to_string(i) +
					" was dropped before it was pushed; 'dig clone' takes it");
			peaks.append(leaf_hash(header.id()));
			packs_.add_for(*record, remote_);
			states.push_back(record->state);
		}
		result_.bytes = packs_.bytes_to_come();
		packs_.bring();
		for (const LayerState &state : states)
			make_layer(state, made_.empty() ? [this](LayerMerger &merger) { put_theirs(merger); }
				: std::function<void(LayerMerger &)>());
		came_ = std::make_unique<Layer>(made_[0].file->file().name());
		incoming_ = std::make_unique<IncomingLayer>(store_, *came_, common_);
		incoming_->check_blocks(work_);
		TreeRoot last = store_.manifest(common_);
		for (const LayerState &state : states) {
			incoming_->require(last, tree_of(state.header));
			last = tree_of(state.header);
		}
		their_tree_ = last;
		store_.set_extra_items([this](ItemKind kind, const Digest &id) { return find_extra(kind, id); });
	}

	// What only own layers have that go, comes, too.
	void put_theirs(LayerMerger &merger)
	{
		packs_.put_into(merger, [this](ItemKind kind, const Digest &id) {
			if (!store_.holds(kind, id))
				return false;
			const std::optional<ItemPlace> place = store_.find_in_layers(kind, id);
			return place && place->generation <= common_;
		});
	}

	// Of what came, and what is made now.
	std::optional<Buffer> find_extra(ItemKind kind, const Digest &id)
	{
		if (kind != ItemKind::node)
			return {};
		if (const auto made = nodes_.find(id); made != nodes_.end())
			return made->second;
		if (came_->find(ItemKind::node, id))
			return incoming_->nodes()(id);
		return {};
	}

	// --- mine -------------------------------------------------------------------------

	[[noreturn]] static void fail_for(const std::vector<std::string> &paths, std::size_t count)
	{
		std::string text = "both have changed ";
		for (std::size_t i = 0; i < paths.size(); i++)
			text += (i > 0 ? ", " : "") + quote(paths[i]);
		if (count > paths.size())
			text += " and " + std::to_string(count - paths.size()) + " more";
		throw NegativeAnswer(text + "; nothing is changed here: 'dig clone' the remote, and add there what is to stay");
	}

	// A path that both have changed, each in another way.
	void require_no_conflict()
	{
		const TreeRoot common = store_.manifest(common_), mine = store_.manifest(roots_.size());
		TreeCursor before(TreeKind::manifest, common, store_.nodes()), own(TreeKind::manifest, mine, store_.nodes());
		std::vector<std::string> paths;
		std::size_t count = 0;
		const auto entry_at = [](TreeCursor &cursor, const std::string &path) {
			cursor.seek(path);
			return cursor.at_end() || cursor.path() != path ? std::nullopt : std::optional(cursor.entry());
		};
		diff_manifests(common, their_tree_, store_.nodes(), [&](const Entry *old, const Entry *entry) {
			check_interrupted();
			const std::string &path = entry ? entry->path : old->path;
			const std::optional<Entry> at_first = entry_at(before, path), now = entry_at(own, path);
			const bool is_mine = at_first != now;
			const bool is_other = entry ? !now || !(*now == *entry) : now.has_value();
			if (!is_mine || !is_other)
				return;
			if (count++ < most_named)
				paths.push_back(path);
		});
		if (count > 0)
			fail_for(paths, count);
	}

	void make_mine()
	{
		const std::uint64_t last = result_.theirs.last;
		std::vector<LayerState> states;
		TreeRoot tree = their_tree_;
		MerklePeaks peaks = peaks_;
		for (std::uint64_t i = common_ + 1; i <= roots_.size(); i++) {
			LayerState state = store_.state(i);
			const NodeRef made = changed_tree(i, tree);
			tree = {made.id, made.leaves, made.bytes};
			state.header.generation = last + (i - common_);
			state.header.parent_root = root_of(peaks);
			state.header.manifest_root = made.id;
			state.header.entries = made.leaves;
			state.header.bytes = made.bytes;
			peaks.append(leaf_hash(state.header.id()));
			states.push_back(std::move(state));
		}
		result_.mine = {last + 1, last + states.size()};
		const std::size_t first = made_.size();
		for (const LayerState &state : states)
			make_layer(state, made_.size() > first ? std::function<void(LayerMerger &)>()
				: [this](LayerMerger &merger) { put_mine(merger); });
	}

	void put_mine(LayerMerger &merger)
	{
		put_content(store_, {common_ + 1, roots_.size()}, merger);
		for (const auto &[id, node] : nodes_) {
			if (came_->find(ItemKind::node, id))
				continue;
			const std::optional<ItemPlace> place = store_.find_in_layers(ItemKind::node, id);
			if (!place)
				merger.add(ItemKind::node, id, node);
			if (!place || place->generation > common_)
				result_.nodes.push_back(id);
		}
		std::sort(result_.nodes.begin(), result_.nodes.end());
	}

	// The tree with what own state i has changed.
	NodeRef changed_tree(std::uint64_t i, const TreeRoot &tree)
	{
		ChangeFile changes(paths_.tmp());
		diff_manifests(store_.manifest(i - 1), store_.manifest(i), store_.nodes(),
			[&](const Entry *before, const Entry *after) { changes.put(before, after); });
		const NodeRef made = update_manifest(tree, store_.nodes(), changes.changes(),
			[&](const Digest &id, Bytes node) { nodes_.emplace(id, Buffer(node.begin(), node.end())); });
		PlaceCheck places(store_, {made.id, made.leaves, made.bytes}, i, false);
		const ManifestChanges all = changes.changes();
		while (const std::optional<ManifestChange> change = all())
			if (change->entry)
				try {
					places.check(change->path);
				} catch (const CorruptError &) {
					fail_for({change->path}, 1);
				}
		return made;
	}

	// --- the end ----------------------------------------------------------------------

	void swap()
	{
		const Lock lock = Lock::acquire(paths_.lock());
		store_.refresh();
		if (store_.roots().size() != roots_.size() || store_.roots().tip_root() != roots_.tip_root())
			throw Error("somebody has committed meanwhile; do it again");
		came_.reset();
		for (NewLayer &made : made_)
			made.file->publish_as(paths_.layer(made.id));
		const RootHistory longer = RootHistory::of(records_);
		publish_file(paths_.roots(), longer.encoded());
		store_.set_extra_items(nullptr);
		store_.reload();
		for (std::uint64_t i = common_ + 1; i <= roots_.size(); i++)
			if (!longer.find_layer(roots_.at(i).layer_id))
				remove_file_if_there(paths_.layer(roots_.at(i).layer_id));
		try {
			forget_noted_states(paths_, common_ + 1, std::max(roots_.size(), longer.size()));
			make_directory(paths_.chunk_index());
			ChunkIndex::update(paths_.chunk_index(), longer, *store_.layer_table(),
				[&](std::uint64_t generation) { return store_.layer(generation); });
			note_states(paths_, longer.size(), [&](std::uint64_t generation) { return store_.state(generation); });
		} catch (const SystemError &) {
			// All of them are derived.
		}
		packs_.remove();
	}

	StorePaths paths_;
	Work &work_;
	Lock gc_;
	RemoteStore &remote_;
	Store store_;
	FetchedPacks packs_;
	RootHistory roots_; // as it was
	std::uint64_t common_ = 0;
	MerklePeaks peaks_;                          // of the new history so far
	std::vector<RootHistory::Record> records_; // of the new history so far
	std::vector<NewLayer> made_;
	std::unique_ptr<Layer> came_; // the first of made_, with all content that came
	std::unique_ptr<IncomingLayer> incoming_;
	TreeRoot their_tree_{empty_root(TreeKind::manifest), 0, 0};
	std::unordered_map<Digest, Buffer, DigestHash> nodes_; // of own manifests over theirs
	ReapplyResult result_;
};

ReapplyResult reapply_states(const StorePaths &paths, RemoteStore &remote, std::uint64_t newest, Work &work)
{
	return Reapply(paths, remote, work).run(newest);
}

} // namespace dig
