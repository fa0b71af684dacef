// Fuzz targets: one for each parser of bytes that nobody has checked.  A target gets any bytes and
// may refuse them with an Error of dig's; anything else that ends it is a finding: another
// exception, a failed assertion, a signal, memory beyond the limit, or a run of many seconds.
//
// driver.cpp runs them with mutations of its own; with clang, libFuzzer's engine does.
#ifndef DIG_FUZZ_H
#define DIG_FUZZ_H

#include <string_view>
#include <vector>

#include "libdig/base/bytes.h"
#include "libdig/os/file.h"

namespace dig {

struct FuzzTarget {
	std::string_view name;
	// Files that begin so are seeds; empty where no golden file has the form.
	std::string_view magic;
	// Seeds that are made here.
	std::vector<Buffer> (*seeds)();
	void (*run)(Bytes input);
	// Makes checksums right again, so that a mutation behind them is looked at; may be null.
	void (*repair)(Buffer &input);
};

const std::vector<FuzzTarget> &fuzz_targets();

// For the tables of the files here.
extern const std::vector<FuzzTarget> format_targets, staging_targets, text_targets, fetch_targets, remote_targets, proof_targets;

// Throws what is no Error, and so is a finding.
void require(bool condition, const char *what);
// The bytes as a file without a name; the path leads to it as long as the file is open.
File file_of(Bytes bytes);
std::string path_of(const File &file);

// Checksums at the end of what they cover, where the bytes reach so far.
void repair_checksum(Buffer &bytes, std::size_t begin, std::size_t end, std::size_t at);
void repair_preamble(Buffer &bytes);
// Of a file that ends with the checksum of all before it.
void repair_sealed(Buffer &bytes);
// "field = the number that lies at offset", or 0 beyond the end.
std::uint64_t number_at(const Buffer &bytes, std::uint64_t offset, std::size_t size);

inline Buffer seed(std::string_view text)
{
	const Bytes bytes = bytes_of(text);
	return Buffer(bytes.begin(), bytes.end());
}

} // namespace dig

#endif
