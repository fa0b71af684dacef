// A commit turns the staging area into a layer (write_layer), and the layer into a state (update_root).
// They are two tools, so that a layer can be made, looked at, carried elsewhere, and then become a state
// or not.
//
// write_layer changes nothing that a reader sees.  It opens the pack, which recovers what a killed add
// left, and brings the index up to the newest state.  Content that was staged by reference is read now
// and has to be what it was.  Then the staged records are merged into the manifest, which writes the
// nodes around each change into the pack, and the pack becomes a layer with its sections.
//
// update_root is the commit itself: one replacement of the file of roots.  Before it, nothing has
// happened; after it, all has.  What follows, the staging area and the chunk index, can be repeated by
// the next writer, so a crash there costs nothing but that work.  A layer that was made over another
// state is refused: its manifest would drop what was committed meanwhile.
//
// A full layer holds a copy of everything that its state needs.  Chunks and nodes are copied by their
// digests, and a subtree that was copied is not entered again.  So the cost is that of the content that
// is different, however often the tree refers to it.
#include "libdig/verbs/commit.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "libdig/base/trace.h"
#include "libdig/os/clock.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"
#include "libdig/os/publish.h"
#include "libdig/staging/staged_content.h"
#include "libdig/staging/staged_items.h"
#include "libdig/staging/staging_clear.h"
#include "libdig/staging/sweep.h"
#include "libdig/staging/tree_survey.h"
#include "libdig/store/changed_paths.h"
#include "libdig/store/reserve.h"
#include "libdig/store/state_log.h"
#include "libdig/verbs/dropped_files.h"
#include "libdig/verbs/layer_swap.h"
#include "libdig/verbs/layer_writer.h"
#include "libdig/verbs/repack.h"
#include "libdig/watch/progress.h"

namespace dig {

std::int64_t commit_time()
{
	for (const char *name : {"DIG_COMMIT_TIME", "SOURCE_DATE_EPOCH"}) {
		const char *text = std::getenv(name);
		if (!text || !*text)
			continue;
		char *end;
		errno = 0;
		const long long seconds = std::strtoll(text, &end, 10);
		if (*end || errno)
			throw Error(std::string(name) + " is no whole number of seconds: " + quote(text));
		return seconds;
	}
	return seconds_of(now_ns());
}

struct StagedSums {
	std::uint64_t files = 0, bytes = 0;
	std::uint64_t changed = 0; // files that changed while they were read
};

// Staged records as changes of the manifest, summed up as they pass.
static ManifestChanges staged_changes(const Index &index, StagedSums &sums)
{
	auto at = std::make_shared<IndexCursor>(index.staged_cursor());
	auto displaced = std::make_shared<DisplacedRecords>(index.cursor());
	return [&index, at, displaced, &sums]() -> std::optional<ManifestChange> {
		for (; at->current(); at->next()) {
			const IndexRecord &record = *at->current();
			if (!index.is_staged(record))
				continue;
			check_interrupted();
			ManifestChange change;
			change.path = record.entry.path;
			if (!record.is_removed) {
				// Adds at the same time, or lists, may have staged a file and what is below it.
				displaced->find(change.path, [&](const IndexRecord &other) {
					throw Error(quote(change.path) + " and " + quote(other.entry.path) +
						" are both staged, and only one of them can be; 'dig rm --cached' drops one");
				});
				change.entry = record.entry;
				sums.files++;
				sums.bytes += record.entry.size;
				sums.changed += record.entry.has_attribute(changed_while_read_attribute);
			}
			at->next();
			return change;
		}
		return {};
	};
}

// Reads files that were staged by reference, and requires each to be what the index says.
class ReferenceTaker : private IngestSink {
public:
	ReferenceTaker(Store &store, Work &work)
		: root_(File::open_with(store.paths().get_work_tree(), O_RDONLY | O_DIRECTORY)), writer_(store, true),
		  nodes_(writer_), update_(writer_.directory())
	{
		ingest_ = std::make_unique<Ingest>(
			store.settings(), store.chunking(), root_, static_cast<IngestSink &>(*this), work);
	}
	~ReferenceTaker() override { ingest_.reset(); }

