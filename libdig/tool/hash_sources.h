// Chunk lists and file roots of files and streams that are only looked at.
#ifndef DIG_HASH_SOURCES_H
#define DIG_HASH_SOURCES_H

#include <atomic>
#include <functional>

#include "libdig/ingest/ingest.h"
#include "libdig/staging/node_blocks.h"

namespace dig {

class HashSources : private IngestSink {
public:
	// With the parameters of the store that the current directory is in, or outside of one
	// those of the settings; target (4 KiB to 2 MiB) outside of a store only.  failed gets the
	// message of each source that could not be taken, by one thread or another.
	explicit HashSources(std::function<void(const std::string &message)> failed,
		std::optional<std::uint64_t> target = {});
	~HashSources() override;

	// Set before the first source.  Calls come in the order of the sources; a hole is few of
	// them.
	void on_chunk(std::function<void(const ChunkRef &)> chunk) { chunk_ = std::move(chunk); }
	void on_root(std::function<void(const Digest &root)> root) { root_ = std::move(root); }

	// Stages the content, too, with the nodes of every file.  The writer must live until
	// finish() has returned, and be finished after it.
	void store_in(StagingWriter &writer);

	// Symlinks on the way and at the end are followed: the caller named them.
	void add_file(const std::string &path);
	void add_stream(File stream);
	// Waits until all sources so far went through.  False when one failed.
	bool finish();

private:
	void start();
	NodeSink sink();
	bool stores_content() const override { return writer_ != nullptr; }
	bool claim(const Digest &id, Bytes content) override { return writer_->claim(ItemKind::chunk, id, content); }
	void take(const IngestedUnit &unit) override;
	void finish_source(Source &source, const SourceOutcome &outcome);
	void fail(const std::string &message);

	Settings settings_;
	ChunkingParameters chunking_;
	const std::function<void(const std::string &)> failed_;
	std::function<void(const ChunkRef &)> chunk_;
	std::function<void(const Digest &)> root_;
	File directory_;
	std::atomic<bool> has_failed_ = false;
	StagingWriter *writer_ = nullptr;
	std::unique_ptr<NodeBlocks> nodes_;
	std::unique_ptr<Ingest> ingest_;
};

ChunkingParameters chunking_of(const Settings &settings);

} // namespace dig

#endif
