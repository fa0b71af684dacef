// Looks for content of staged entries in the pack and in layers.  It is the last word where counts
// and ids do not fit together: only what nobody has is damage, all else can be made anew.
//
// Lists are walked without recursion, since their depth is up to whoever wrote them, and a shared
// subtree is looked at once.  An item in a layer ends a walk only for chunks: a layer may have a
// node of content whose chunks are in another layer that is gone.
#include "libdig/staging/staged_content.h"

#include <algorithm>

#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/staging/item_set.h"
#include "libdig/staging/journal_state.h"
#include "libdig/staging/staged_items.h"

namespace dig {

class ContentSearch {
public:
	ContentSearch(Store &store, bool with_pack)
		: store_(store), pack_(store.paths().staging()), seen_(std::in_place, store.paths().staging())
	{
		if (!with_pack)
			return;
		nodes_.emplace(store.paths());
		StagedBlocks blocks(store.paths());
		const std::uint64_t end = blocks.is_open() ? blocks.pack().size() : 0;
		while (const std::optional<JournalBlock> block = blocks.next())
			if (block->end() <= end)
				for (const Digest &item : block->items)
					pack_.insert(block->kind(), item);
	}

	// Until found returns false.
	void each_lost(const Index &index, const std::function<bool(const IndexRecord &)> &found)
	{
		if (!index.may_have_staged())
			return;
		for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
			check_interrupted();
			const IndexRecord &record = *at.current();
			if (!index.is_staged(record) || record.is_removed || record.is_by_reference)
				continue;
			const ContentForm form = record.entry.form;
			if (form == ContentForm::none || is_there(form == ContentForm::file_root, record.entry.content))
				continue;
			if (!found(record))
				return;
			// It may hold what is not there.
			seen_.emplace(store_.paths().staging());
		}
	}

private:
	bool is_there(bool is_node, const Digest &id)
	{
		waiting_.assign(1, {is_node, id});
		while (!waiting_.empty()) {
			check_interrupted();
			const auto [kind_is_node, item] = waiting_.back();
			waiting_.pop_back();
			const ItemKind kind = kind_is_node ? ItemKind::node : ItemKind::chunk;
			if (!seen_->insert(kind, item))
				continue;
			if (!pack_.contains(kind, item) && !store_.holds(kind, item))
				return false;
			if (kind_is_node && !look_below(item))
				return false;
		}
		return true;
	}

	// False where nobody has the node after all.  What is below one of a layer may be gone with
	// another layer.
	bool look_below(const Digest &id)
	{
		std::optional<Buffer> stored = nodes_ ? nodes_->find(id) : std::nullopt;
		try {
			if (!stored && !(stored = store_.find_item_bytes(ItemKind::node, id)))
				return false;
		} catch (const CorruptError &) {
			return false;
		}
		const Node node = Node::parse(std::move(*stored), TreeKind::chunk_list, &id, "node " + to_hex(id));
		for (std::size_t i = 0; i < node.size(); i++)
			waiting_.emplace_back(node.level() > 0, node.level() > 0 ? node.child(i).id : node.chunk_id(i));
		return true;
	}

	Store &store_;
	ItemSet pack_;
	std::optional<ItemSet> seen_;
	std::optional<StagedNodes> nodes_;
	std::vector<std::pair<bool, Digest>> waiting_;
};

static std::optional<std::string> first_lost(ContentSearch search, const Index &index)
{
	std::optional<std::string> path;
	search.each_lost(index, [&](const IndexRecord &record) {
		path = record.entry.path;
		return false;
	});
	return path;
}

std::optional<std::string> find_lost_content(Store &store, const Index &index)
{
	return first_lost(ContentSearch(store, true), index);
}

void each_lost_content(Store &store, const Index &index, const std::function<void(const IndexRecord &)> &found)
{
	ContentSearch(store, true).each_lost(index, [&](const IndexRecord &record) {
		found(record);
		return true;
	});
}

std::optional<std::string> find_content_in_no_layer(Store &store, const Index &index)
{
	return first_lost(ContentSearch(store, false), index);
}

// --- dig check -------------------------------------------------------------------------------

class StagingCheck {
public:
	StagingCheck(Store &store, const std::function<void(const std::string &)> &notice)
		: store_(store), notice_(notice), directory_(store.paths().staging())
	{
	}

