// Objects that some server of HTTP has, to be read only: dig-remote-http.
#ifndef DIG_HTTP_OBJECTS_H
#define DIG_HTTP_OBJECTS_H

#include "libdig/network/http_client.h"
#include "libdig/remote/remote_objects.h"

namespace dig {

class HttpObjects : public RemoteObjects {
public:
	// UsageError for what is no URL of a place.
	HttpObjects(const std::string &url, const Settings::Fetch &limits);

	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override;
	bool put_new(const std::string &key, std::uint64_t size, const Content &content) override;
	// Of roots/ only: one record after the other is asked for, until there is none.
	void list(const std::string &prefix, const std::string &after, const Take &take) override;
	bool remove(const std::string &key) override;
	std::string check() override;

private:
	HttpClient client_;
	std::string url_; // without a slash at its end
};

} // namespace dig

#endif
