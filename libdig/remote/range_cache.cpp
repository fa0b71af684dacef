// Parts are appended to a file until it has half of the limit; then the next file begins, and the one before the
// last is removed.  So the space is bounded, nothing is ever moved, and what was used long ago goes first.
//
// A record is its head, with a checksum of its own, and the bytes.  The end of a file may be torn: the records
// before it count, and whoever appends cuts it off.  Appending is under a lock, reading is not.
#include "libdig/remote/range_cache.h"

#include <algorithm>
#include <cstring>

#include "libdig/base/endian.h"
#include "libdig/base/error.h"
#include "libdig/os/directory.h"
#include "libdig/os/lock.h"

namespace dig {

struct PartHead {
	le32 magic;
	le32 size;
	le64 offset;
	Digest pack;
	le32 bytes_checksum;
	le32 checksum; // of the fields before
};
static_assert(sizeof(PartHead) == 56);
constexpr std::uint32_t part_magic = 0x43474944;
constexpr std::string_view segment_prefix = "parts-";

static MutableBytes bytes_of_head(PartHead &head)
{
	return {reinterpret_cast<std::uint8_t *>(&head), sizeof head};
}

static std::uint32_t checksum_of(PartHead &head)
{
	return crc32_of(Bytes(bytes_of_head(head)).first(sizeof head - sizeof head.checksum));
}

static std::vector<std::uint64_t> segments_in(const std::string &directory)
{
	std::vector<std::uint64_t> numbers;
	if (!find_stat(directory))
		return numbers;
	for (const std::string &name : names_in(directory)) {
		const std::string digits = name.substr(std::min(name.size(), segment_prefix.size()));
		if (name.starts_with(segment_prefix) && !digits.empty() && digits.size() < 16 &&
			digits.find_first_not_of("0123456789") == digits.npos)
			numbers.push_back(std::stoull(digits));
	}
	std::sort(numbers.begin(), numbers.end());
	return numbers;
}

void RangeCache::open_segment(std::uint64_t number)
{
	std::optional<File> file = File::find(path_of(number));
	if (!file)
		return;
	segments_.push_back({number, std::move(*file)});
	scan(std::prev(segments_.end()));
}

// New files, and what others have appended.
void RangeCache::look()
{
	const std::vector<std::uint64_t> numbers = segments_in(directory_);
	for (auto i = segments_.begin(); i != segments_.end();) {
		const auto segment = i++;
		if (std::find(numbers.begin(), numbers.end(), segment->number) == numbers.end())
			forget(segment);
		else
			scan(segment);
	}
	for (const std::uint64_t number : numbers)
		if (segments_.empty() || segments_.back().number < number)
			open_segment(number);
	was_opened_ = true;
}

void RangeCache::scan(std::list<Segment>::iterator segment)
{
	const std::uint64_t size = segment->file.size();
	PartHead head;
	while (segment->end + sizeof head <= size) {
		segment->file.read_exactly_at(bytes_of_head(head), segment->end);
		const std::uint64_t place = segment->end + sizeof head;
		if (head.magic != part_magic || head.checksum != checksum_of(head) || head.size > size - place)
			return;
		parts_[{head.pack, head.offset}] = {segment, place, head.size, head.bytes_checksum};
		segment->end = place + head.size;
	}
}

void RangeCache::forget(std::list<Segment>::iterator segment)
{
	std::erase_if(parts_, [&](const auto &part) { return part.second.segment == segment; });
	segments_.erase(segment);
}

// Once; later only what is asked for is read.
bool RangeCache::is_intact(Part &part) const
{
	if (part.is_compared)
		return true;
	Buffer bytes(part.size);
	part.segment->file.read_exactly_at(bytes, part.place);
	return part.is_compared = crc32_of(bytes) == part.checksum;
}

bool RangeCache::read(const Digest &pack, MutableBytes buffer, std::uint64_t offset)
{
	if (limit_ == 0)
		return false;
	std::lock_guard guard(mutex_);
	try {
		if (!was_opened_)
			look();
		// The last part that begins at or before the offset; a larger one may lie before it.
		auto part = parts_.upper_bound({pack, offset});
		for (int tries = 0; tries < 8 && part != parts_.begin(); tries++) {
			--part;
			if (part->first.first != pack)
				return false;
			const std::uint64_t before = offset - part->first.second;
			if (before > part->second.size || buffer.size() > part->second.size - before)
				continue;
			if (!is_intact(part->second)) {
				parts_.erase(part);
				return false;
			}
			part->second.segment->file.read_exactly_at(buffer, part->second.place + before);
			return true;
		}
	} catch (const Error &) {
		is_broken_ = true;
		parts_.clear();
	}
	return false;
}

void RangeCache::add(const Digest &pack, Bytes bytes, std::uint64_t offset)
{
	std::lock_guard guard(mutex_);
	if (is_broken_ || bytes.size() > limit_ / 4)
		return;
	try {
		append_record(pack, bytes, offset);
	} catch (const Error &) {
		// A full disk, or one that cannot be written.
		is_broken_ = true;
	}
}

void RangeCache::distrust(const Digest &pack, std::uint64_t offset, std::uint64_t size)
{
	std::lock_guard guard(mutex_);
	std::erase_if(parts_, [&](const auto &part) {
		const std::uint64_t begin = part.first.second;
		return part.first.first == pack && begin < offset + size && offset < begin + part.second.size;
	});
}

void RangeCache::append_record(const Digest &pack, Bytes bytes, std::uint64_t offset)
{
	make_directory(directory_);
	const Lock lock = Lock::acquire(directory_ + "/lock");
	look();
	PartHead head{};
	head.magic = part_magic;
	head.size = static_cast<std::uint32_t>(bytes.size());
	head.offset = offset;
	head.pack = pack;
	head.bytes_checksum = crc32_of(bytes);
	head.checksum = checksum_of(head);
	std::uint64_t number = segments_.empty() ? 1 : segments_.back().number;
	if (!segments_.empty() && segments_.back().end + sizeof head + bytes.size() > limit_ / 2) {
		number++;
		for (const std::uint64_t other : segments_in(directory_))
			if (other + 1 < number)
				remove_file_if_there(path_of(other));
	}
	const File file = File::open_with(path_of(number), O_WRONLY | O_CREAT);
	const bool is_last = !segments_.empty() && segments_.back().number == number;
	const std::uint64_t end = is_last ? segments_.back().end : 0;
	if (file.size() > end)
		file.truncate(end);
	Buffer record(sizeof head);
	std::memcpy(record.data(), &head, sizeof head);
	append(record, bytes);
	file.write_at(record, end);
	look();
}

} // namespace dig
