#include "libdig/store/record_log.h"

#include <algorithm>
#include <optional>

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/format/layer_format.h"

namespace dig {

constexpr std::size_t window_size = 256_KiB;

// Parts of a file, read in windows: a record may be long, and there may be many.
class Windows {
public:
	explicit Windows(const File &file) : file_(file), size_(file.size()) {}

	// Until the next call; nothing behind the end.
	std::optional<Bytes> at(std::uint64_t offset, std::size_t size)
	{
		if (offset > size_ || size > size_ - offset)
			return {};
		if (offset < begin_ || offset + size > begin_ + window_.size()) {
			window_.resize(std::min<std::uint64_t>(size_ - offset, std::max(size, window_size)));
			file_.read_exactly_at(window_, offset);
			begin_ = offset;
		}
		return Bytes(window_).subspan(offset - begin_, size);
	}

private:
	const File &file_;
	std::uint64_t size_, begin_ = 0;
	Buffer window_;
};

std::uint64_t RecordLog::each(const File &file, const std::function<void(Bytes record)> &take) const
{
	Windows windows(file);
	const std::optional<Bytes> preamble = windows.at(0, sizeof(Preamble));
	if (!preamble)
		return 0;
	check_preamble(*preamble, magic_, file.name());
	std::uint64_t at = sizeof(Preamble);
	while (const std::optional<Bytes> head = windows.at(at, 4)) {
		const std::uint32_t size = load<std::uint32_t>(head->data());
		if (size < least_ || size > most_)
			break;
		const std::optional<Bytes> all = windows.at(at, 8 + std::size_t(size));
		if (!all)
			break;
		const Bytes record = all->subspan(4, size);
		if (crc32_of(record) != load<std::uint32_t>(record.data() + size))
			break;
		take(record);
		at += all->size();
	}
	return at;
}

std::uint64_t RecordLog::recover(const File &file, const std::function<void(Bytes record)> &take) const
{
	std::uint64_t end = 0;
	try {
		end = each(file, take);
	} catch (const Error &) {
		// Its beginning is damaged: it is written anew.
	}
	if (file.size() != end)
		file.truncate(end);
	return end;
}

std::uint64_t RecordLog::append(const File &file, std::uint64_t end, Bytes record) const
{
	Buffer bytes;
	if (end == 0)
		dig::append(bytes, raw_bytes(make_preamble(magic_)));
	put_u32(bytes, static_cast<std::uint32_t>(record.size()));
	dig::append(bytes, record);
	put_u32(bytes, crc32_of(record));
	file.write_at(bytes, end);
	return end + bytes.size();
}

} // namespace dig
