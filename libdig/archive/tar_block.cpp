#include "libdig/archive/tar_block.h"

#include <algorithm>

namespace dig {

bool is_zero_tar_block(const TarBlock &block)
{
	return std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; });
}

struct TarSums {
	std::int64_t of_unsigned = 0, of_signed = 0;
};

// The checksum counts as eight blanks.
static TarSums sums_of(const TarBlock &block)
{
	constexpr TarField own = tar_field::checksum;
	TarSums sums;
	for (std::size_t i = 0; i < block.size(); i++) {
		const std::uint8_t byte = i >= own.offset && i < own.offset + own.size ? ' ' : block[i];
		sums.of_unsigned += byte;
		sums.of_signed += static_cast<std::int8_t>(byte);
	}
	return sums;
}

bool is_tar_header(const TarBlock &block)
{
	const std::optional<std::int64_t> said = tar_number(block, tar_field::checksum);
	const TarSums sums = sums_of(block);
	return said && (*said == sums.of_unsigned || *said == sums.of_signed);
}

std::string_view tar_text(Bytes block, TarField field)
{
	const std::string_view text = text_of(block.subspan(field.offset, field.size));
	return text.substr(0, text.find('\0'));
}

static std::optional<std::int64_t> binary_number(Bytes field)
{
	const bool is_negative = field[0] == 0xff;
	if (!is_negative && field[0] != 0x80)
		return {};
	const std::uint8_t sign = is_negative ? 0xff : 0;
	std::uint64_t value = is_negative ? ~std::uint64_t(0) : 0;
	for (std::size_t i = 1; i < field.size(); i++) {
		if (i + 8 < field.size() && field[i] != sign)
			return {};
		value = value << 8 | field[i];
	}
	if (value >> 63 != (is_negative ? 1 : 0))
		return {};
	return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> tar_number(Bytes block, TarField field)
{
	const Bytes bytes = block.subspan(field.offset, field.size);
	if (bytes[0] & 0x80)
		return binary_number(bytes);
	const auto is_end = [](std::uint8_t byte) { return byte == ' ' || byte == 0; };
	std::size_t at = 0;
	while (at < bytes.size() && bytes[at] == ' ')
		at++;
	std::int64_t value = 0;
	for (; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '7'; at++)
		value = value * 8 + (bytes[at] - '0'); // 12 digits at most
	for (; at < bytes.size(); at++)
		if (!is_end(bytes[at]))
			return {};
	return value;
}

void put_tar_text(TarBlock &block, TarField field, std::string_view text)
{
	std::copy_n(text.begin(), std::min(text.size(), field.size),
		block.begin() + static_cast<std::ptrdiff_t>(field.offset));
}

void put_tar_number(TarBlock &block, TarField field, std::uint64_t number)
{
	const std::size_t digits = field.size - 1;
	if (number >> (3 * digits) == 0) {
		for (std::size_t i = digits; i-- > 0; number /= 8)
			block[field.offset + i] = static_cast<std::uint8_t>('0' + number % 8);
		return;
	}
	for (std::size_t i = field.size; i-- > 0; number >>= 8)
		block[field.offset + i] = static_cast<std::uint8_t>(number);
	block[field.offset] = 0x80;
}

void put_tar_checksum(TarBlock &block)
{
	constexpr TarField field = tar_field::checksum;
	put_tar_number(block, {field.offset, field.size - 1}, static_cast<std::uint64_t>(sums_of(block).of_unsigned));
	block[field.offset + field.size - 2] = 0;
	block[field.offset + field.size - 1] = ' ';
}

} // namespace dig
