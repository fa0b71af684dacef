// What all requests for an object have in common, and what a server's refusal of one means.
#ifndef DIG_FETCH_TARGET_H
#define DIG_FETCH_TARGET_H

#include <string>
#include <string_view>

#include "libdig/fetch/response_head.h"
#include "libdig/fetch/url.h"

namespace dig {

// Of http, https, s3 and sftp.
struct FetchTarget {
	std::string url; // without user and password
	std::string user, password, region, token;
	bool is_http = true, is_signed = false, is_s3 = false;
	std::string ssh_directory, ssh_key; // of the user; the first key that is there
	std::string ca_file; // certificates that are trusted; empty for those of the system
};

FetchTarget fetch_target_of(const Url &url);

// An answer that is an error, with the beginning of its body.
FetchError refusal(const FetchTarget &target, const ResponseHead &head, std::string_view body);

} // namespace dig

#endif
