// Blocks pass in batches.  Threads read, decode and hash the blocks of a batch; then those that are made
// anew are put together and compressed, by threads again; then all are written in their order.  The result
// does not depend on the number of threads, so that what is counted without a file is what will be written.
#include "libdig/verbs/layer_merger.h"

#include <atomic>
#include <utility>

#include "libdig/chunking/sha256_lanes.h"
#include "libdig/format/stored_block.h"
#include "libdig/os/process.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::uint64_t batch_size = 12_MiB; // of content; one block may be larger
constexpr std::size_t most_threads = 16;
constexpr std::size_t items_memory = 4_MiB;
constexpr std::uint64_t compressor_memory = 36_MiB;
constexpr std::size_t most_outputs = 64; // that wait to be compressed
constexpr std::size_t large_chunk = 128_KiB;
constexpr std::size_t node_block_size = 64_KiB;

struct LayerMerger::Input {
	std::shared_ptr<Layer> layer;
	std::uint32_t number;
	std::vector<std::uint16_t> live;
	BlockRecord record;
	bool is_copied = false;
	StoredBlock stored;
	Buffer decoded;
	std::vector<Digest> digests;

	Bytes raw() const { return stored.shape.codec == Codec::none ? stored.payload() : Bytes(decoded); }
	void read();
};

struct LayerMerger::Output {
	ItemKind kind;
	Input *copied = nullptr; // or
	Pending block{};
	Buffer room{};
	BlockPayload payload{};
};

// Each item that is needed has to be what its layer's index says.
void LayerMerger::Input::read()
{
	stored = read_stored_block(layer->file(), record.offset, record.length);
	const BlockShape &shape = stored.shape;
	if (shape.raw_size != record.raw_size || shape.sizes.size() != record.items ||
		static_cast<std::uint8_t>(shape.kind) != record.kind)
		throw CorruptError("a block is not as its record says", layer->name(), record.offset);
	if (shape.codec != Codec::none) {
		thread_local Decompressor decompressor;
		decoded.resize(shape.raw_size);
		decode_block(stored, decompressor, decoded, layer->name(), record.offset);
	}
	digests.resize(shape.sizes.size());
	std::vector<HashJob> jobs;
	std::size_t at = 0;
	for (std::size_t i = 0; i < shape.sizes.size(); at += shape.sizes[i++]) {
		const Bytes item = raw().subspan(at, shape.sizes[i]);
		if (shape.kind == ItemKind::chunk)
			jobs.push_back({item, &digests[i]});
		else if (const std::optional<Digest> id = item_digest(shape.kind, item))
			digests[i] = *id;
		else
			throw CorruptError("a block holds what is no node", layer->name(), record.offset);
	}
	sha256_many(jobs);
	for (std::size_t i = 0; i < digests.size(); i++)
		if (!layer->find(shape.kind, digests[i]))
			throw CorruptError("a block has other content than its layer's index says", layer->name(), record.offset);
	if (!live.empty() && live.back() >= digests.size())
		throw CorruptError("the chunk index names an item that is not there", layer->name(), record.offset);
}

// As many as their memory allows: zstd takes some times the block, the more the higher the level.
static std::size_t threads_for(const Settings &settings, const MergeOptions &options)
{
	const std::uint64_t times = options.level > 12 ? 10 : options.level > 5 ? 6 : 3;
	const std::uint64_t most = std::max<std::uint64_t>(1, compressor_memory / (times * options.block_size));
	return std::min<std::size_t>({worker_threads(settings), most_threads, most});
}

LayerMerger::LayerMerger(Store &store, const File &file, const GenerationRange &range, const MergeOptions &options)
	: store_(store), file_(file), range_(range), options_(options),
	  threads_(threads_for(store.settings(), options)), offset_(sizeof(Preamble)),
	  items_(options_.directory, items_memory), taken_(options_.directory)
{
	for (std::size_t i = 0; i < threads_; i++)
		compressors_.push_back(std::make_unique<BlockCompressor>(options.codec, options.level));
	if (file_.is_open())
		file_.write_at(raw_bytes(make_preamble(layer_magic)), 0);
}

LayerMerger::~LayerMerger() = default;

