// dig-chunk and dig-hash-object use the same threads and the same cuts as an add, with a sink that stores
// nothing.  So what they print is what an add would store, and they are as fast.  The chunk lists of several
// files come in the order of the files, whichever thread cut them.
#include "libdig/tool/hash_sources.h"

#include "libdig/base/trace.h"
#include "libdig/format/search_tree.h"

namespace dig {

ChunkingParameters chunking_of(const Settings &settings)
{
	const Settings::Chunking &from = settings.chunking;
	ChunkingParameters p;
	p.small_file_chunk_size = from.small_file_chunk_size;
	p.small_file_threshold = from.small_file_threshold;
	p.medium_file_chunk_size = from.medium_file_chunk_size;
	p.medium_file_threshold = from.medium_file_threshold;
	p.large_file_chunk_size = from.large_file_chunk_size;
	p.huge_file_chunk_size = from.huge_file_chunk_size;
	p.huge_file_threshold = from.huge_file_threshold;
	p.target = from.target;
	return p;
}

HashSources::HashSources(std::function<void(const std::string &)> failed, std::optional<std::uint64_t> target)
	: failed_(std::move(failed))
{
	if (const std::optional<StorePaths> paths = find_store()) {
		const Store store(*paths);
		settings_ = store.settings();
		chunking_ = store.chunking();
		if (target && *target != chunking_.target)
			throw Error("the store " + quote(paths->store) + " keeps the chunk sizes that it was made "
				"with; --target works outside of a store");
	} else {
		settings_ = load_settings({});
		chunking_ = chunking_of(settings_);
		if (target) {
			if (*target < min_chunk_target || *target > max_chunk_target)
				throw UsageError("--target takes 4KB to 2MB");
			chunking_.target = *target;
		}
	}
	// Ingest asks for a directory that paths lead from.  No source here needs it, since all are
	// open.
	directory_ = File::open_with(".", O_RDONLY | O_DIRECTORY);
}

HashSources::~HashSources() { ingest_.reset(); }

void HashSources::start()
{
	if (!ingest_)
		ingest_ = std::make_unique<Ingest>(settings_, chunking_, directory_, static_cast<IngestSink &>(*this));
}

void HashSources::take(const IngestedUnit &unit)
{
	for (const IngestedUnit::Part &part : unit.parts) {
		if (root_)
			part.source->append_to_tree(part.chunks, sink());
		if (chunk_)
			for (const ChunkRef &chunk : part.chunks)
				chunk_(chunk);
		if (part.outcome)
			finish_source(*part.source, *part.outcome);
	}
	if (writer_) {
		const Region region("store");
		nodes_->end_block();
		nodes_->append(unit.blocks, {});
	}
}

void HashSources::finish_source(Source &source, const SourceOutcome &outcome)
{
	if (outcome.has_changed || !outcome.error.empty())
		fail(outcome.error.empty() ? quote(source.path) + " changed while it was read" : outcome.error);
	else if (root_)
		root_(source.has_chunks() ? source.finish_tree(sink()) : TreeBuilder(TreeKind::chunk_list, sink()).finish().id);
}

void HashSources::fail(const std::string &message)
{
	has_failed_ = true;
	failed_(message);
}

NodeSink HashSources::sink()
{
	return nodes_ ? nodes_->sink() : [](const Digest &, Bytes) {};
}

void HashSources::store_in(StagingWriter &writer)
{
	writer_ = &writer;
	nodes_ = std::make_unique<NodeBlocks>(writer);
}

// Files of the kernel's have content in spite of a size of 0, or less than a page of it.
static bool has_its_size(const File &file, std::uint64_t size)
{
	std::uint8_t byte;
	if (size == 0)
		return file.read_at({&byte, 1}, 0) == 0;
	return size > 4096 || file.read_at({&byte, 1}, size - 1) == 1;
}

void HashSources::add_file(const std::string &path)
{
	start();
	try {
		File file = File::open_named(path, O_RDONLY | O_NONBLOCK);
		const FileStat stat = file.stat();
		if (stat.type == FileType::directory)
			throw SystemError("read", path, EISDIR);
		Source source;
		source.path = path;
		source.stat = stat;
		if (stat.type == FileType::regular && has_its_size(file, stat.size))
			source.opened = std::make_shared<File>(std::move(file));
		else // a pipe, a device, a file of the kernel's: its content as a stream, waited for
			source.stream = std::make_shared<File>(File::open_named(path, O_RDONLY));
		ingest_->submit(std::move(source));
	} catch (const SystemError &error) {
		fail(error.what());
	}
}

void HashSources::add_stream(File stream)
{
	start();
	Source source;
	source.path = stream.name();
	source.stat = FileStat();
	source.stream = std::make_shared<File>(std::move(stream));
	ingest_->submit(std::move(source));
}

bool HashSources::finish()
{
	if (ingest_)
		ingest_->drain();
	return !has_failed_;
}

} // namespace dig