	void take(const IndexRecord &record)
	{
		Source source;
		source.path = record.entry.path;
		source.kind = record.entry.kind;
		source.previous = record;
		try {
			source.stat = find_stat_beneath(root_, source.path);
		} catch (const SystemError &) {
		}
		const FileType type = record.entry.kind == EntryKind::symlink ? FileType::symlink : FileType::regular;
		if (!source.stat || source.stat->type != type || source.stat->size != record.entry.size)
			throw no_match(source.path);
		ingest_->submit(std::move(source));
	}

	void finish()
	{
		ingest_->drain();
		nodes_.end_block();
		nodes_.append({}, {});
		writer_.finish(update_);
	}

private:
	static Error no_match(const std::string &path)
	{
		return Error(quote(path) + " is no longer what was added by reference; add it again, or put it back");
	}

	bool stores_content() const override { return true; }
	bool claim(const Digest &id, Bytes content) override { return writer_.claim(ItemKind::chunk, id, content); }
	void take(const IngestedUnit &unit) override
	{
		for (const IngestedUnit::Part &part : unit.parts) {
			part.source->append_to_tree(part.chunks, nodes_.sink());
			if (part.outcome)
				finish_source(*part.source, *part.outcome);
		}
		const Region region("store");
		nodes_.append(unit.blocks, {});
	}

	void finish_source(Source &source, const SourceOutcome &outcome)
	{
		const Digest root = source.finish_tree(nodes_.sink());
		if (!outcome.error.empty())
			throw Error(quote(source.path) + " was added by reference and cannot be read: " + outcome.error);
		if (outcome.has_changed || root != source.previous->entry.file_root())
			throw no_match(source.path);
		IndexRecord record = *source.previous;
		record.is_by_reference = false;
		record.set_stat(outcome.stat, outcome.read_began_ns);
		// The file may have been put back with another time: that is what it was staged with.
		record.has_stat = record.entry.mtime_ns == outcome.stat.mtime_ns;
		update_.put(record);
	}

	File root_;
	StagingWriter writer_;
	NodeBlocks nodes_;
	IndexUpdate update_;
	std::unique_ptr<Ingest> ingest_;
};

// Content that was staged by reference comes into the pack now.
static void take_references(Store &store, const Index &index, Work &work)
{
	std::optional<ReferenceTaker> taker;
	std::optional<Region> region;
	// The index stays as it was opened, whatever is put over it.
	for (IndexCursor at = index.staged_cursor(); at.current(); at.next()) {
		const IndexRecord &record = *at.current();
		if (!record.is_by_reference || record.is_removed || !index.is_staged(record))
			continue;
		if (!taker) {
			work.begin_stage("references");
			region.emplace("references");
			taker.emplace(store, work);
		}
		taker->take(record);
	}
	if (taker)
		taker->finish();
}

// For a layer that stands alone: copies what other layers hold.
class FullCopy {
public:
	FullCopy(Store &store, StagingWriter &writer, Work &work)
		: store_(store), writer_(writer), staged_(store.paths()), nodes_(writer), work_(work),
		  trees_([this](const Digest &id) { return copied_node(id); }, writer.directory())
	{
		nodes_.make_full();
		nodes_.append_as_filled();
	}

	void copy_manifest(const NodeRef &manifest)
	{
		trees_.visit(TreeKind::manifest, {manifest.id, manifest.leaves, manifest.bytes}, [this](const Node &node) {
			for (std::size_t i = 0; i < node.size(); i++)
				copy_entry(node.entry(i));
		});
		nodes_.end_block();
		nodes_.append({}, {});
	}

private:
	Buffer read(ItemKind kind, const Digest &id)
	{
		if (std::optional<Buffer> bytes = store_.find_item_bytes(kind, id))
			return std::move(*bytes);
		if (kind == ItemKind::node)
			if (std::optional<Buffer> bytes = staged_.find(id))
				return std::move(*bytes);
		return store_.read_item(kind, id);
	}

	Buffer copied_node(const Digest &id)
	{
		Buffer stored = read(ItemKind::node, id);
		nodes_.add(id, stored);
		return stored;
	}

