// A header block of a tar archive: 512 bytes of text fields.
//
//       0 name 100 | 100 mode 8 | 108 owner 8 | 116 group 8 | 124 size 12 | 136 time 12 | 148 checksum 8
//     156 type  1  | 157 target of a link 100 | 257 magic 6 | 263 version 2 | 265 owner 32 | 297 group 32
//     329 device 16 | 345 prefix 155
//
// Numbers are octal text or, with the highest bit of the first byte set, binary with the highest byte
// first.  ustar and pax have a prefix, which goes in front of the name with a '/' between.  GNU has other
// fields there: at 386 four pieces of a sparse file, and how large it really is at 483.
#ifndef DIG_TAR_BLOCK_H
#define DIG_TAR_BLOCK_H

#include <array>
#include <optional>
#include <string>

#include "libdig/base/bytes.h"

namespace dig {

constexpr std::size_t tar_block_size = 512;
using TarBlock = std::array<std::uint8_t, tar_block_size>;

// Bytes of so much content, with those up to the end of its last block.
constexpr std::uint64_t whole_tar_blocks(std::uint64_t size)
{
	return (size + tar_block_size - 1) / tar_block_size * tar_block_size;
}

struct TarField {
	std::size_t offset, size;
};
namespace tar_field {
constexpr TarField name{0, 100}, mode{100, 8}, owner{108, 8}, group{116, 8}, size{124, 12}, time{136, 12},
	checksum{148, 8}, link_target{157, 100}, magic{257, 8}, prefix{345, 155}, gnu_real_size{483, 12};
constexpr std::size_t type = 156;
} // namespace tar_field

bool is_zero_tar_block(const TarBlock &block);
// Its checksum is right; the sum of signed bytes, which old programs wrote, counts, too.
bool is_tar_header(const TarBlock &block);

// The text up to its first NUL, or to the end of the field.
std::string_view tar_text(Bytes block, TarField field);
// Nothing for what is no number of 64 bits.  An empty field is 0.
std::optional<std::int64_t> tar_number(Bytes block, TarField field);

// The field holds the text as far as it fits.
void put_tar_text(TarBlock &block, TarField field, std::string_view text);
// In octal if it fits, else in binary.
void put_tar_number(TarBlock &block, TarField field, std::uint64_t number);
// The last thing to put.
void put_tar_checksum(TarBlock &block);

} // namespace dig

#endif
