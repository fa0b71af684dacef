// A URL that a person names as the source of content: taken apart, and shown without its secrets.
//
//     scheme://[user[:password]@]host[:port]/path[?query]
//
// The parts are checked here once.  No part can be taken for an option, for two lines of a request, or
// for another host than the one that is shown.
#ifndef DIG_URL_H
#define DIG_URL_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dig {

struct Url {
	enum class Scheme : std::uint8_t { http, https, s3, sftp, ssh, file };

	Scheme scheme = Scheme::https;
	std::string scheme_name; // in lower case
	std::optional<std::string> user, password; // decoded
	std::string host; // of s3 the bucket; of IPv6 with its brackets
	std::optional<std::uint16_t> port;
	// Behind the host, as it was typed, and without a fragment.  Of HTTP it has the query.  Of s3 it
	// is '/' and the key, to the letter; of the others it is percent-encoded.
	std::string path;

	// For messages: without password and query, each of which may be a secret.
	std::string shown() const;
	// What names the object, for comparing: everything but user and password.
	std::string object() const;
	// scheme://host[:port]
	std::string place() const;
};

// Whether it begins as a URL does, so that it is no path.
bool is_url(std::string_view text);
// UsageError for what is no URL of these schemes, which shows no secret of it.
Url parse_url(std::string_view text);

// Nothing where a '%' has not two hex digits, or where there is a NUL byte.
std::optional<std::string> percent_decoded(std::string_view text);
// All but letters, digits, and "-._~" and those in kept.
std::string percent_encoded(std::string_view text, std::string_view kept);

} // namespace dig

#endif