	void copy_entry(const Entry &entry)
	{
		check_interrupted();
		const std::uint64_t done = work_.bytes.get();
		if (entry.form == ContentForm::chunk)
			copy_chunk(entry.content, entry.size);
		else if (entry.form == ContentForm::file_root)
			trees_.visit(TreeKind::chunk_list, content_root(entry), [this](const Node &node) {
				for (std::size_t i = 0; i < node.size(); i++)
					copy_chunk(node.chunk_id(i), node.chunk_size(i));
			});
		work_.bytes.set(done + entry.size); // what it shares with others counts, too
	}

	void copy_chunk(const Digest &id, std::uint64_t size)
	{
		work_.bytes.add(size);
		if (!writer_.claim_for_pack(ItemKind::chunk, id))
			return;
		check_interrupted();
		const Buffer bytes = read(ItemKind::chunk, id);
		if (bytes.size() != size)
			throw CorruptError("chunk " + to_hex(id) + " has " + std::to_string(bytes.size()) + " bytes, and not " +
				std::to_string(size));
		Buffer room(bytes.size());
		const BlockPayload payload = compressor_.compress(bytes, room);
		const ReadyBlock block{ItemKind::chunk, payload.codec, {static_cast<std::uint32_t>(bytes.size())}, {id},
			payload.bytes};
		writer_.append({&block, 1}, {});
	}

