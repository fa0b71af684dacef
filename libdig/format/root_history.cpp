//     preamble | u64 count | { layer id (32) | root (32) } for each generation | CRC-32
//
// 64 bytes for each commit: a thousand commits take 64 KB, so the file is read and replaced as a
// whole.  A file that is appended to could end within a record after a crash, and readers, who take
// no lock, would have to tell that from damage.
//
// The file is kept as it is read, since copying it would cost as much as reading it.  It is shared and never
// changed.  A reader that holds a history keeps it while a commit in
// the same process goes on with a longer one.
#include "libdig/format/root_history.h"

#include <algorithm>
#include <bit>

namespace dig {

static_assert(alignof(RootHistory::Record) == 1);

RootHistory RootHistory::decode(Buffer file, std::string_view name)
{
	Cursor cursor(open_sealed_file(file, roots_magic, name), name, sizeof(Preamble));
	const std::uint64_t count = cursor.u64();
	const Bytes records = cursor.take(cursor.count(count, sizeof(Record)) * sizeof(Record));
	cursor.expect_end();
	RootHistory history;
	history.records_ = {reinterpret_cast<const Record *>(records.data()), count};
	history.file_ = std::make_shared<const Buffer>(std::move(file));
	return history;
}

RootHistory RootHistory::of(std::vector<Record> records)
{
	Buffer body;
	put_u64(body, records.size());
	dig::append(body, {reinterpret_cast<const std::uint8_t *>(records.data()), records.size() * sizeof(Record)});
	return decode(sealed_file(roots_magic, body), "roots");
}

const RootHistory::Record &RootHistory::at(std::uint64_t generation) const
{
	if (generation == 0 || generation > records_.size())
		throw CorruptError("there is no generation " + std::to_string(generation));
	return records_[generation - 1];
}

RootHistory::Remains RootHistory::salvage(Bytes file)
{
	constexpr std::size_t head = sizeof(Preamble) + 8, tail = 4;
	Remains remains;
	if (file.size() < head)
		return remains;
	remains.records.resize((file.size() - head) / sizeof(Record));
	if (!remains.records.empty())
		std::memcpy(remains.records.data(), file.data() + head, remains.records.size() * sizeof(Record));
	remains.is_whole = load<std::uint64_t>(file.data() + sizeof(Preamble)) == remains.records.size() &&
		(file.size() - head) % sizeof(Record) == tail;
	return remains;
}

bool RootHistory::is_consistent() const
{
	MerklePeaks peaks;
	for (const Record &record : records_) {
		peaks.append(leaf_hash(record.layer_id));
		if (root_of(peaks) != record.root)
			return false;
	}
	return true;
}

Buffer RootHistory::encoded() const
{
	return file_ ? *file_ : sealed_file(roots_magic, Buffer(8));
}

// 64 bits of a root, as its first 16 digits.
static std::uint64_t first_digits(const RootHistory::Record &record)
{
	std::uint64_t prefix = 0;
	for (std::size_t i = 0; i < 8; i++)
		prefix = prefix << 8 | static_cast<std::uint8_t>(record.root.bytes[i]);
	return prefix;
}

std::size_t RootHistory::unique_digits() const
{
	constexpr std::size_t least = 12;
	// Whether any two have the first digits in common: hardly ever, and a table tells it faster than sorting.
	std::vector<std::uint64_t> table(std::bit_ceil(2 * records_.size() + 1));
	bool is_any = false;
	for (const Record &record : records_) {
		const std::uint64_t digits = first_digits(record) >> 16 | std::uint64_t(1) << 63;
		std::size_t at = digits & (table.size() - 1);
		for (; table[at] && table[at] != digits; at = (at + 1) & (table.size() - 1))
			;
		is_any = is_any || table[at] == digits;
		table[at] = digits;
	}
	if (!is_any)
		return least;
	// The roots that have most digits in common are neighbours in sorted order.  Roots that share all
	// 16 are shown whole.
	std::vector<std::uint64_t> prefixes;
	for (const Record &record : records_)
		prefixes.push_back(first_digits(record));
	std::sort(prefixes.begin(), prefixes.end());
	std::size_t digits = least;
	for (std::size_t i = 1; i < prefixes.size(); i++) {
		const auto equal_bits = static_cast<std::size_t>(std::countl_zero(prefixes[i - 1] ^ prefixes[i]));
		digits = std::max(digits, equal_bits / 4 + 1);
	}
	return digits > 16 ? 2 * sizeof(Digest) : digits;
}

std::optional<std::uint64_t> RootHistory::find_layer(const Digest &layer_id) const
{
	for (std::uint64_t i = records_.size(); i-- > 0;)
		if (records_[i].layer_id == layer_id)
			return i + 1;
	return {};
}

MerklePeaks RootHistory::peaks() const
{
	MerklePeaks peaks;
	for (const Record &record : records_)
		peaks.append(leaf_hash(record.layer_id));
	return peaks;
}

void RootHistory::append(const Digest &layer_id, MerklePeaks peaks)
{
	peaks.append(leaf_hash(layer_id));
	std::vector<Record> longer(records_.begin(), records_.end());
	longer.push_back({layer_id, root_of(peaks)});
	*this = of(std::move(longer));
}

} // namespace dig
