// How much is read at once.  A header is one block, and a read of its own for each would cost two system
// calls a small file.  So read_content() reads the content, the rest of its last block and the next header
// together: there is a next header, or an end, in every archive that is whole.  Nothing is read further, so
// the content of a large file can be read from the descriptor by others.
//
// A sparse file stands in an archive in one of four ways.  The oldest, of GNU tar (type S), has four pieces
// in the header, and more in blocks behind it.  With pax there are three versions: 0.0 has two records for
// each piece, 0.1 has one record with all of them, and 1.0 has them as text in front of the content.  A map
// has to be in order, without overlaps, within the size of the file, and its pieces together have to be what
// the archive holds of it.  Otherwise the archive is damaged: what would come out of it is no file of
// anybody.
//
// star and Solaris write sparse files in ways of their own.  Their members look like files that are shorter;
// they are told as unreadable.
#include "libdig/archive/tar_reader.h"

#include <algorithm>
#include <limits>

#include "libdig/archive/pax_records.h"
#include "libdig/base/error.h"
#include "libdig/os/clock.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::uint64_t most_extended = 8_MiB;
constexpr std::uint64_t most_content = std::numeric_limits<std::int64_t>::max() - 2 * tar_block_size;
constexpr std::size_t passed_at_once = 256_KiB;

TarReader::TarReader(const File &input, std::string directory) : input_(input), map_(std::move(directory)) {}

void TarReader::fail(const std::string &what, std::uint64_t offset) const
{
	throw CorruptError(what, input_.name(), offset);
}

void TarReader::fail_short(const std::string &path) const
{
	throw CorruptError("the archive " + quote(input_.name()) + " ends inside " + quote(path));
}

void TarReader::read_exactly(MutableBytes bytes)
{
	check_interrupted();
	const std::size_t n = input_.read(bytes);
	offset_ += n;
	if (n < bytes.size())
		fail("the archive ends too early", offset_);
}

// A zero block is the end of an archive, and another one follows it.  False there.
bool TarReader::read_header()
{
	header_offset_ = offset_ - (has_block_ ? tar_block_size : 0);
	if (!has_block_) {
		const std::size_t n = input_.read(block_);
		offset_ += n;
		if (n == 0 && !has_begun_)
			throw CorruptError(quote(input_.name()) + " is empty, and no tar archive");
		if (n < block_.size() && !has_begun_)
			check_compression();
		if (n < block_.size() && !has_begun_)
			throw CorruptError(quote(input_.name()) + " is no tar archive: it is too short");
		if (n < block_.size())
			fail("the archive ends without its end mark", offset_);
	}
	has_block_ = false;
	if (!has_begun_)
		check_first_block();
	has_begun_ = true;
	if (is_zero_tar_block(block_))
		return false;
	if (!is_tar_header(block_))
		fail("the checksum of a header is wrong");
	return true;
}

