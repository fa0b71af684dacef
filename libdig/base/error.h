// Failures.  Each type knows the exit status that it ends a command with; the table stands in
// dig(1).  A message says what failed, the subject in single quotes, the reason; lower case and
// no full stop.  What is merely not there is no failure: find_x returns an optional.
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
	// Where no one file is to blame, as for a chunk that no layer holds.
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

// Another process of the same pipeline has failed, and has said why: the command ends with this
// status and says nothing.
class ToldElsewhere : public Error {
public:
	explicit ToldElsewhere(int status) : Error("another command has failed", status) {}
};

// A path in single quotes with control bytes, quotes and backslashes as \n, \t or \ooo, safe to
// show on a terminal.  UTF-8 passes; bytes that are no UTF-8 and bidirectional controls do not.
std::string quote(std::string_view path);
// The same without the quotes around it, and with quotes as they are: for texts of others.
std::string shown_text(std::string_view text);

} // namespace dig

#endif
