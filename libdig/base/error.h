// Failures.  Each type has the exit status of a command that ends by it; dig(1) has the table.  A
// message says what failed, the subject in single quotes, and the reason, in lower case and without
// a full stop.  A thing that is not there is no failure: find_x() returns an optional.
#ifndef DIG_ERROR_H
#define DIG_ERROR_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dig {

namespace exit_status {
constexpr int done = 0;
constexpr int no = 1;          // "no", "differs", nothing to do
constexpr int partial = 3;     // some source files could not be taken
constexpr int corrupt = 4;
constexpr int unproved = 5;    // a proof or verification fails
constexpr int no_store = 10;
constexpr int locked = 11;
constexpr int network = 12;
constexpr int failed = 128;
constexpr int usage = 129;
constexpr int interrupted = 130;
} // namespace exit_status

class Error : public std::runtime_error {
public:
	explicit Error(const std::string &message, int status = exit_status::failed)
		: std::runtime_error(message), status_(status)
	{
	}
	int status() const { return status_; }

private:
	int status_;
};

// The command line was wrong.
class UsageError : public Error {
public:
	explicit UsageError(const std::string &message) : Error(message, exit_status::usage) {}
};

// A system call failed: "cannot open 'a/b': No such file or directory".
class SystemError : public Error {
public:
	// What failed ("open"), on which path, and errno.
	SystemError(std::string_view what, std::string_view path, int error);
	int error() const { return error_; }
	const std::string &path() const { return path_; }

private:
	int error_;
	std::string path_;
};

// Stored bytes are not what they must be: "'PATH' is corrupt at byte N: WHAT".
class CorruptError : public Error {
public:
	CorruptError(std::string_view what, std::string_view path, std::uint64_t offset);
	// Damage that belongs to no single file, such as a chunk that no layer has.
	explicit CorruptError(const std::string &what) : Error(what, exit_status::corrupt) {}
};

// "nothing staged", "does not match": the command's answer is no.
class NegativeAnswer : public Error {
public:
	explicit NegativeAnswer(const std::string &message) : Error(message, exit_status::no) {}
};

class NoStoreError : public Error {
public:
	explicit NoStoreError(const std::string &message) : Error(message, exit_status::no_store) {}
};

class LockedError : public Error {
public:
	explicit LockedError(const std::string &message) : Error(message, exit_status::locked) {}
};

// Another process of the same pipeline has failed and has told the reason.  The command ends with
// this status and prints nothing.
class ToldElsewhere : public Error {
public:
	explicit ToldElsewhere(int status) : Error("another command has failed", status) {}
};

// The path in single quotes, safe to show on a terminal.  Control bytes, quotes, backslashes, bytes
// that are not UTF-8 and bidirectional controls become \n, \t or \ooo; other UTF-8 stays as it is.
std::string quote(std::string_view path);
// The same for a text that somebody else wrote: without quotes around it, and quotes stay as they
// are.
std::string shown_text(std::string_view text);

} // namespace dig

#endif