void TarReader::check_compression() const
{
	struct Magic {
		std::string_view bytes;
		const char *program;
	};
	constexpr Magic compressed[] = {{"\x1f\x8b", "gzip"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\xfd""7zXZ", "xz"},
		{"BZh", "bzip2"}, {"\x04\x22\x4d\x18", "lz4"}, {"LZIP", "lzip"}, {"\x1f\x9d", "compress"}};
	for (const Magic &magic : compressed)
		if (text_of(block_).starts_with(magic.bytes))
			throw Error(quote(input_.name()) + " is compressed by " + magic.program + "; pass on what '" +
				magic.program + " -dc' makes of it");
}

void TarReader::check_first_block() const
{
	if (is_zero_tar_block(block_) || is_tar_header(block_))
		return;
	check_compression();
	throw CorruptError(quote(input_.name()) + " is no tar archive: the checksum of its first block is wrong");
}

std::uint64_t TarReader::number(TarField field, const char *name) const
{
	const std::optional<std::int64_t> value = tar_number(block_, field);
	if (!value || *value < 0)
		fail(std::string("the ") + name + " of a member is no number of bytes");
	return static_cast<std::uint64_t>(*value);
}

bool TarReader::next(TarMember &member)
{
	if (has_ended_)
		return false;
	pass_over(stored_left_ + padding_);
	stored_left_ = padding_ = 0;
	next_ = Attributes();
	for (;;) {
		if (!read_header()) {
			has_ended_ = true;
			return false;
		}
		const char type = static_cast<char>(block_[tar_field::type]);
		const std::uint64_t size = number(tar_field::size, "size");
		if (type == 'g')
			take_extended(all_, size);
		else if (type == 'x' || type == 'X')
			take_extended(next_, size);
		else if (type == 'L')
			next_.path = read_text(size);
		else if (type == 'K')
			next_.target = read_text(size);
		else {
			describe(member, size);
			return true;
		}
	}
}

// Of GNU tar: a long name with a NUL behind it.
std::string TarReader::read_text(std::uint64_t size)
{
	if (size > most_extended)
		fail("a name has " + std::to_string(size) + " bytes");
	scratch_.resize(whole_tar_blocks(size));
	read_exactly(scratch_);
	const std::string_view text = text_of(Bytes(scratch_).first(size));
	return std::string(text.substr(0, text.find('\0')));
}

void TarReader::take_extended(Attributes &attributes, std::uint64_t size)
{
	if (size > most_extended)
		fail("an extended header has " + std::to_string(size) + " bytes; this dig takes up to 8 MiB");
	scratch_.resize(whole_tar_blocks(size));
	read_exactly(scratch_);
	const std::string_view text = text_of(Bytes(scratch_).first(size));
	const auto take = [&](std::string_view key, std::string_view value) { take_attribute(attributes, key, value); };
	if (!each_pax_record(text, take))
		fail("an extended header is not made of records");
	if (scratch_.capacity() > passed_at_once)
		Buffer().swap(scratch_);
}

// A record without a value takes back what a header before it said.
void TarReader::take_attribute(Attributes &attributes, std::string_view key, std::string_view value) const
{
	const auto size_of = [&]() -> std::optional<std::uint64_t> {
		if (value.empty())
			return {};
		const std::optional<std::uint64_t> size = pax_number(value, most_content);
		if (!size)
			fail("the record " + quote(key) + " of an extended header is no number of bytes");
		return size;
	};
	const auto text = [&] { return value.empty() ? std::nullopt : std::optional<std::string>(value); };
	if (key == "path") {
		attributes.path = text();
	} else if (key == "linkpath") {
		attributes.target = text();
	} else if (key == "size") {
		attributes.size = size_of();
	} else if (key == "mtime" && value.empty()) {
		attributes.mtime_ns.reset();
	} else if (key == "mtime") {
		attributes.mtime_ns = pax_time(value);
		if (!attributes.mtime_ns)
			fail("the time in an extended header is no number");
	} else if (key == "SCHILY.realsize" || key == "SUN.holesdata") {
		attributes.is_foreign_sparse = true;
	} else if (key.starts_with("GNU.sparse.")) {
		key.remove_prefix(std::string_view("GNU.sparse.").size());
		attributes.is_sparse = true;
		if (key == "name")
			attributes.sparse_name = value;
		else if (key == "size" || key == "realsize")
			attributes.real_size = size_of();
		else if (key == "major")
			attributes.major = size_of().value_or(0);
		else if (key == "minor")
			attributes.minor = size_of().value_or(0);
		else if (key == "map")
			attributes.map = value;
		else if (key == "offset" || key == "numbytes")
			attributes.map += (attributes.map.empty() ? "" : ",") + std::string(value);
	}
}

void TarReader::describe(TarMember &member, std::uint64_t size)
{
	member = TarMember();
	member.offset = header_offset_;
	if (const std::optional<std::uint64_t> said = next_.size ? next_.size : all_.size)
		size = *said;
	if (size > most_content)
		fail("the size of a member is too large");
	member.mode = static_cast<std::uint16_t>(tar_number(block_, tar_field::mode).value_or(0) & 07777);
	const std::optional<std::int64_t> seconds = tar_number(block_, tar_field::time);
	if (!seconds)
		fail("the time of a member is no number");
	member.mtime_ns = nanoseconds_of({static_cast<time_t>(*seconds), 0});
	if (const std::optional<std::int64_t> said = next_.mtime_ns ? next_.mtime_ns : all_.mtime_ns)
		member.mtime_ns = *said;
	set_names(member);
	set_kind(member);
	begin_content(member, size);
}

void TarReader::set_names(TarMember &member)
{
	member.path = tar_text(block_, tar_field::name);
	const std::string_view magic = text_of(Bytes(block_).subspan(tar_field::magic.offset, tar_field::magic.size));
	// GNU's own format has other fields in its place.
	if (magic.starts_with(std::string_view("ustar\0", 6)))
		if (const std::string_view prefix = tar_text(block_, tar_field::prefix); !prefix.empty())
			member.path = std::string(prefix) + '/' + member.path;
	member.target = tar_text(block_, tar_field::link_target);
	if (const std::optional<std::string> &path = next_.path ? next_.path : all_.path)
		member.path = *path;
	if (next_.sparse_name)
		member.path = *next_.sparse_name;
	if (const std::optional<std::string> &target = next_.target ? next_.target : all_.target)
		member.target = *target;
}

void TarReader::set_kind(TarMember &member)
{
	using Kind = TarMember::Kind;
	const char type = static_cast<char>(block_[tar_field::type]);
	switch (type) {
	case '\0':
	case '0':
	case '7':
	case 'S':
		// Before there was a type for it, a name that ends with '/' was a directory.
		member.kind = member.path.ends_with('/') ? Kind::directory : Kind::file;
		break;
	case '1': member.kind = Kind::hard_link; break;
	case '2': member.kind = Kind::symlink; break;
	case '3': member.what = "character device"; break;
	case '4': member.what = "block device"; break;
	case '5':
	case 'D': member.kind = Kind::directory; break; // D has a list of names as content
	case '6': member.what = "FIFO"; break;
	case 'V': member.kind = Kind::ignored; break;
	case 'M':
		member.kind = Kind::unreadable;
		member.what = "the rest of a file that begins in another volume";
		break;
	default:
		member.kind = Kind::unreadable;
		member.what = "a member of the type " + quote(std::string(1, type)) + ", which this dig does not know";
	}
	if (type >= '3' && type <= '6' && type != '5')
		member.kind = Kind::special;
	if (member.kind == Kind::file && next_.is_foreign_sparse && !next_.is_sparse) {
		member.kind = Kind::unreadable;
		member.what = "a file with holes, in the format of star or Solaris, which this dig does not know";
	}
}

void TarReader::begin_content(TarMember &member, std::uint64_t size)
{
	using Kind = TarMember::Kind;
	// These have none, whatever the size says; old programs wrote that of the file.
	if (member.kind == Kind::hard_link || member.kind == Kind::symlink || member.kind == Kind::special)
		size = 0;
	if (member.kind == Kind::directory && block_[tar_field::type] == '5')
		size = 0;
	stored_left_ = size;
	padding_ = whole_tar_blocks(size) - size;
	real_size_ = size;
	at_ = 0;
	piece_.reset();
	mapped_ = mapped_end_ = 0;
	const bool is_old = block_[tar_field::type] == 'S';
	is_sparse_ = member.kind == Kind::file && (is_old || next_.is_sparse);
	member.has_holes = is_sparse_;
	if (is_sparse_) {
		map_.clear();
		if (is_old) {
			read_old_map(number(tar_field::gnu_real_size, "size"));
		} else {
			if (!next_.real_size || next_.major > 1 || next_.minor > (next_.major == 0 ? 1U : 0U))
				fail("a file with holes is of a version that this dig does not know");
			if (next_.major == 1)
				read_map_in_content(*next_.real_size);
			else
				take_map_text(next_.map, *next_.real_size);
		}
		if (mapped_ != stored_left_)
			fail("the map of " + quote(member.path) + " has other bytes than its content");
		piece_ = map_.next();
	}
	member.size = real_size_;
}

void TarReader::put_piece(std::uint64_t offset, std::uint64_t size, std::uint64_t real_size)
{
	if (offset > real_size || size > real_size - offset)
		fail("the map of a file with holes goes beyond its end");
	// An empty one only tells where the file ends.
	if (size == 0)
		return;
	if (offset < mapped_end_)
		fail("the map of a file with holes has pieces that overlap");
	map_.put({offset, size});
	mapped_ += size;
	mapped_end_ = offset + size;
}

void TarReader::read_old_map(std::uint64_t real_size)
{
	real_size_ = real_size;
	const auto take = [&](std::size_t begin, std::size_t count) {
		for (std::size_t i = 0; i < count; i++) {
			const TarField offset{begin + 24 * i, 12}, size{begin + 24 * i + 12, 12};
			if (block_[offset.offset] == 0)
				return;
			put_piece(number(offset, "map"), number(size, "map"), real_size);
		}
	};
	take(386, 4);
	bool goes_on = block_[482] != 0;
	while (goes_on) {
		read_exactly(block_);
		take(0, 21);
		goes_on = block_[504] != 0;
	}
}

// Version 1.0: lines with numbers, of pieces, then offset and size of each; up to the end of a block.
void TarReader::read_map_in_content(std::uint64_t real_size)
{
	real_size_ = real_size;
	std::optional<std::uint64_t> left;
	std::uint64_t offset = 0;
	bool has_offset = false;
	std::string digits;
	TarBlock text;
	while (!left || *left > 0) {
		if (stored_left_ < text.size())
			fail("the map of a file with holes does not end");
		read_exactly(text);
		stored_left_ -= text.size();
		for (const std::uint8_t byte : text) {
			if (left && *left == 0)
				break;
			if (byte != '\n') {
				digits += static_cast<char>(byte);
				if (digits.size() > 20)
					fail("the map of a file with holes is wrong");
				continue;
			}
			const std::optional<std::uint64_t> value = pax_number(digits, most_content);
			digits.clear();
			if (!value)
				fail("the map of a file with holes is wrong");
			if (!left) {
				left = *value;
			} else if (!has_offset) {
				offset = *value;
				has_offset = true;
			} else {
				put_piece(offset, *value, real_size);
				has_offset = false;
				--*left;
			}
		}
	}
}

void TarReader::take_map_text(std::string_view text, std::uint64_t real_size)
{
	real_size_ = real_size;
	std::uint64_t offset = 0;
	bool has_offset = false;
	while (!text.empty()) {
		const std::size_t comma = std::min(text.find(','), text.size());
		const std::optional<std::uint64_t> value = pax_number(text.substr(0, comma), most_content);
		text.remove_prefix(std::min(comma + 1, text.size()));
		if (!value)
			fail("the map of a file with holes is wrong");
		if (has_offset)
			put_piece(offset, *value, real_size);
		offset = *value;
		has_offset = !has_offset;
	}
	if (has_offset)
		fail("the map of a file with holes is wrong");
}

TarExtent TarReader::next_extent()
{
	TarExtent extent;
	if (!is_sparse_) {
		extent.size = real_size_ - at_;
	} else if (piece_ && piece_->offset == at_) {
		extent.size = piece_->size;
		piece_ = map_.next();
	} else {
		extent.size = (piece_ ? piece_->offset : real_size_) - at_;
		extent.is_hole = true;
	}
	at_ += extent.size;
	if (!extent.is_hole) {
		stored_left_ -= extent.size;
		offset_ += extent.size;
	}
	return extent;
}

void TarReader::read_content(MutableBytes content)
{
	if (is_sparse_) {
		for (TarExtent extent = next_extent(); extent.size > 0; extent = next_extent()) {
			const MutableBytes to = content.first(extent.size);
			content = content.subspan(extent.size);
			if (extent.is_hole) {
				std::fill(to.begin(), to.end(), std::uint8_t(0));
			} else {
				offset_ -= to.size();
				read_exactly(to);
			}
		}
		return;
	}
	const std::size_t wanted = content.size() + padding_ + tar_block_size;
	scratch_.resize(std::max(scratch_.size(), wanted));
	check_interrupted();
	const std::size_t n = input_.read(MutableBytes(scratch_).first(wanted));
	offset_ += n;
	if (n < content.size() + padding_)
		fail("the archive ends too early", offset_);
	std::copy_n(scratch_.begin(), content.size(), content.begin());
	at_ = content.size();
	stored_left_ = 0;
	padding_ = 0;
	// The content is whole.  Who asks for the next member hears that there is no header.
	has_block_ = n == wanted;
	if (has_block_)
		std::copy_n(scratch_.begin() + static_cast<std::ptrdiff_t>(wanted - tar_block_size), tar_block_size,
			block_.begin());
}

void TarReader::pass_over(std::uint64_t size)
{
	if (size == 0)
		return;
	scratch_.resize(std::max(scratch_.size(), std::size_t(std::min<std::uint64_t>(size, passed_at_once))));
	while (size > 0) {
		const std::size_t piece = std::min<std::uint64_t>(size, scratch_.size());
		read_exactly(MutableBytes(scratch_).first(piece));
		size -= piece;
	}
}

void TarReader::read_to_end()
{
	scratch_.resize(passed_at_once);
	do
		check_interrupted();
	while (input_.read_some(scratch_) > 0);
}

} // namespace dig