	Store &store_;
	StagingWriter &writer_;
	StagedNodes staged_; // chunks are not needed: those that are staged are in the layer
	NodeBlocks nodes_;
	Work &work_;
	TreeSurvey trees_;
	BlockCompressor compressor_{block_compressor_of(store_.settings())};
};

// What is staged does not rely on content that gc has dropped.
static Index open_secured_index(Store &store, StagingWriter &writer)
{
	// gc knows nothing of a staging area elsewhere.
	if (store.layer_table()->drops() > 0 && writer.directory() != store.paths().store + "/staging")
		rescue_staged(store, writer);
	for (;;) {
		Index index = Index::open(writer.directory());
		if (!index.state().may_lack)
			return index;
		rescue_staged(store, writer);
	}
}

// A tree of all that the index has.
static NodeRef manifest_of(const Index &index, const NodeSink &sink)
{
	TreeBuilder builder(TreeKind::manifest, sink);
	for (IndexCursor at = index.cursor(); at.current(); at.next()) {
		check_interrupted();
		if (!at.current()->is_removed)
			builder.append_entry(at.current()->entry);
	}
	return builder.finish();
}

// What is staged, over the newest tree.  Where that cannot be read, the index knows its paths.
static NodeRef make_manifest(Store &store, const Index &index, StagedSums &sums, const NodeSink &sink)
{
	try {
		return update_manifest(store.head_tree(), store.nodes(), staged_changes(index, sums), sink);
	} catch (const CorruptError &error) {
		sums = {};
		for (const ManifestChanges staged = staged_changes(index, sums); staged();)
			;
		const NodeRef made = manifest_of(index, sink);
		give_notice("the list of files of @" + std::to_string(store.roots().size()) + " cannot be read: " +
			error.what() + "; the new state has the files that the staging area knows; 'dig check' tells what is lost");
		return made;
	}
}

Digest write_layer(Store &store, const CommitOptions &options)
{
	Work &work = *options.work;
	{
		// Opening it recovers what a killed add left, and brings the index up to date.
		StagingWriter writer(store, true);
		open_secured_index(store, writer);
		reconcile_index(store, writer);
	}
	take_references(store, Index::open(store.paths().staging()), work);

	work.begin_stage("manifest");
	StepClock clock(work);
	StagedSums sums;
	StagingWriter writer(store, true);
	const Index index = open_secured_index(store, writer);
	if (writer.may_drop_blocks(index.state()))
		sweep_pack(writer, index);
	NodeBlocks nodes(writer);
	nodes.append_as_filled();
	const NodeRef manifest = make_manifest(store, index, sums, nodes.sink());
	const bool is_same_tree =
		store.roots().size() == 0 ? manifest.id == empty_root(TreeKind::manifest) : store.is_head(manifest.id);
	// What is staged and the same may have been stored again, because no layer can be relied on for it.
	if (!options.allows_empty && is_same_tree && !find_content_in_no_layer(store, index))
		throw NegativeAnswer("nothing is staged");
	nodes.end_block();
	nodes.append({}, {});
	clock.lap(Step::tree);
	work.files.set(sums.files);
	work.bytes.set(std::max(sums.bytes, work.bytes.get()));
	if (options.is_full) {
		work.begin_stage("copy", {.bytes = manifest.bytes});
		FullCopy(store, writer, work).copy_manifest(manifest);
		clock.lap(Step::write);
		work.files.set(manifest.leaves);
		work.bytes.set(manifest.bytes);
	}
	work.begin_stage("publish");
	const Region region("publish");

	const MerklePeaks peaks = store.peaks();
	const std::string author = author_of(store.settings());
	LayerHeader header;
	header.store_id = store.id();
	header.generation = store.roots().size() + 1;
	header.parent_root = store.roots().tip_root();
	header.manifest_root = manifest.id;
	header.time_s = commit_time();
	header.chunking = store.chunking().digest();
	header.texts = texts_digest(author, options.message);
	header.entries = manifest.leaves;
	header.bytes = manifest.bytes;
	if (sums.changed > 0)
		header.set_changed_files(sums.changed);
	const LayerText text{header, author, options.message, peaks, options.is_full, index.state().last_sequence};
	const Digest id = publish_layer(writer, text, work);
	clock.lap(Step::finish);
	return id;
}

static void note_state(Store &store)
{
	try {
		note_states(store.paths(), store.roots().size(), [&](std::uint64_t generation) -> std::optional<LayerState> {
			try {
				return store.layer(generation)->state(generation);
			} catch (const CorruptError &) {
				return {};
			}
		});
	} catch (const SystemError &) {
		trace_count("states not noted");
	}
}

// The commit is done: what is damaged or refused now is for dig check and dig repack to tell.
static void do_at_leisure(const std::function<void()> &work, const char *not_done)
{
	try {
		work();
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &) {
		trace_count(not_done);
	}
}

Digest update_root(Store &store, const Digest &layer_id, const std::optional<Digest> &old_root)
{
	const RootHistory history = store.roots();
	if (old_root && *old_root != history.tip_root())
		throw NegativeAnswer("the newest root is " + to_hex(history.tip_root()) + ", not " + to_hex(*old_root));
	const std::string path = store.paths().layer(layer_id);
	if (!find_stat(path))
		throw Error("there is no layer " + quote(path));
	{
		const Layer layer(path);
		const LayerHeader &header = layer.header();
		if (layer.id() != layer_id)
			throw CorruptError("it is another layer than its name says", path, 0);
		if (header.store_id != store.id())
			throw Error(quote(path) + " is a layer of another store");
		if (header.generation != history.size() + 1 || header.parent_root != history.tip_root())
			throw NegativeAnswer("the layer " + to_hex(layer_id) + " was made for generation " +
				std::to_string(header.generation) + " over " + to_hex(header.parent_root) +
				", but generation " + std::to_string(history.size()) + " with root " +
				to_hex(history.tip_root()) + " is the newest");
	}
	remove_abandoned(store.paths().store, "roots");
	make_directory(store.paths().chunk_index()); // derived, so that somebody may have removed it
	remove_abandoned(store.paths().chunk_index());
	settle_adopted(store);
	RootHistory longer = history;
	longer.append(layer_id, store.peaks());
	publish_file(store.paths().roots(), longer.encoded());
	// From here on it is committed; the rest can be repeated by whoever comes next.
	store.reload();
	clear_staging(store, layer_id);
	try {
		ChunkIndex::update(store.paths().chunk_index(), longer, *store.layer_table(),
			[&](std::uint64_t generation) { return store.layer(generation); });
	} catch (const SystemError &) {
		// As on a full disk: it is derived, and whoever comes next makes it.
	}
	note_state(store);
	do_at_leisure([&] { note_changed_paths(store); }, "changed paths not noted");
	keep_reserve(store.paths());
	if (store.settings().core.merge_layers)
		do_at_leisure([&] { merge_small_layers(store); }, "layers not merged");
	return longer.tip_root();
}

} // namespace dig
