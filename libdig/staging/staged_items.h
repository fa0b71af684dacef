// What is staged but in no layer yet, for readers: takes no lock.
#ifndef DIG_STAGED_ITEMS_H
#define DIG_STAGED_ITEMS_H

#include "libdig/format/layer_reader.h"
#include "libdig/staging/journal.h"
#include "libdig/store/store.h"

namespace dig {

// The pack; between a layer and its root, the layer that it has become.
std::optional<File> find_pack(const StorePaths &paths);

// The blocks of the pack, in their order there.
class StagedBlocks {
public:
	explicit StagedBlocks(const StorePaths &paths);
	bool is_open() const { return reader_.has_value(); }
	std::optional<JournalBlock> next();
	const File &pack() const { return *pack_; }

private:
	void open(const StorePaths &paths);
	std::optional<File> journal_, pack_;
	std::optional<JournalReader> reader_;
};

// One item.  Slow: looks through the journal.
std::optional<Buffer> find_staged_item(const StorePaths &paths, ItemKind kind, const Digest &digest);

// For many look-ups: 24 bytes of memory for each node that is in the pack when this is made.
class StagedNodes {
public:
	explicit StagedNodes(const StorePaths &paths);
	// The node as it is stored, whose content was checked.
	std::optional<Buffer> find(const Digest &id);

private:
	struct Place {
		std::uint64_t prefix, offset;
		std::uint32_t length, item;
	};
	static std::uint64_t prefix_of(const Digest &id) { return load<std::uint64_t>(id.bytes.data()); }

	StagedBlocks blocks_;
	std::vector<Place> places_;
	Decompressor decompressor_;
	StoredBlock block_;
	Buffer raw_;
	std::uint64_t offset_ = 0; // of block_
};

// A block against its digests; CorruptError when it is not what the journal says.
void check_pack_block(const File &pack, const JournalBlock &block, Decompressor &decompressor);
// The same by its checksum in the journal, where it has one: then nothing is decoded.  bytes is room
// to work in.
void check_block_bytes(const File &pack, const JournalBlock &block, Decompressor &decompressor, Buffer &bytes);

// What adds have stored and no entry of the index needs yet: they are running, or they were interrupted
// and the next one goes on from there.
struct UnfinishedAdds {
	std::uint64_t bytes = 0; // of content
	bool are_running = false;
};
UnfinishedAdds find_unfinished_adds(const std::string &directory);

// The failures that the last adds recorded, for dig status.
std::vector<JournalFailure> recorded_failures(const std::string &directory);

} // namespace dig

#endif
