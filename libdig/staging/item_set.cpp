// A writer asks for each chunk whether it has seen it, so an answer must take less than a
// microsecond; and the number of chunks has no limit, but memory has.
//
// The first 200,000 or so lie in a hash table, keys alone, open addressing.  A full table becomes
// a sorted run on disk, without a name, and the table begins anew.  A look-up in a run costs a
// read, and most chunks are new, so that most look-ups would end in reads for nothing.  A Bloom
// filter over all runs answers these: four bits a key, taken from the digest itself, which is as
// good as random.
//
// Rejected: std::unordered_set (more than twice the memory a digest); one run that is merged with
// each full table (writes would grow with the square of the number of tables).
#include "libdig/staging/item_set.h"

#include <algorithm>

#include "libdig/os/arena.h"

namespace dig {

// Slots of 32 bytes.  Most sets stay nearly empty; one that grows soon lies on huge pages, and the
// tables before leave little memory behind that was touched once.
constexpr std::size_t table_start = 256, table_limit = 262144; // 8 MiB
constexpr std::size_t large_table = 16384;
constexpr std::size_t filter_bits = std::size_t(1) << 25;        // 4 MiB: 3 million items at 1 %

// Chunks and nodes in one table: a node's key differs from its id in one bit.
static Digest key_of(ItemKind kind, const Digest &digest)
{
	Digest key = digest;
	if (kind == ItemKind::node)
		key.bytes[31] ^= 0x80;
	return key;
}

struct ItemSet::Table {
	LargeVector<Digest> slots = LargeVector<Digest>(table_start);
	std::size_t count = 0;
	std::vector<std::uint64_t> filter;
	std::vector<std::unique_ptr<ChunkRun>> runs;

	Digest &slot_of(const Digest &key)
	{
		std::size_t at = DigestHash()(key) & (slots.size() - 1);
		while (!slots[at].is_zero() && slots[at] != key)
			at = (at + 1) & (slots.size() - 1);
		return slots[at];
	}
	bool may_be_spilled(const Digest &key) const
	{
		for (int i = 0; i < 4; i++) {
			const std::size_t bit = load<std::uint32_t>(key.bytes.data() + 8 + 4 * i) % filter_bits;
			if (!(filter[bit / 64] >> bit % 64 & 1))
				return false;
		}
		return true;
	}
	void add_to_filter(const Digest &key)
	{
		for (int i = 0; i < 4; i++) {
			const std::size_t bit = load<std::uint32_t>(key.bytes.data() + 8 + 4 * i) % filter_bits;
			filter[bit / 64] |= std::uint64_t(1) << bit % 64;
		}
	}
	bool is_spilled(const Digest &key)
	{
		if (runs.empty() || !may_be_spilled(key))
			return false;
		return std::any_of(runs.begin(), runs.end(),
			[&](auto &run) { return run->find(ItemKind::chunk, key).has_value(); });
	}
	void grow()
	{
		LargeVector<Digest> old(slots.size() * (slots.size() < large_table ? 8 : 2));
		old.swap(slots);
		for (const Digest &key : old)
			if (!key.is_zero())
				slot_of(key) = key;
	}
	void spill(const std::string &directory)
	{
		std::erase_if(slots, [](const Digest &key) { return key.is_zero(); });
		std::sort(slots.begin(), slots.end());
		filter.resize(filter_bits / 64);
		File file = File::temporary_in(directory);
		std::size_t next = 0;
		write_run(file, {}, slots.size(), [&]() -> std::optional<RunRecord> {
			if (next == slots.size())
				return {};
			RunRecord record{};
			record.digest = slots[next++];
			record.kind = static_cast<std::uint8_t>(ItemKind::chunk);
			add_to_filter(record.digest);
			return record;
		});
		runs.push_back(std::make_unique<ChunkRun>(std::move(file)));
		slots.assign(table_limit, Digest());
		count = 0;
	}
};

ItemSet::ItemSet(std::string directory)
	: directory_(std::move(directory)), table_(std::make_unique<Table>())
{
}

ItemSet::~ItemSet() = default;

void ItemSet::clear()
{
	auto empty = std::make_unique<Table>();
	std::lock_guard guard(mutex_);
	table_.swap(empty);
}

bool ItemSet::insert(ItemKind kind, const Digest &digest)
{
	const Digest key = key_of(kind, digest);
	std::lock_guard guard(mutex_);
	Digest &slot = table_->slot_of(key);
	if (!slot.is_zero() || table_->is_spilled(key))
		return false;
	slot = key;
	if (++table_->count * 4 > table_->slots.size() * 3) {
		if (table_->slots.size() < table_limit)
			table_->grow();
		else
			table_->spill(directory_);
	}
	return true;
}

bool ItemSet::contains(ItemKind kind, const Digest &digest)
{
	const Digest key = key_of(kind, digest);
	std::lock_guard guard(mutex_);
	return !table_->slot_of(key).is_zero() || table_->is_spilled(key);
}

} // namespace dig