void LayerMerger::take(const std::shared_ptr<Layer> &layer, std::uint32_t block, std::vector<std::uint16_t> live)
{
	Input input;
	input.layer = layer;
	input.number = block;
	input.record = layer->block(block);
	check_block_length(input.record.length, layer->file(), input.record.offset);
	if (input.record.raw_size > max_chunk_size)
		throw CorruptError("a block is not as its record says", layer->name(), input.record.offset);
	const double share = static_cast<double>(live.size()) / std::max<double>(input.record.items, 1);
	input.is_copied = options_.least_live <= 1 && (live.size() == input.record.items || share >= options_.least_live);
	// What was to be compressed later is compressed now.
	const bool is_raw = input.record.codec == static_cast<std::uint8_t>(Codec::none);
	if (is_raw && packing_of(layer).pending > 0)
		input.is_copied = false;
	else if (options_.told_level > 0 && packing_of(layer).level >= options_.told_level)
		input.is_copied = true;
	input.live = std::move(live);
	const std::uint64_t size = std::max<std::uint64_t>(input.record.raw_size, input.record.length);
	if (!batch_.empty() && batch_bytes_ + size > batch_size)
		run_batch();
	batch_bytes_ += size;
	batch_.push_back(std::move(input));
}

const Packing &LayerMerger::packing_of(const std::shared_ptr<Layer> &layer)
{
	if (layer != last_layer_) {
		last_layer_ = layer;
		last_packing_ = layer->packing();
	}
	return last_packing_;
}

// Calls job with each number, and the number of the thread.
void LayerMerger::each(std::size_t count, const std::function<void(std::size_t, std::size_t)> &job) const
{
	std::atomic<std::size_t> next = 0, thread = 0;
	Workers workers;
	const auto work = [&] {
		const std::size_t own = thread++;
		for (std::size_t i; !workers.is_stopped() && (i = next++) < count;)
			job(i, own);
	};
	if (count > 1)
		workers.start(std::min(threads_, count) - 1, work);
	workers.run(work);
	workers.join();
}

// Most of what does not shrink is told by samples.
static BlockPayload compressed(BlockCompressor &compressor, Bytes raw, MutableBytes room)
{
	return compressor.looks_compressible(raw, room) ? compressor.compress(raw, room) : BlockPayload{Codec::none, raw};
}

void LayerMerger::end_blocks()
{
	for (const ItemKind kind : {ItemKind::chunk, ItemKind::node}) {
		Pending &pending = pending_[kind == ItemKind::node];
		if (pending.sizes.empty())
			continue;
		Output output{.kind = kind};
		output.block = std::exchange(pending, {});
		outputs_.push_back(std::move(output));
	}
}

// Into the block that is being made.
void LayerMerger::take_items(const Input &input)
{
	const BlockShape &shape = input.stored.shape;
	auto live = input.live.begin();
	std::size_t at = 0;
	for (std::size_t i = 0; i < shape.sizes.size(); at += shape.sizes[i++]) {
		if (live == input.live.end() || *live != i)
			continue;
		++live;
		if (options_.least_live <= 1 || taken_.insert(shape.kind, input.digests[i]))
			take_item(shape.kind, input.digests[i], input.raw().subspan(at, shape.sizes[i]));
	}
}

void LayerMerger::take_item(ItemKind kind, const Digest &digest, Bytes item)
{
	const auto size = static_cast<std::uint32_t>(item.size());
	// A large chunk is a block of its own, so that it can be read alone.
	if (kind == ItemKind::chunk && item.size() >= large_chunk) {
		Output output{.kind = kind};
		output.block = {Buffer(item.begin(), item.end()), {size}, {digest}};
		outputs_.push_back(std::move(output));
		return;
	}
	Pending &pending = pending_[kind == ItemKind::node];
	// A look-up reads some nodes, each from another block.
	const std::size_t most =
		kind == ItemKind::node ? std::min(node_block_size, options_.block_size) : options_.block_size;
	if (!pending.sizes.empty() &&
		(pending.raw.size() + size > most || pending.sizes.size() >= max_block_items)) {
		Output output{.kind = kind};
		output.block = std::exchange(pending, {});
		outputs_.push_back(std::move(output));
	}
	append(pending.raw, item);
	pending.sizes.push_back(size);
	pending.digests.push_back(digest);
}

void LayerMerger::add(ItemKind kind, const Digest &digest, Bytes bytes)
{
	check_interrupted();
	if (!batch_.empty())
		run_batch();
	take_item(kind, digest, bytes);
	write_if_enough();
}

// Several at once, so that all threads have one.
void LayerMerger::write_if_enough()
{
	std::uint64_t size = 0;
	for (const Output &output : outputs_)
		size += output.block.raw.size();
	if (outputs_.size() >= most_outputs || size >= batch_size)
		write_outputs();
}

