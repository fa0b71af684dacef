// Where a bucket of S3 is, and by whom it is read: from the environment and the files that the tools of
// AWS read, with their names.
//
//     AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL      else endpoint_url of the profile, else s3.REGION.amazonaws.com
//     AWS_REGION, AWS_DEFAULT_REGION             else region of the profile, else us-east-1
//     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN       else those of the profile
//     AWS_PROFILE, AWS_DEFAULT_PROFILE           the profile, else "default"
//     AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE    else ~/.aws/credentials and ~/.aws/config
//
// Paths have the form ENDPOINT/BUCKET/KEY.
#ifndef DIG_S3_ACCESS_H
#define DIG_S3_ACCESS_H

#include <functional>
#include <optional>
#include <string>

#include "libdig/fetch/url.h"

namespace dig {

struct S3Access {
	std::string url; // http(s)://HOST[:PORT]/BUCKET/KEY, encoded
	std::string region;
	// Empty where none are known: such a request is not signed.
	std::string key_id, secret, token;
};

// What the files and the environment say; each may say nothing.
struct S3Environment {
	std::function<std::optional<std::string>(const std::string &name)> variable;
	std::function<std::optional<std::string>(const std::string &path)> file;
};
S3Environment s3_environment_of_process();

// Error when the endpoint, the region or a credential is not well-formed.
S3Access find_s3_access(const Url &url, const S3Environment &environment);

} // namespace dig

#endif
