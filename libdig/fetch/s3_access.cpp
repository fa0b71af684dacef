#include "libdig/fetch/s3_access.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "libdig/base/error.h"
#include "libdig/os/file.h"

namespace dig {

constexpr std::size_t max_file_size = 1_MiB;

using Profile = std::map<std::string, std::string>;

static std::string trimmed(const std::string &text)
{
	const std::size_t begin = text.find_first_not_of(" \t\r");
	return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

// The section of that name.  Lines that begin with a blank belong to the setting before, as those of "s3 =".
static Profile find_profile(const std::string &text, const std::string &section)
{
	Profile profile;
	bool is_there = false;
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t end = std::min(text.find('\n', at), text.size());
		const std::string line = text.substr(at, end - at);
		at = end + 1;
		if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == ' ' || line[0] == '\t')
			continue;
		if (line[0] == '[') {
			const std::size_t bracket = line.find(']');
			is_there = bracket != line.npos && trimmed(line.substr(1, bracket - 1)) == section;
			continue;
		}
		const std::size_t equals = line.find('=');
		if (is_there && equals != line.npos)
			profile[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
	}
	return profile;
}

class S3Finder {
public:
	explicit S3Finder(const S3Environment &environment) : environment_(environment)
	{
		const std::string name = variable("AWS_PROFILE", variable("AWS_DEFAULT_PROFILE", "default"));
		const std::string home = variable("HOME", "");
		config_ = profile_in(variable("AWS_CONFIG_FILE", home + "/.aws/config"),
			name == "default" ? name : "profile " + name);
		credentials_ = profile_in(variable("AWS_SHARED_CREDENTIALS_FILE", home + "/.aws/credentials"), name);
	}

	S3Access find(const Url &url) const
	{
		S3Access access;
		access.region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", setting("region", "us-east-1")));
		if (access.region.empty() || access.region.size() > 64 || access.region.find_first_not_of(
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != access.region.npos)
			throw Error("the region of S3 (AWS_REGION) is not well-formed");
		access.url = endpoint(access.region) + "/" + url.host + percent_encoded(url.path, "/");
		take_credentials(access);
		return access;
	}

private:
	std::string variable(const char *name, const std::string &otherwise) const
	{
		const std::optional<std::string> value = environment_.variable(name);
		return value && !value->empty() ? *value : otherwise;
	}

	Profile profile_in(const std::string &path, const std::string &section) const
	{
		const std::optional<std::string> text = environment_.file(path);
		return text ? find_profile(*text, section) : Profile();
	}

	std::string setting(const char *name, const std::string &otherwise) const
	{
		for (const Profile &profile : {credentials_, config_})
			if (const auto found = profile.find(name); found != profile.end() && !found->second.empty())
				return found->second;
		return otherwise;
	}

	std::string endpoint(const std::string &region) const
	{
		const std::string domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
		const std::string text = variable("AWS_ENDPOINT_URL_S3", variable("AWS_ENDPOINT_URL",
			setting("endpoint_url", "https://s3." + region + domain)));
		try {
			const Url url = parse_url(text);
			const bool is_http = url.scheme == Url::Scheme::http || url.scheme == Url::Scheme::https;
			if (!is_http || url.user || url.path.find('?') != url.path.npos)
				throw UsageError("it has to be http:// or https://, without user and query");
			std::string object = url.object();
			while (object.ends_with('/'))
				object.pop_back();
			return object;
		} catch (const UsageError &error) {
			throw Error("the endpoint of S3 (AWS_ENDPOINT_URL) cannot be used: " + std::string(error.what()));
		}
	}

	void take_credentials(S3Access &access) const
	{
		access.key_id = variable("AWS_ACCESS_KEY_ID", "");
		access.secret = variable("AWS_SECRET_ACCESS_KEY", "");
		access.token = variable("AWS_SESSION_TOKEN", "");
		if (access.key_id.empty() || access.secret.empty()) {
			access.key_id = setting("aws_access_key_id", "");
			access.secret = setting("aws_secret_access_key", "");
			access.token = setting("aws_session_token", "");
		}
		if (access.key_id.empty() || access.secret.empty())
			access.key_id = access.secret = access.token = "";
		for (const std::string *text : {&access.key_id, &access.secret, &access.token})
			if (!std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c <= '~'; }))
				throw Error("a credential of S3 has a blank or a control byte");
		if (access.key_id.find('/') != access.key_id.npos)
			throw Error("the access key of S3 is not well-formed");
	}

	const S3Environment &environment_;
	Profile config_, credentials_;
};

S3Environment s3_environment_of_process()
{
	S3Environment environment;
	environment.variable = [](const std::string &name) -> std::optional<std::string> {
		const char *value = std::getenv(name.c_str());
		return value ? std::optional<std::string>(value) : std::nullopt;
	};
	environment.file = [](const std::string &path) -> std::optional<std::string> {
		const std::optional<Buffer> text = find_whole_file(path, max_file_size);
		return text ? std::optional<std::string>(text_of(*text)) : std::nullopt;
	};
	return environment;
}

S3Access find_s3_access(const Url &url, const S3Environment &environment) { return S3Finder(environment).find(url); }

} // namespace dig
