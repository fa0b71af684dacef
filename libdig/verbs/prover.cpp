#include "libdig/verbs/prover.h"

#include <algorithm>

#include "libdig/proof/proof_bytes.h"
#include "libdig/verbs/near_paths.h"

namespace dig {

std::optional<SignedNote> find_signed_checkpoint(const StorePaths &paths)
{
	const std::optional<Buffer> text = find_whole_file(paths.checkpoint(), max_note_size);
	if (!text)
		return {};
	try {
		SignedNote note = SignedNote::parse(text_of(*text));
		Checkpoint::parse(note.text);
		return note;
	} catch (const UnprovedError &error) {
		// What it said is not known, so that a new signature could contradict it.
		throw UnprovedError(quote(paths.checkpoint()) + " is damaged (" + error.what() +
			"): put back the checkpoint that was signed last, from where it was sent to, or remove the"
			" file to begin anew");
	}
}

// Leaf hashes are made when they are asked for: a history may have millions.
SubtreeHash Prover::history() const
{
	return [roots = store_.roots()](std::uint64_t first, std::uint64_t last) {
		MerklePeaks peaks;
		for (std::uint64_t i = first; i < last; i++)
			peaks.append(leaf_hash(roots.at(i + 1).layer_id));
		return peaks.root();
	};
}

ProofSource &Prover::source_of(std::uint64_t generation)
{
	if (!source_ || source_generation_ != generation) {
		store_.manifest(generation); // whether it was dropped
		source_.emplace(ProofSource{store_.state(generation).header, nodes_});
		source_generation_ = generation;
	}
	return *source_;
}

Checkpoint Prover::checkpoint(std::uint64_t generation)
{
	return {origin_of(store_.id()), generation, history()(0, generation)};
}

void Prover::set_note(const SignedNote &note)
{
	const Checkpoint noted = Checkpoint::parse(note.text);
	if (noted.origin != origin_of(store_.id()))
		throw UnprovedError("the checkpoint is of another store");
	if (noted.size > store_.roots().size() || checkpoint(noted.size).head != noted.head)
		throw UnprovedError("the checkpoint of @" + std::to_string(noted.size) +
			" is not of the history of this store");
	note_ = note;
	noted_ = noted;
	known_generation_ = 0;
}

Prover::Proof Prover::wrapped(std::uint64_t generation, Buffer inner)
{
	if (known_generation_ != generation) {
		const std::uint64_t size = noted_ ? noted_->size : generation;
		if (generation > size)
			throw NegativeAnswer("the checkpoint covers the states up to @" + std::to_string(size) +
				", not @" + std::to_string(generation) +
				"; 'dig checkpoint --sign' makes one that does");
		if (const std::shared_ptr<Layer> alone = store_.alone()) {
			// A layer by itself has the peaks of all states before it, which are what the path has.
			if (alone->is_merged())
				throw Error(
					quote(alone->name()) + " has no history beside it that a proof could lead to");
			MerklePeaks peaks = alone->peaks_before();
			known_path_.assign(peaks.peaks().rbegin(), peaks.peaks().rend());
			peaks.append(leaf_hash(alone->id()));
			known_note_ = {Checkpoint{origin_of(store_.id()), size, peaks.root()}.text(), {}};
		} else {
			known_path_ = merkle_path(size, generation - 1, generation, history());
			known_note_ = note_ ? *note_ : SignedNote{checkpoint(size).text(), {}};
		}
		known_generation_ = generation;
	}
	return {
		TlogProof{std::move(inner), generation - 1, known_path_, known_note_}.encoded(), {}, {}};
}

Prover::Proof Prover::prove_state(std::uint64_t generation)
{
	return wrapped(generation, dig::prove_state(store_.state(generation).header));
}

Entry Prover::get_entry(std::uint64_t generation, std::string_view path)
{
	const LayerHeader &header = source_of(generation).header;
	const TreeRoot manifest(header.manifest_root, header.entries, header.bytes);
	std::optional<Entry> entry = find_entry(manifest, path, nodes_);
	if (!entry)
		throw NegativeAnswer(quote(path) + " is not in this state" +
			did_you_mean_path(manifest, nodes_, std::string(path)));
	return *std::move(entry);
}

Prover::Proof Prover::prove_extent(
	std::uint64_t generation, const Entry &entry, const ByteRange::Extent &extent)
{
	ProofSource &source = source_of(generation);
	if (extent.size == 0)
		throw Error(quote(entry.path) + " has no bytes in that range");
	if (entry.block_tree()) {
		if (!block_roots_ || roots_of_ != *entry.block_tree()) {
			block_roots_.emplace(store_, entry);
			roots_of_ = *entry.block_tree();
		}
		const SubtreeHash subtree = [this](std::uint64_t first, std::uint64_t last) {
			return block_roots_->hash(first, last);
		};
		Proof proof = wrapped(generation,
			prove_blocks(source, entry.path, extent.offset, extent.size, subtree));
		const BlockExtent blocks = blocks_of(entry.size, extent.offset, extent.size);
		proof.data = {blocks.data_begin(), blocks.data_end(entry.size) - blocks.data_begin()};
		proof.entry = entry;
		return proof;
	}
	Proof proof =
		wrapped(generation, prove_range(source, entry.path, extent.offset, extent.size));
	if (entry.form == ContentForm::chunk) {
		proof.data = {0, entry.size};
	} else {
		TreeCursor at(TreeKind::chunk_list, content_root(entry), nodes_);
		at.seek_offset(extent.offset);
		proof.data.offset = at.offset();
		at.seek_offset(extent.offset + extent.size - 1);
		proof.data.size = at.offset() + at.chunk_size() - proof.data.offset;
	}
	proof.entry = entry;
	return proof;
}

Prover::Proof Prover::prove_path(
	std::uint64_t generation, std::string_view path, const std::optional<ByteRange> &range)
{
	if (range) {
		const Entry entry = get_entry(generation, path);
		return prove_extent(generation, entry, range->resolve(entry.size));
	}
	Entry entry;
	Buffer inner;
	try {
		inner = prove_file(source_of(generation), path, store_.chunking(), entry);
	} catch (const NegativeAnswer &) {
		get_entry(generation, path); // says what may have been meant
		throw;
	}
	Proof proof = wrapped(generation, std::move(inner));
	proof.data = {0, entry.size};
	proof.entry = std::move(entry);
	return proof;
}

Prover::Proof Prover::prove_chunk(std::uint64_t generation, std::string_view path, const Digest &id)
{
	const Entry entry = get_entry(generation, path);
	if (entry.form == ContentForm::chunk && entry.content == id)
		return prove_extent(generation, entry, {0, entry.size});
	if (entry.form == ContentForm::file_root) {
		TreeCursor at(TreeKind::chunk_list, content_root(entry), nodes_);
		for (at.settle(); !at.at_end(); at.skip_run(), at.settle())
			if (at.chunk_id() == id)
				return prove_extent(generation, entry, {at.offset(), at.chunk_size()});
	}
	throw NegativeAnswer(quote(path) + " has no chunk " + to_hex(id));
}

Prover::Proof Prover::prove_absence(std::uint64_t generation, std::string_view path)
{
	return wrapped(generation, dig::prove_absence(source_of(generation), path));
}

std::string Prover::prove_consistency(std::uint64_t older, std::uint64_t newer)
{
	if (older > newer)
		throw UsageError("@" + std::to_string(older) + " comes after @" + std::to_string(newer));
	const SignedNote note =
		note_ && noted_->size == newer ? *note_ : SignedNote{checkpoint(newer).text(), {}};
	return ConsistencyProof{
		history()(0, older), older, consistency_path(older, newer, history()), note}
		.encoded();
}

} // namespace dig
