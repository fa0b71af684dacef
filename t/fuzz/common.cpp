#include <cstring>
#include <stdexcept>
#include <sys/mman.h>

#include "libdig/base/digest.h"
#include "libdig/format/store_format.h"
#include "t/fuzz/fuzz.h"

namespace dig {

const std::vector<FuzzTarget> &fuzz_targets()
{
	static const std::vector<FuzzTarget> all = [] {
		std::vector<FuzzTarget> targets = format_targets;
		targets.insert(targets.end(), staging_targets.begin(), staging_targets.end());
		targets.insert(targets.end(), text_targets.begin(), text_targets.end());
		targets.insert(targets.end(), fetch_targets.begin(), fetch_targets.end());
		targets.insert(targets.end(), remote_targets.begin(), remote_targets.end());
		targets.insert(targets.end(), proof_targets.begin(), proof_targets.end());
		return targets;
	}();
	return all;
}

void require(bool condition, const char *what)
{
	if (!condition)
		throw std::logic_error(what);
}

File file_of(Bytes bytes)
{
	File file(::memfd_create("input", MFD_CLOEXEC), "input");
	file.write_at(bytes, 0);
	return file;
}

std::string path_of(const File &file) { return "/proc/self/fd/" + std::to_string(file.fd()); }

void repair_checksum(Buffer &bytes, std::size_t begin, std::size_t end, std::size_t at)
{
	if (begin > end || end > bytes.size() || at > bytes.size() || bytes.size() - at < 4)
		return;
	const std::uint32_t checksum = crc32_of(Bytes(bytes).subspan(begin, end - begin));
	std::memcpy(bytes.data() + at, &checksum, 4);
}

void repair_preamble(Buffer &bytes) { repair_checksum(bytes, 0, sizeof(Preamble) - 4, sizeof(Preamble) - 4); }

std::uint64_t number_at(const Buffer &bytes, std::uint64_t offset, std::size_t size)
{
	std::uint64_t number = 0;
	if (offset <= bytes.size() && bytes.size() - offset >= size)
		std::memcpy(&number, bytes.data() + offset, size);
	return number;
}

void repair_sealed(Buffer &bytes)
{
	repair_preamble(bytes);
	if (bytes.size() >= 4)
		repair_checksum(bytes, 0, bytes.size() - 4, bytes.size() - 4);
}

} // namespace dig
