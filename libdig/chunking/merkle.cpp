// RFC 9162 defines the tree from the top: the left side takes the largest power of two.  Joining
// neighbours level by level, and taking an odd node up as it is, gives the same tree: pairs make
// the complete subtrees, and what is left over on the right joins them from the smallest on.  From
// below, all nodes of a level are independent messages, so they can be hashed side by side.
//
// A tree that only grows needs none of its leaves.  Its peaks are like the digits of a binary
// number: a leaf is a one that is added, and each carry joins two peaks of the same size.
#include "libdig/chunking/merkle.h"

#include <algorithm>

#include "libdig/chunking/sha256_lanes.h"

namespace dig {

constexpr std::uint8_t leaf_prefix = 0x00, node_prefix = 0x01;

Digest leaf_hash(Bytes leaf) { return digest_of({Bytes(&leaf_prefix, 1), leaf}); }

Digest node_hash(const Digest &left, const Digest &right)
{
	return digest_of({Bytes(&node_prefix, 1), left, right});
}

static constexpr std::size_t batch = 64;

// Hashes messages of equal or different sizes that lie one behind another in scratch.messages.
template <typename SizeOf>
static void hash_messages(const Buffer &messages, std::size_t count, SizeOf size_of, Digest *out)
{
	HashJob jobs[batch];
	std::size_t at = 0;
	for (std::size_t done = 0; done < count;) {
		std::size_t n = 0;
		for (; n < batch && done + n < count; n++) {
			const std::size_t size = size_of(done + n);
			jobs[n] = {Bytes(messages.data() + at, size), out + done + n};
			at += size;
		}
		sha256_many({jobs, n});
		done += n;
	}
}

Digest merkle_tree_hash(Bytes leaves, std::span<const std::uint32_t> sizes, MerkleScratch &scratch)
{
	if (sizes.empty())
		return digest_of(Bytes());
	scratch.messages.resize(leaves.size() + sizes.size());
	std::uint8_t *to = scratch.messages.data();
	const std::uint8_t *from = leaves.data();
	for (std::uint32_t size : sizes) {
		*to++ = leaf_prefix;
		to = std::copy_n(from, size, to);
		from += size;
	}
	std::vector<Digest> &level = scratch.level;
	level.resize(sizes.size());
	hash_messages(scratch.messages, sizes.size(), [&](std::size_t i) { return sizes[i] + 1u; },
		level.data());
	constexpr std::size_t node_size = 1 + 2 * sizeof(Digest);
	for (std::size_t count = level.size(); count > 1;) {
		const std::size_t pairs = count / 2;
		scratch.messages.resize(pairs * node_size);
		for (std::size_t i = 0; i < pairs; i++) {
			std::uint8_t *message = scratch.messages.data() + i * node_size;
			message[0] = node_prefix;
			std::memcpy(message + 1, &level[2 * i], 2 * sizeof(Digest));
		}
		const Digest odd = level[count - 1];
		hash_messages(scratch.messages, pairs, [](std::size_t) { return node_size; }, level.data());
		if (count % 2)
			level[pairs] = odd;
		count = pairs + count % 2;
	}
	return level[0];
}

void MerklePeaks::append(const Digest &leaf_hash)
{
	Digest peak = leaf_hash;
	// Each trailing one bit of the size is a complete subtree that the new one completes.
	for (std::uint64_t bits = size_; bits & 1; bits >>= 1) {
		peak = node_hash(peaks_.back(), peak);
		peaks_.pop_back();
	}
	peaks_.push_back(peak);
	size_++;
}

Digest MerklePeaks::root() const
{
	if (peaks_.empty())
		return digest_of(Bytes());
	Digest root = peaks_.back();
	for (std::size_t i = peaks_.size() - 1; i-- > 0;)
		root = node_hash(peaks_[i], root);
	return root;
}

} // namespace dig
