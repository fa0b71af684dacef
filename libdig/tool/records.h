// Records on pipes: texts, each ended by a newline or, with -z, by NUL.  Lists of any length pass
// in constant memory.
//
// If records end with newlines, a path with a control byte, a double quote or a backslash is
// written in double quotes with the escapes of C: "a\nb", "\001".  If they end with NUL, every path
// is verbatim.
#ifndef DIG_RECORDS_H
#define DIG_RECORDS_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libdig/base/bytes.h"
#include "libdig/base/error.h"
#include "libdig/os/file.h"

namespace dig {

enum class RecordEnd : char { newline = '\n', nul = '\0' };

constexpr RecordEnd record_end(bool nul) { return nul ? RecordEnd::nul : RecordEnd::newline; }

constexpr std::size_t max_record_size = 1 << 20;

// The path itself, or quoted if it has to be.
std::string quoted_record(std::string_view path);
// The reverse.  A text that begins with a quote and is malformed is an Error.
std::string unquoted_record(std::string_view text);

// The reader of standard output has ended, as "head" does.  The tool ends by SIGPIPE and prints
// nothing.
class ReaderGone : public Error {
public:
	ReaderGone() : Error("nobody reads standard output any more") {}
};

class RecordReader {
public:
	RecordReader(File file, RecordEnd end);
	static RecordReader standard_input(RecordEnd end);

	// The next record without its end, or nothing after the last one.  The view is valid until
	// the next call.  A record above max_record_size is an Error, and so is a last record
	// without its NUL; a last line may lack its newline.
	std::optional<std::string_view> next();
	// The same, unquoted if records are lines.
	std::optional<std::string> next_path();
	// Whether a complete record is there, so that next() does not wait for input.
	bool has_next() const;

private:
	bool fill();

	File file_;
	RecordEnd end_;
	Buffer buffer_;
	std::size_t begin_ = 0, size_ = 0; // the unread part of buffer_
	bool is_at_end_ = false;
};

// Collects output and passes it on in large pieces.  The destructor does not flush, since only an
// explicit flush() can report a failure.  One thread.
class Output {
public:
	// Does not own the descriptor.
	explicit Output(int fd, RecordEnd end = RecordEnd::newline);
	Output(const Output &) = delete;
	Output &operator=(const Output &) = delete;

	void set_end(RecordEnd end) { end_ = end; }

	void write(std::string_view text) { write(bytes_of(text)); }
	// A large piece goes out at once, without being copied.
	void write(Bytes bytes);
	// Without a copy, if it is no short piece: the bytes have to stay as they are until let_go().
	void write_kept(Bytes bytes);
	void let_go();
	// The same where nothing can be written any more: drops all that waits behind such bytes.
	void drop_kept() noexcept;
	// The text and the end of a record.
	void record(std::string_view text);
	// The path, quoted if records are lines, without the end of a record.
	void path(std::string_view path);
	void record_path(std::string_view path);
	void flush();
	std::uint64_t written() const { return written_; } // bytes, whether flushed or not

private:
	void append_end();
	void pass_on(Bytes bytes);
	void pass_on_pieces(std::string_view text, std::span<const std::pair<std::size_t, Bytes>> kept);

	int fd_;
	RecordEnd end_;
	std::string buffer_;
	std::vector<std::pair<std::size_t, Bytes>> kept_; // each belongs at this place of buffer_
	std::size_t kept_size_ = 0;
	std::uint64_t written_ = 0;
};

// Descriptor 1.  run() flushes it when the command returns, and fails if that fails.  A tool
// flushes it itself only if somebody waits for a reply.
Output &standard_output();

} // namespace dig

#endif