void LayerMerger::end_block()
{
	end_blocks();
	write_outputs();
}

void LayerMerger::run_batch()
{
	check_interrupted();
	each(batch_.size(), [&](std::size_t i, std::size_t) { batch_[i].read(); });
	for (Input &input : batch_) {
		if (input.is_copied) {
			Output output{.kind = input.stored.shape.kind};
			output.copied = &input;
			input.decoded = {};
			outputs_.push_back(std::move(output));
			continue;
		}
		take_items(input);
		input.stored.bytes = {};
		input.decoded = {};
	}
	write_outputs();
	options_.work->bytes.add(batch_bytes_);
	batch_.clear();
	batch_bytes_ = 0;
}

void LayerMerger::write_outputs()
{
	each(outputs_.size(), [&](std::size_t i, std::size_t thread) {
		Output &output = outputs_[i];
		if (output.copied)
			return;
		output.room.resize(output.block.raw.size());
		output.payload = compressed(*compressors_[thread], output.block.raw, output.room);
	});
	for (Output &output : outputs_)
		write(output);
	outputs_.clear();
}

void LayerMerger::write(Output &output)
{
	const Input *const copied = output.copied;
	Buffer made;
	if (!copied)
		made = block_prefix(output.payload.codec, output.kind, output.block.sizes, output.payload.bytes);
	const std::uint64_t length = copied ? copied->stored.bytes.size() : made.size() + output.payload.bytes.size();
	if (file_.is_open()) {
		file_.write_at(copied ? Bytes(copied->stored.bytes) : Bytes(made), offset_);
		if (!copied)
			file_.write_at(output.payload.bytes, offset_ + made.size());
	}
	const std::vector<Digest> &digests = copied ? copied->digests : output.block.digests;
	BlockRecord record{};
	record.offset = offset_;
	record.length = static_cast<std::uint32_t>(length);
	record.raw_size = copied ? copied->stored.shape.raw_size : static_cast<std::uint32_t>(output.block.raw.size());
	record.items = static_cast<std::uint16_t>(digests.size());
	record.codec = static_cast<std::uint8_t>(copied ? copied->stored.shape.codec : output.payload.codec);
	record.kind = static_cast<std::uint8_t>(output.kind);
	append(table_, raw_bytes(record));
	if (table_.size() >= 1_MiB) {
		if (!table_file_.is_open())
			table_file_ = File::temporary_in(options_.directory);
		table_file_.write_at(table_, table_size_);
		table_size_ += table_.size();
		table_.clear();
	}
	for (std::size_t i = 0; i < digests.size(); i++) {
		ChunkRecord item{};
		item.digest = digests[i];
		item.block = blocks_;
		item.item = static_cast<std::uint16_t>(i);
		item.kind = static_cast<std::uint8_t>(output.kind);
		items_.put(item);
	}
	if (options_.placed && !copied)
		options_.placed(output.kind, digests, blocks_, record);
	if (blocks_++ == ~std::uint32_t(0))
		throw Error("a layer cannot have more than 4,294,967,295 blocks");
	(copied ? result_.copied_bytes : result_.remade_bytes) += length;
	offset_ += length;
}

LayerMerger::Result LayerMerger::finish(const std::vector<GenerationRange> &dropped, std::uint64_t epoch)
{
	if (!batch_.empty())
		run_batch();
	end_blocks();
	write_outputs();
	SectionWriter sections(file_, offset_);
	sections.begin(Section::block_table);
	sections.write_from(table_file_, table_size_);
	sections.write(table_);
	sections.end();
	sections.write_chunk_index(items_);
	if (options_.peaks_before)
		sections.write_state(options_.state(range_.first), *options_.peaks_before);
	else if (!options_.is_pack) {
		sections.write_states(range_, epoch, [this](std::uint64_t generation) {
			return options_.state ? options_.state(generation) : store_.state(generation);
		}, dropped);
	}
	if (options_.told_level > 0) {
		Buffer packing;
		put_u8(packing, options_.told_level);
		put_u64(packing, 0);
		sections.write_optional_section(Section::packing, packing);
	}
	if (options_.chunking)
		sections.write_optional_section(Section::chunking, options_.chunking->encoded());
	if (options_.hints)
		sections.write_optional_section(Section::hints, options_.hints(items_.count()));
	result_.items = items_.count();
	result_.pack_id = sections.write_footer(options_.is_full);
	result_.size = sections.offset();
	return result_;
}

} // namespace dig
