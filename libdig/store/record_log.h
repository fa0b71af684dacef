// A file of records that grows at its end: .dig/states/N and .dig/changed-paths/N (dig-store-layout(5)).
//
//     +----------+-------------+--------+------------+-------------+--------
//     | Preamble | size of the | record | CRC-32 of  | size of the | ...
//     |          | record, u32 |        | it, u32    | record, u32 |
//     +----------+-------------+--------+------------+-------------+--------
//
// For what is derived: it is not synced.  A torn or damaged record ends the file for its readers, and the
// next writer cuts it off.
#ifndef DIG_RECORD_LOG_H
#define DIG_RECORD_LOG_H

#include <functional>

#include "libdig/os/file.h"

namespace dig {

class RecordLog {
public:
	// Each record has least to most bytes.  With 0, zeros at the end of a file, as a power cut can leave them, are
	// empty records: their checksum is 0, too.
	constexpr RecordLog(std::string_view magic, std::size_t least, std::size_t most)
		: magic_(magic), least_(least), most_(most)
	{
	}

	// Calls take with each record that is whole; returns where the last of them ends.  CorruptError for a bad
	// preamble, and what take throws.  Reads in windows: costs memory for one record.
	std::uint64_t each(const File &file, const std::function<void(Bytes record)> &take) const;
	// The same for a writer: cuts off what follows, which is all of a file with a bad preamble.  take throws
	// nothing.
	std::uint64_t recover(const File &file, const std::function<void(Bytes record)> &take) const;
	// Writes a record, and first the preamble if end is 0; returns where it ends.
	std::uint64_t append(const File &file, std::uint64_t end, Bytes record) const;

private:
	std::string_view magic_;
	std::size_t least_, most_;
};

} // namespace dig

#endif
