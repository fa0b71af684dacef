// The members of a tar archive, one after the other, from a file or a pipe: as written by GNU tar (gnu,
// pax, ustar, old), bsdtar, star without its own sparse files, Python, and what git archive makes.
//
//     TarReader archive(input, directory);
//     while (archive.next(member))
//         while (const TarExtent extent = archive.next_extent(); extent.size > 0)
//             ... extent.size zeros, or so many bytes that are read from input
//
// Nothing is read beyond what is asked for, so that the content of a member can be read by somebody else,
// from the same descriptor.  Memory is bounded, whatever the archive says: an extended header has at most
// 8 MiB, and the map of a sparse file goes to disk.
//
// Names are bytes, and are given as they stand in the archive.  Whether they may be used is for the caller.
#ifndef DIG_TAR_READER_H
#define DIG_TAR_READER_H

#include <optional>
#include <string>

#include "libdig/archive/sparse_map.h"
#include "libdig/archive/tar_block.h"

namespace dig {

struct TarMember {
	enum class Kind : std::uint8_t {
		file, symlink, hard_link, directory,
		special,    // device or FIFO: what says which
		unreadable, // what this reader does not know how to read: what says it
		ignored     // the label of a volume and the like
	};
	Kind kind = Kind::file;
	std::string path;
	std::string target; // of a link
	std::string what;
	std::uint16_t mode = 0; // 12 bits
	std::int64_t mtime_ns = 0;
	std::uint64_t size = 0; // of a file, with its holes
	bool has_holes = false;
	std::uint64_t offset = 0; // of its header in the archive
};

struct TarExtent {
	std::uint64_t size = 0; // 0 behind the last one
	bool is_hole = false;
};

class TarReader {
public:
	// input is read from where it stands, and must outlive this.  Maps that are too large for memory go to
	// files without a name in the directory.
	TarReader(const File &input, std::string directory);

	// The next member; false at the end of the archive.  What was not taken of the member before is passed
	// over.  CorruptError for what is no archive, is damaged, or ends too early; Error for one that is
	// compressed.
	bool next(TarMember &member);

	// What comes next of the member's content.  The caller reads exactly the bytes of an extent that is no
	// hole from the input, before the next call of anything.
	TarExtent next_extent();
	// All content of a member of so many bytes at most, instead of its extents.
	void read_content(MutableBytes content);
	// The input has ended inside the content that the caller was to read.
	[[noreturn]] void fail_short(const std::string &path) const;

	// Reads what is behind the end of the archive, so that the writer of a pipe can end.
	void read_to_end();

private:
	// What extended headers say, of all members or of the next one.
	struct Attributes {
		std::optional<std::string> path, target, sparse_name;
		std::optional<std::uint64_t> size, real_size;
		std::optional<std::int64_t> mtime_ns;
		std::string map; // "offset,size,offset,size"
		std::uint64_t major = 0, minor = 0;
		bool is_sparse = false, is_foreign_sparse = false;
	};

	[[noreturn]] void fail(const std::string &what, std::uint64_t offset) const;
	[[noreturn]] void fail(const std::string &what) const { fail(what, header_offset_); }
	void read_exactly(MutableBytes bytes);
	bool read_header();
	void check_first_block() const;
	void check_compression() const;
	std::uint64_t number(TarField field, const char *name) const;
	std::string read_text(std::uint64_t size);
	void take_extended(Attributes &attributes, std::uint64_t size);
	void take_attribute(Attributes &attributes, std::string_view key, std::string_view value) const;
	void describe(TarMember &member, std::uint64_t size);
	void set_names(TarMember &member);
	void set_kind(TarMember &member);
	void begin_content(TarMember &member, std::uint64_t size);
	void read_old_map(std::uint64_t real_size);
	void read_map_in_content(std::uint64_t real_size);
	void take_map_text(std::string_view text, std::uint64_t real_size);
	void put_piece(std::uint64_t offset, std::uint64_t size, std::uint64_t real_size);
	void pass_over(std::uint64_t size);

	const File &input_;
	TarBlock block_{};
	bool has_block_ = false; // the next header was read already
	bool has_begun_ = false, has_ended_ = false;
	std::uint64_t offset_ = 0, header_offset_ = 0; // of the next byte; of the header
	Attributes all_, next_;

	// Of the content of the member.
	std::uint64_t stored_left_ = 0; // bytes in the archive, without those up to the end of the block
	std::uint64_t padding_ = 0;
	std::uint64_t real_size_ = 0, at_ = 0; // at_: up to here extents were given
	bool is_sparse_ = false;
	SparseMap map_;
	std::uint64_t mapped_ = 0, mapped_end_ = 0; // bytes of data in the map, and where the last of them ends
	std::optional<SparseMap::Piece> piece_;
	Buffer scratch_;
};

} // namespace dig

#endif
