// One object at a URL of HTTP or S3, in parts.
#ifndef DIG_URL_OBJECT_H
#define DIG_URL_OBJECT_H

#include "libdig/network/http_client.h"
#include "libdig/remote/remote_objects.h"

namespace dig {

// All parts are of one version of the object: FetchError if it changes.
class UrlObject : public RemoteObjects {
public:
	// UsageError for a URL of another scheme.
	UrlObject(const std::string &url, const Settings::Fetch &limits);

	using RemoteObjects::put_new;
	// Whatever the key is; but of last_part_key, the last size bytes.
	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override;
	bool put_new(const std::string &key, std::uint64_t size, const Content &content) override;
	void list(const std::string &prefix, const std::string &after, const Take &take) override;
	bool remove(const std::string &key) override;
	std::string check() override;

private:
	HttpClient client_;
	FetchTarget target_;
	std::string validator_;
	std::uint64_t total_ = 0; // 0: unknown
};

} // namespace dig

#endif
