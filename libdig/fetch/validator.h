// What tells whether an object is still the one of which a part was taken.
//
//     etag:"5e4c0e4-1f"                          a strong ETag of HTTP
//     date:Sun, 06 Nov 1994 08:49:37 GMT         Last-Modified of HTTP
//     time:1700000000                            of SFTP and ssh, in seconds
//     file:1700000000000000000.17...0.42.2049    mtime, ctime, inode and device of a file
//
// Its text stands in a request's header, in a line of the protocol and in the journal, so it is checked
// wherever it comes in: printable ASCII, and a limited length.
#ifndef DIG_VALIDATOR_H
#define DIG_VALIDATOR_H

#include <optional>
#include <string>
#include <string_view>

namespace dig {

constexpr std::size_t max_validator_size = 1024;

// Whether it is a validator, in form.
bool is_validator(std::string_view text);
// Of an ETag as it came.  Nothing for a weak one, which says only that the content is as good as the same.
std::optional<std::string> validator_of_etag(std::string_view etag);
// Of Last-Modified as it came.  date is that of the answer.  Nothing unless both are well-formed and date
// is later by more than a second: else the object may have changed twice within its second.
std::optional<std::string> validator_of_date(std::string_view modified, std::string_view date);
// The part behind the name of its kind, if it is of that kind.
std::optional<std::string> validator_value(std::string_view validator, std::string_view kind);
// The seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may send.
std::optional<long long> seconds_of_http_date(std::string_view text);

} // namespace dig

#endif
