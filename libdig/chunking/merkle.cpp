// RFC 9162 defines the tree from the top: the left side takes the largest power of two.  Joining
// neighbours level by level, and taking an odd node up as it is, gives the same tree: pairs make
// the complete subtrees, and what is left over on the right joins them from the smallest on.  From
// below, all nodes of a level are independent messages, so they can be hashed side by side.
//
// A tree that only grows needs none of its leaves.  Its peaks are like the digits of a binary
// number: a leaf is a one that is added, and each carry joins two peaks of the same size.
#include "libdig/chunking/merkle.h"

#include <algorithm>
#include <bit>

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

// --- paths --------------------------------------------------------------------------------------

static std::uint64_t left_size(std::uint64_t size) { return std::bit_floor(size - 1); }

SubtreeHash subtrees_of(std::span<const Digest> leaf_hashes)
{
	return [leaf_hashes](std::uint64_t first, std::uint64_t last) {
		MerklePeaks peaks;
		for (std::uint64_t i = first; i < last; i++)
			peaks.append(leaf_hashes[i]);
		return peaks.root();
	};
}

// outside(low, high) for each largest subtree without any of the leaves [first, last), from below.
template <typename Outside>
static void each_outside(std::uint64_t size, std::uint64_t first, std::uint64_t last, Outside outside)
{
	// A subtree of which all leaves are inside has nothing outside.
	const auto go = [&](const auto &self, std::uint64_t low, std::uint64_t high) -> void {
		if (first <= low && high <= last)
			return;
		const std::uint64_t middle = low + left_size(high - low);
		if (middle <= first) {
			self(self, middle, high);
			outside(low, middle);
		} else {
			self(self, low, middle);
			if (last <= middle)
				outside(middle, high);
			else
				self(self, middle, high);
		}
	};
	go(go, 0, size);
}

std::vector<Digest> merkle_path(std::uint64_t size, std::uint64_t first, std::uint64_t last, const SubtreeHash &subtree)
{
	std::vector<Digest> path;
	each_outside(size, first, last, [&](std::uint64_t low, std::uint64_t high) { path.push_back(subtree(low, high)); });
	return path;
}

std::size_t merkle_path_length(std::uint64_t size, std::uint64_t first, std::uint64_t last)
{
	std::size_t length = 0;
	each_outside(size, first, last, [&](std::uint64_t, std::uint64_t) { length++; });
	return length;
}

Digest root_of_path(std::uint64_t size, std::uint64_t first, std::uint64_t last,
	const std::function<Digest()> &next_leaf, std::span<const Digest> path)
{
	std::size_t at = 0;
	const auto go = [&](const auto &self, std::uint64_t low, std::uint64_t high) -> Digest {
		if (high - low == 1)
			return next_leaf();
		const std::uint64_t middle = low + left_size(high - low);
		if (middle <= first) {
			const Digest right = self(self, middle, high);
			return node_hash(path[at++], right);
		}
		const Digest left = self(self, low, middle);
		return node_hash(left, last <= middle ? path[at++] : self(self, middle, high));
	};
	return go(go, 0, size);
}

// SUBPROOF of section 2.1.4.1; whole tells that the subtree is one of the older tree, whose root is known.
static void add_consistency(std::uint64_t older, std::uint64_t low, std::uint64_t high, bool whole,
	const SubtreeHash &subtree, std::vector<Digest> &path)
{
	if (older == high) {
		if (!whole)
			path.push_back(subtree(low, high));
		return;
	}
	const std::uint64_t middle = low + left_size(high - low);
	if (older <= middle) {
		add_consistency(older, low, middle, whole, subtree, path);
		path.push_back(subtree(middle, high));
	} else {
		add_consistency(older, middle, high, false, subtree, path);
		path.push_back(subtree(low, middle));
	}
}

std::vector<Digest> consistency_path(std::uint64_t older, std::uint64_t size, const SubtreeHash &subtree)
{
	std::vector<Digest> path;
	add_consistency(older, 0, size, true, subtree, path);
	return path;
}

// Section 2.1.4.2.
bool is_consistent(std::uint64_t older, const Digest &older_root, std::uint64_t size, const Digest &root,
	std::span<const Digest> path)
{
	if (older == 0 || older > size)
		return false;
	if (older == size)
		return path.empty() && older_root == root;
	if (path.empty())
		return false;
	const bool is_power = std::has_single_bit(older);
	std::uint64_t node = older - 1, last = size - 1;
	const int up = std::countr_one(node);
	node >>= up;
	last >>= up;
	Digest old_hash = is_power ? older_root : path[0], hash = old_hash;
	for (const Digest &next : path.subspan(is_power ? 0 : 1)) {
		if (last == 0)
			return false;
		if ((node & 1) || node == last) {
			old_hash = node_hash(next, old_hash);
			hash = node_hash(next, hash);
			while (node != 0 && !(node & 1)) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			hash = node_hash(hash, next);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && old_hash == older_root && hash == root;
}

} // namespace dig
