#include "libdig/network/easy_request.h"

#include <new>

namespace dig {

// libcurl would take such a part out of the path.
static bool has_dot_part(std::string_view url)
{
	url = url.substr(0, url.find('?'));
	for (std::size_t at = url.find('/'); at != url.npos; at = url.find('/', at + 1)) {
		const std::string part =
			percent_decoded(url.substr(at + 1, url.find('/', at + 1) - at - 1)).value_or(std::string());
		if (part == "." || part == "..")
			return true;
	}
	return false;
}

constexpr long buffer_size = 512 * 1024;

EasyRequest::EasyRequest() { begin(); }

void EasyRequest::begin()
{
	easy_.reset(curl_easy_init());
	if (!easy_)
		throw std::bad_alloc();
}

void EasyRequest::reset()
{
	curl_easy_reset(easy_.get());
	// libcurl 7.88 keeps the buffer of a transfer whose host it did not find, and takes no size for it any more.
	if (curl_easy_setopt(easy_.get(), CURLOPT_BUFFERSIZE, buffer_size) != CURLE_OK)
		begin();
	headers_.reset();
	error_[0] = '\0';
}

void EasyRequest::add_header(const std::string &line)
{
	curl_slist *const list = curl_slist_append(headers_.get(), line.c_str());
	if (!list)
		throw std::bad_alloc();
	static_cast<void>(headers_.release());
	headers_.reset(list);
}

void EasyRequest::aim(const FetchTarget &target, std::uint64_t stall_time, std::uint64_t max_redirects,
	const std::string &body_sha256)
{
	is_http_ = target.is_http;
	const bool is_secure = target.url.starts_with("https:");
	set(CURLOPT_URL, target.url.c_str());
	set(CURLOPT_PROTOCOLS_STR, target.is_http ? is_secure ? "https" : "http" : "sftp");
	set(CURLOPT_REDIR_PROTOCOLS_STR, is_secure ? "https" : "http,https");
	// A signature is for one host, and its session token is for nobody else.
	set(CURLOPT_FOLLOWLOCATION, target.is_http && !target.is_s3 && max_redirects > 0 ? 1L : 0L);
	set(CURLOPT_MAXREDIRS, static_cast<long>(max_redirects));
	set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	// Since 8.12, libcurl does not sign a path that it is to leave as it is.
	if (!target.is_signed)
		set(CURLOPT_PATH_AS_IS, 1L);
	else if (has_dot_part(target.url))
		throw FetchError("a key with a part '.' or '..' between slashes cannot be signed");
	set(CURLOPT_NOSIGNAL, 1L);
	set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(stall_time));
	set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
	set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	set(CURLOPT_USERAGENT, "dig/" DIG_VERSION);
	set(CURLOPT_BUFFERSIZE, buffer_size);
	set(CURLOPT_ERRORBUFFER, static_cast<char *>(error_));
	if (!target.ca_file.empty())
		set(CURLOPT_CAINFO, target.ca_file.c_str());
	if (!target.user.empty()) {
		set(CURLOPT_USERNAME, target.user.c_str());
		set(CURLOPT_PASSWORD, target.password.c_str());
	}
	if (target.is_signed) {
		set(CURLOPT_AWS_SIGV4, ("aws:amz:" + target.region + ":s3").c_str());
		add_header("x-amz-content-sha256: " + body_sha256);
		if (!target.token.empty())
			add_header("x-amz-security-token: " + target.token);
	}
	if (!target.is_http) {
		set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_AGENT | CURLSSH_AUTH_PUBLICKEY |
			(target.password.empty() ? 0 : CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD)));
		set(CURLOPT_SSH_KNOWNHOSTS, (target.ssh_directory + "/known_hosts").c_str());
		if (!target.ssh_key.empty())
			set(CURLOPT_SSH_PRIVATE_KEYFILE, target.ssh_key.c_str());
	}
}

std::string EasyRequest::error_text(CURLcode code) const
{
	if (!is_http_ && code == CURLE_PEER_FAILED_VERIFICATION)
		return "the host is not in ~/.ssh/known_hosts, or has another key";
	return shown_text(error_[0] ? error_ : curl_easy_strerror(code));
}

bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE: case CURLE_OPERATION_TIMEDOUT: case CURLE_GOT_NOTHING: case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: case CURLE_SSL_CONNECT_ERROR: case CURLE_SSH: case CURLE_AGAIN:
		return true;
	default:
		return false;
	}
}

} // namespace dig
