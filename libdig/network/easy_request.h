// One request of libcurl with what all of dig's requests have in common: where it may go, by whom it is made,
// and what it must not do.
#ifndef DIG_EASY_REQUEST_H
#define DIG_EASY_REQUEST_H

#include <memory>
#include <string>

#include <curl/curl.h>

#include "libdig/fetch/fetch_target.h"

namespace dig {

template <auto end> struct CurlEnding {
	template <typename T> void operator()(T *what) const { end(what); }
};
using EasyHandle = std::unique_ptr<CURL, CurlEnding<curl_easy_cleanup>>;
using HeaderList = std::unique_ptr<curl_slist, CurlEnding<curl_slist_free_all>>;

// The empty body of a GET, as S3 wants to have it signed.
constexpr char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class EasyRequest {
public:
	EasyRequest();
	EasyRequest(const EasyRequest &) = delete;

	template <typename T> void set(CURLoption option, T value)
	{
		if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK)
			throw Error(std::string("libcurl lacks what is needed: ") + curl_easy_strerror(code));
	}
	void add_header(const std::string &line);
	// body_sha256 is what is signed.  Call end_headers() when all were added.
	void aim(const FetchTarget &target, std::uint64_t stall_time, std::uint64_t max_redirects,
		const std::string &body_sha256 = empty_sha256);
	void end_headers() { set(CURLOPT_HTTPHEADER, headers_.get()); }
	// A handle keeps its connections; what was set is forgotten.
	void reset();

	CURL *handle() const { return easy_.get(); }
	std::string error_text(CURLcode code) const;

private:
	void begin();

	EasyHandle easy_;
	HeaderList headers_;
	char error_[CURL_ERROR_SIZE] = "";
	bool is_http_ = true;
};

// Whether it is worth to try again.
bool may_pass(CURLcode code);

} // namespace dig

#endif
