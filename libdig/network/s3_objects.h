// Objects in a bucket of S3: dig-remote-s3.
//
// An object is made by one PUT that the server carries out only if there is none.  Where its answer is lost, or
// is none that can be relied on, the object is read and compared with what was sent.
#ifndef DIG_S3_OBJECTS_H
#define DIG_S3_OBJECTS_H

#include "libdig/network/http_client.h"
#include "libdig/remote/remote_objects.h"

namespace dig {

class S3Objects : public RemoteObjects {
public:
	// UsageError unless it is s3://BUCKET[/PREFIX].
	S3Objects(const std::string &url, const Settings::Fetch &limits);

	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override;
	bool put_new(const std::string &key, std::uint64_t size, const Content &content) override;
	void list(const std::string &prefix, const std::string &after, const Take &take) override;
	bool remove(const std::string &key) override;
	// Asks for a list of one name, which shows that bucket and credentials are right.
	std::string check() override;

private:
	struct Spooled {
		File file;
		std::uint64_t size = 0;
		std::string sha256;
	};

	FetchTarget target_of(const std::string &key) const;
	// begin is called before each attempt.
	HttpAnswer ask(const HttpRequest &request, const std::function<void()> &begin);
	std::string ask_list(const std::string &query);
	bool put(const std::string &key, const Spooled &content);
	// Nothing if there is no such object.
	std::optional<bool> is_same(const std::string &key, const Spooled &content);

	HttpClient client_;
	Url place_;
	std::string prefix_; // empty, or with a slash at its end
};

} // namespace dig

#endif
