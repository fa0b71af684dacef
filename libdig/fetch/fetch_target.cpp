#include "libdig/fetch/fetch_target.h"

#include <cstdlib>

#include "libdig/fetch/s3_access.h"
#include "libdig/os/file.h"

namespace dig {

static std::string variable(const char *name)
{
	const char *value = std::getenv(name);
	return value ? value : "";
}

static FetchTarget s3_target_of(const Url &url)
{
	const S3Access s3 = find_s3_access(url, s3_environment_of_process());
	FetchTarget target;
	target.url = s3.url;
	target.user = s3.key_id;
	target.password = s3.secret;
	target.region = s3.region;
	target.token = s3.token;
	target.is_s3 = true;
	target.is_signed = !s3.key_id.empty();
	target.ca_file = variable("AWS_CA_BUNDLE");
	return target;
}

static std::string find_ssh_key(const std::string &directory)
{
	for (const char *name : {"/id_ed25519", "/id_ecdsa", "/id_rsa"})
		if (find_stat(directory + name))
			return directory + name;
	return "";
}

FetchTarget fetch_target_of(const Url &url)
{
	FetchTarget target = url.scheme == Url::Scheme::s3 ? s3_target_of(url) : FetchTarget();
	for (const char *name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
		if (target.ca_file.empty())
			target.ca_file = variable(name);
	if (target.is_s3)
		return target;
	target.url = url.object();
	target.user = url.user.value_or("");
	target.password = url.password.value_or("");
	target.is_http = url.scheme != Url::Scheme::sftp;
	target.ssh_directory = variable("HOME") + "/.ssh";
	if (!target.is_http)
		target.ssh_key = find_ssh_key(target.ssh_directory);
	return target;
}

// The code of an error of S3 is a word for people.
static std::string code_in(std::string_view body)
{
	constexpr std::string_view begin_tag = "<Code>";
	const std::size_t begin = body.find(begin_tag), end = body.find("</Code>");
	if (begin == body.npos || end == body.npos || end <= begin + begin_tag.size() || end - begin > 70)
		return "";
	const std::string_view code = body.substr(begin + begin_tag.size(), end - begin - begin_tag.size());
	for (const char c : code)
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			return "";
	return " (" + std::string(code) + ")";
}

FetchError refusal(const FetchTarget &target, const ResponseHead &head, std::string_view body)
{
	const int status = head.status();
	std::string text = "the server answers with status " + std::to_string(status) + code_in(body);
	if (target.is_s3 && !head.region().empty() && status >= 300 && status < 500 && head.region() != target.region)
		text += "; the bucket is in the region " + head.region() + " (AWS_REGION)";
	if (target.is_s3 && !target.is_signed && (status == 401 || status == 403))
		text += "; no credentials of S3 were found";
	const bool is_busy = status == 408 || status == 425 || status == 429 || status == 500 ||
		(status >= 502 && status <= 504);
	return FetchError(text, is_busy);
}

} // namespace dig
