#include "libdig/root_history.h"

#include <algorithm>

namespace dig {

RootHistory RootHistory::decode(Bytes file, std::string_view name)
{
	Cursor cursor(open_sealed_file(file, roots_magic, name), name, sizeof(Preamble));
	RootHistory history;
	const std::uint64_t count = cursor.u64();
	history.records_.resize(cursor.count(count, sizeof(Record)));
	if (count)
		std::memcpy(history.records_.data(), cursor.take(count * sizeof(Record)).data(),
			count * sizeof(Record));
	cursor.expect_end();
	return history;
}

Buffer RootHistory::encoded() const
{
	Buffer body;
	put_u64(body, records_.size());
	append_records(body);
	return sealed_file(roots_magic, body);
}

void RootHistory::append_records(Buffer &out) const
{
	const auto *raw = reinterpret_cast<const std::uint8_t *>(records_.data());
	out.insert(out.end(), raw, raw + records_.size() * sizeof(Record));
}

std::optional<std::uint64_t> RootHistory::find_root(const Digest &root) const
{
	for (std::uint64_t i = records_.size(); i-- > 0;)
		if (records_[i].root == root)
			return i + 1;
	return {};
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
	records_.push_back({layer_id, root_of(peaks)});
}

} // namespace dig
