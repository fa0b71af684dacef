#include "libdig/archive/tar_writer.h"

#include <algorithm>

#include "libdig/archive/pax_records.h"
#include "libdig/base/utf8.h"
#include "libdig/base/zeros.h"
#include "libdig/os/clock.h"

namespace dig {

constexpr std::uint64_t record_size = 20 * tar_block_size;
constexpr std::uint64_t octal_limit = 1ULL << 33; // eleven digits
constexpr std::string_view extended_name = "././@PaxHeader"; // as GNU tar and Python have it where it says nothing

std::string tar_map_number(std::uint64_t number) { return std::to_string(number) + '\n'; }

// A name that is not UTF-8 is said to be bytes, in front of it.
static void append_name(std::string &records, std::string_view key, std::string_view name)
{
	constexpr std::string_view key_of_bytes = "hdrcharset";
	if (!is_utf8(name) && records.find(key_of_bytes) == records.npos)
		append_pax_record(records, key_of_bytes, "BINARY");
	append_pax_record(records, key, name);
}

void TarWriter::write(Bytes bytes)
{
	written_ += bytes.size();
	write_(bytes);
}

// In the name, or divided between prefix and name; else as a record.
void TarWriter::put_name(TarBlock &block, const std::string &path, std::string &records) const
{
	if (path.size() <= tar_field::name.size)
		return put_tar_text(block, tar_field::name, path);
	const std::size_t first = path.size() - tar_field::name.size - 1;
	// A '/' at the end of a directory is none to divide at.
	const std::size_t slash = path.find('/', first);
	if (slash < path.size() - 1 && slash <= tar_field::prefix.size && slash > 0) {
		put_tar_text(block, tar_field::prefix, std::string_view(path).substr(0, slash));
		return put_tar_text(block, tar_field::name, std::string_view(path).substr(slash + 1));
	}
	put_tar_text(block, tar_field::name, path);
	append_name(records, "path", path);
}

void TarWriter::put_extended(const std::string &records)
{
	TarBlock block{};
	put_tar_text(block, tar_field::name, extended_name);
	put_tar_number(block, tar_field::mode, 0644);
	put_tar_number(block, tar_field::owner, 0);
	put_tar_number(block, tar_field::group, 0);
	put_tar_number(block, tar_field::size, records.size());
	put_tar_number(block, tar_field::time, 0);
	block[tar_field::type] = 'x';
	put_tar_text(block, tar_field::magic, std::string_view("ustar\00000", 8));
	put_tar_checksum(block);
	write(block);
	write(bytes_of(records));
	write(zero_bytes(whole_tar_blocks(records.size()) - records.size()));
}

void TarWriter::put(const Member &member, char type, std::uint64_t size, const std::string &target,
	std::string &records)
{
	TarBlock block{};
	put_name(block, member.path, records);
	put_tar_text(block, tar_field::link_target, target);
	if (target.size() > tar_field::link_target.size)
		append_name(records, "linkpath", target);
	if (size >= octal_limit)
		append_pax_record(records, "size", std::to_string(size));
	const std::int64_t seconds = seconds_of(member.mtime_ns);
	const bool is_plain = seconds >= 0 && static_cast<std::uint64_t>(seconds) < octal_limit;
	if (!is_plain || member.mtime_ns % nanoseconds_a_second != 0)
		append_pax_record(records, "mtime", pax_time_text(member.mtime_ns));
	if (!records.empty())
		put_extended(records);
	put_tar_number(block, tar_field::mode, member.mode);
	put_tar_number(block, tar_field::owner, 0);
	put_tar_number(block, tar_field::group, 0);
	put_tar_number(block, tar_field::size, size);
	put_tar_number(block, tar_field::time, is_plain ? static_cast<std::uint64_t>(seconds) : 0);
	block[tar_field::type] = static_cast<std::uint8_t>(type);
	put_tar_text(block, tar_field::magic, std::string_view("ustar\00000", 8));
	put_tar_checksum(block);
	write(block);
}

void TarWriter::begin_file(const Member &member, std::uint64_t size)
{
	std::string records;
	put(member, '0', size, {}, records);
}

void TarWriter::begin_sparse_file(const Member &member, std::uint64_t real_size, std::uint64_t stored_size)
{
	std::string records;
	append_pax_record(records, "GNU.sparse.major", "1");
	append_pax_record(records, "GNU.sparse.minor", "0");
	append_name(records, "GNU.sparse.name", member.path);
	append_pax_record(records, "GNU.sparse.realsize", std::to_string(real_size));
	// Who does not know such files gets map and data under another name.
	Member stored = member;
	const std::size_t slash = member.path.rfind('/');
	const std::size_t name = slash == member.path.npos ? 0 : slash + 1;
	stored.path.insert(name, "GNUSparseFile.0/");
	put(stored, '0', stored_size, {}, records);
}

void TarWriter::content(Bytes bytes) { write(bytes); }

void TarWriter::end_file() { write(zero_bytes(whole_tar_blocks(written_) - written_)); }

void TarWriter::symlink(const Member &member, const std::string &target)
{
	std::string records;
	put(member, '2', 0, target, records);
}

void TarWriter::directory(const Member &member)
{
	std::string records;
	Member named = member;
	named.path += '/';
	put(named, '5', 0, {}, records);
}

void TarWriter::finish()
{
	write(zero_bytes(2 * tar_block_size));
	write(zero_bytes((record_size - written_ % record_size) % record_size));
}

} // namespace dig
