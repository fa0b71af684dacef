// Records on pipes: texts that each end with a newline or, with -z, with NUL.  Lists of any
// length pass in constant memory.
//
// Where records end with newlines, a path that holds a control byte, a double quote or a
// backslash is written in double quotes with the escapes of C: "a\nb", "\001".  Where they end
// with NUL, every path is verbatim.
#ifndef DIG_RECORDS_H
#define DIG_RECORDS_H

#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/bytes.h"
#include "libdig/base/error.h"
#include "libdig/os/file.h"

namespace dig {

enum class RecordEnd : char { newline = '\n', nul = '\0' };

constexpr RecordEnd record_end(bool nul) { return nul ? RecordEnd::nul : RecordEnd::newline; }

constexpr std::size_t max_record_size = 1 << 20;

// The path itself when it is plain, else quoted.
std::string quoted_record(std::string_view path);
// The reverse.  Error for a text that begins with a quote and is not well formed.
std::string unquoted_record(std::string_view text);

// Whoever read standard output went away, as "head" does: the tool ends by SIGPIPE and says nothing.
class ReaderGone : public Error {
public:
	ReaderGone() : Error("nobody reads standard output any more") {}
};

class RecordReader {
public:
	RecordReader(File file, RecordEnd end);
	static RecordReader standard_input(RecordEnd end);

	// The next record without its end; nothing after the last.  The view lives until the next
	// call.  Error for a record above max_record_size, and for a last one without NUL; a last
	// line may lack its newline.
	std::optional<std::string_view> next();
	// The same, with quotes undone where records are lines.
	std::optional<std::string> next_path();
	// Whether a whole record was read already, so that next() does not wait for input.
	bool has_next() const;
	// Exactly size bytes that follow the last record, in pieces: what is there, at most
	// buffer.size().  Empty only at the end of the input.
	std::size_t read_some(MutableBytes buffer);

private:
	bool fill();

	File file_;
	RecordEnd end_;
	Buffer buffer_;
	std::size_t begin_ = 0, size_ = 0; // what is unread lies at begin_, size_ bytes
	bool is_at_end_ = false;
};

// Collects what is written and passes it on in large pieces.  What was not flushed when it is
// destroyed is lost: only an explicit flush() can report a failure.  Not for several threads.
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
	// The text and the end of a record.
	void record(std::string_view text);
	// As it lies in a line, or verbatim before NUL; without the end of a record.
	void path(std::string_view path);
	void record_path(std::string_view path);
	void flush();
	std::uint64_t written() const { return written_; } // bytes, whether flushed or not

private:
	void append_end();
	void pass_on(Bytes bytes);

	int fd_;
	RecordEnd end_;
	std::string buffer_;
	std::uint64_t written_ = 0;
};

// Descriptor 1.  run() flushes it when the command returns, and fails where that fails; a tool
// flushes it itself only when somebody waits for the reply.
Output &standard_output();

} // namespace dig

#endif
