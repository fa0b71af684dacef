// A page of the names in a bucket: the answer of S3 to ListObjectsV2, from a server that nobody trusts.
#ifndef DIG_S3_LISTING_H
#define DIG_S3_LISTING_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dig {

constexpr std::size_t max_s3_listing = 4 << 20; // bytes of XML; a page has at most a thousand names

struct S3Listing {
	struct Object {
		std::string key;
		std::uint64_t size = 0;
	};

	std::vector<Object> objects;
	bool is_truncated = false;
	std::string next; // the token that asks for the next page
};

// FetchError for what is not exactly such an answer.
S3Listing parse_s3_listing(std::string_view xml);

} // namespace dig

#endif