	void run()
	{
		if (!find_stat(directory_))
			return;
		const Index index = open_index();
		index.check();
		for (const std::string &name : names_in(directory_))
			// A commit may have removed it meanwhile.
			if (auto run = name.ends_with(".run") ? File::find(directory_ + "/" + name) : std::nullopt)
				ChunkRun(std::move(*run)).check();
		const std::string path = directory_ + "/journal";
		const std::optional<File> journal = File::find(path);
		if (!journal || is_unwritten(*journal))
			return check_without_journal(index, path, journal.has_value());
		check_journal(index, *journal);
		if (const auto lost = find_lost_content(store_, index))
			throw CorruptError("the content of " + quote(*lost) + ", which is staged, is in no block that it names and "
				"in no layer", path, 0);
	}

private:
	Index open_index() const
	{
		try {
			return Index::open_whole(directory_);
		} catch (const CorruptError &error) {
			Index index = Index::open(directory_);
			if (!is_unwritten_index())
				throw;
			if (notice_)
				notice_(std::string(error.what()) + "; nothing was staged, and the next writer makes it anew");
			return index;
		}
	}

	// Whether all that cannot be read is what a power cut leaves of a file whose name was on storage.
	bool is_unwritten_index() const
	{
		bool is_one = false;
		for (const char *name : {"/index", "/changes"})
			if (const auto file = File::find(directory_ + name))
				is_one = is_one || is_unwritten(*file);
		return is_one;
	}

	void check_without_journal(const Index &index, const std::string &path, bool is_there) const
	{
		const auto lost = find_content_in_no_layer(store_, index);
		if (lost || index.state().has_loose)
			throw CorruptError(std::string(is_there ? "it is empty" : "it is missing") +
					", and with it what is staged" + (lost ? ", as " + quote(*lost) : ""),
				path, 0);
		if (is_there && notice_)
			notice_(quote(path) + " is empty, as a power cut may leave it; nothing was staged, and the "
				"next writer makes it anew");
	}

	void check_journal(const Index &index, const File &journal) const
	{
		const std::optional<File> pack = find_pack(store_.paths());
		// A shorter one without blocks is what is left of a writer that was killed as it made it.
		if (pack && pack->size() >= sizeof(Preamble)) {
			Buffer preamble(sizeof(Preamble));
			pack->read_exactly_at(preamble, 0);
			check_preamble(preamble, layer_magic, pack->name());
		}
		JournalReader reader(journal);
		const bool is_known = index.state().journal_id == reader.id();
		JournalState state(0, index.state().journal_offset);
		std::uint64_t end = sizeof(Preamble);
		Decompressor decompressor;
		while (const std::optional<JournalRecord> record = reader.next()) {
			if (record->type != JournalType::block) {
				state.take(*record, journal.name());
				continue;
			}
			const JournalBlock block = JournalBlock::decode(record->body, journal.name(), record->offset);
			state.take(block, record->offset);
			if (block.record.offset < end)
				throw CorruptError("blocks overlap", journal.name(), record->offset);
			end = block.end();
			if (pack)
				check_pack_block(*pack, block, decompressor);
		}
		// A torn end is what a killed add leaves; what the index relies on must be whole.
		if ((is_known && !state.has_mark_behind_merged()) || state.misses_blocks())
			throw CorruptError("a record is damaged", journal.name(), reader.offset());
		if (end > sizeof(Preamble) && !pack)
			throw CorruptError("it is missing", directory_ + "/pack", 0);
	}

	Store &store_;
	const std::function<void(const std::string &)> &notice_;
	std::string directory_;
};

// What tells one moment of the staging area from another.
static std::vector<std::optional<FileStat>> look_of(const StorePaths &paths)
{
	std::vector<std::optional<FileStat>> look{find_stat(paths.roots())};
	for (const char *name : {"/index", "/changes", "/journal", "/pack"})
		look.push_back(find_stat(paths.staging() + name));
	// These two grow while they are in place.
	for (std::size_t i = 3; i < look.size(); i++)
		if (look[i])
			*look[i] = {.inode = look[i]->inode};
	return look;
}

static bool is_same_look(const std::vector<std::optional<FileStat>> &a, const std::vector<std::optional<FileStat>> &b)
{
	return std::equal(a.begin(), a.end(), b.begin(), [](const auto &x, const auto &y) {
		return x.has_value() == y.has_value() && (!x || is_same_content(*x, *y));
	});
}

void check_staging(Store &store, const std::function<void(const std::string &)> &notice)
{
	for (;;) {
		const auto look = look_of(store.paths());
		// What is staged may rely on states that are newer than what was checked so far.
		store.refresh();
		try {
			return StagingCheck(store, notice).run();
		} catch (const CorruptError &) {
			// Writers put other files in place, meanwhile, and a commit moves the pack.
			if (is_same_look(look, look_of(store.paths())))
				throw;
		}
	}
}

} // namespace dig
