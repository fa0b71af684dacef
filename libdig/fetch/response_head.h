// The head of an answer of HTTP, line by line as it comes from a server that nobody trusts.
//
//     ResponseHead head;
//     head.take_line("HTTP/1.1 206 Partial Content\r\n");  // each status line begins anew: after redirects, 1xx
//     head.take_line("Content-Range: bytes 5-9/10\r\n");
//     head.take_line("\r\n");                              // is_complete() now
//
// What is contradictory, malformed or too much is a FetchError.
#ifndef DIG_RESPONSE_HEAD_H
#define DIG_RESPONSE_HEAD_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libdig/base/error.h"

namespace dig {

// An object could not be fetched.
class FetchError : public Error {
public:
	explicit FetchError(const std::string &message, bool may_pass = false)
		: Error(message, exit_status::network), may_pass_(may_pass)
	{
	}
	// Whether it is worth to try again: the server or the way to it had a bad moment.
	bool may_pass() const { return may_pass_; }

private:
	bool may_pass_;
};

// The object is not the one of which a part was taken before; or, with the status of a FetchError, nothing
// proves that it is.  It has to be taken from its beginning.
class ObjectChanged : public Error {
public:
	explicit ObjectChanged(const std::string &message, int status = exit_status::no) : Error(message, status) {}
};

// bytes first-last/total, or bytes */total.
struct ContentRange {
	std::optional<std::uint64_t> first, last, total;
};

class ResponseHead {
public:
	// All heads of one request together, with those of redirects.
	static constexpr std::size_t max_size = 256 * 1024;

	void take_line(std::string_view line);

	bool is_complete() const { return is_complete_; }
	int status() const { return status_; }
	// Of the body.
	std::optional<std::uint64_t> length() const { return length_; }
	bool is_chunked() const { return is_chunked_; }
	const std::optional<ContentRange> &range() const { return range_; }
	// Empty when nothing identifies the object strongly.
	std::string validator() const;
	// Whether it is the object of that validator.
	bool is_of(std::string_view validator) const;
	// What the server asks to wait, in seconds.
	std::optional<std::uint64_t> retry_after() const { return retry_after_; }
	// x-amz-bucket-region, if it looks like one.
	const std::string &region() const { return region_; }

	// For what is no HTTP: an answer with these properties.
	static ResponseHead made_of(std::uint64_t first, std::uint64_t total, const std::string &validator);

private:
	void begin(std::string_view line);
	void take_field(std::string_view name, std::string_view value);

	std::size_t size_ = 0;
	bool is_complete_ = false, is_chunked_ = false;
	int status_ = 0;
	std::optional<std::uint64_t> length_, retry_after_;
	std::optional<ContentRange> range_;
	std::string etag_, modified_, date_, region_, made_validator_;
};

// Nothing unless it is "bytes a-b/c", "bytes a-b/*" or "bytes */c" with a <= b < c.
std::optional<ContentRange> parse_content_range(std::string_view text);

} // namespace dig

#endif
