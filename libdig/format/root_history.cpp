//     preamble | u64 count | { layer id (32) | root (32) } for each generation | CRC-32
//
// 64 bytes for each commit: a thousand commits take 64 KB, so the file is read and replaced as a
// whole.  A file that is appended to could end within a record after a crash, and readers, who take
// no lock, would have to tell that from damage.
//
// Records are shared and never changed.  A reader that holds a history keeps it while a commit in
// the same process goes on with a longer one.
#include "libdig/format/root_history.h"

#include <algorithm>
#include <bit>

namespace dig {

RootHistory RootHistory::decode(Bytes file, std::string_view name)
{
	Cursor cursor(open_sealed_file(file, roots_magic, name), name, sizeof(Preamble));
	const std::uint64_t count = cursor.u64();
	std::vector<Record> records(cursor.count(count, sizeof(Record)));
	if (count)
		std::memcpy(records.data(), cursor.take(count * sizeof(Record)).data(), count * sizeof(Record));
	cursor.expect_end();
	return of(std::move(records));
}

RootHistory RootHistory::of(std::vector<Record> records)
{
	RootHistory history;
	history.records_ = std::make_shared<std::vector<Record>>(std::move(records));
	return history;
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
	for (const Record &record : *records_) {
		peaks.append(leaf_hash(record.layer_id));
		if (root_of(peaks) != record.root)
			return false;
	}
	return true;
}

Buffer RootHistory::encoded() const
{
	Buffer body;
	put_u64(body, records_->size());
	dig::append(body, {reinterpret_cast<const std::uint8_t *>(records_->data()), records_->size() * sizeof(Record)});
	return sealed_file(roots_magic, body);
}

std::size_t RootHistory::unique_digits() const
{
	// The roots that have most digits in common are neighbours in sorted order.  64 bits of each
	// root are compared, which is 16 digits; roots that share all of these are shown whole.
	constexpr std::size_t least = 12;
	std::vector<std::uint64_t> prefixes;
	for (const Record &record : *records_) {
		std::uint64_t prefix = 0;
		for (std::size_t i = 0; i < 8; i++)
			prefix = prefix << 8 | static_cast<std::uint8_t>(record.root.bytes[i]);
		prefixes.push_back(prefix);
	}
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
	for (std::uint64_t i = records_->size(); i-- > 0;)
		if ((*records_)[i].layer_id == layer_id)
			return i + 1;
	return {};
}

MerklePeaks RootHistory::peaks() const
{
	MerklePeaks peaks;
	for (const Record &record : *records_)
		peaks.append(leaf_hash(record.layer_id));
	return peaks;
}

void RootHistory::append(const Digest &layer_id, MerklePeaks peaks)
{
	peaks.append(leaf_hash(layer_id));
	std::vector<Record> longer = *records_;
	longer.push_back({layer_id, root_of(peaks)});
	*this = of(std::move(longer));
}

} // namespace dig
