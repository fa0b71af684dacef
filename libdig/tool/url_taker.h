// Content of URLs into the staging area: runs dig-fetch-url once for all of them, and goes on inside an object
// of which an earlier add has taken a part.
#ifndef DIG_URL_TAKER_H
#define DIG_URL_TAKER_H

#include <memory>

#include "libdig/verbs/stage.h"

namespace dig {

class UrlTaker {
public:
	explicit UrlTaker(Stage &stage);
	~UrlTaker();
	UrlTaker(const UrlTaker &) = delete;

	// The object becomes the entry at stream.path, with its mode and time.  What cannot be had is a failure of
	// the stage, and so is what is no URL.
	void take(const std::string &url, const Stage::Stream &stream);

private:
	class Process;
	bool take_once(const std::string &url, const std::string &object, const Stage::Stream &stream);
	bool take_object(struct FetchedObject object, const std::string &name, const Stage::Stream &stream);
	Process &process();
	void fail(const std::string &path, const std::string &message);

	Stage &stage_;
	std::unique_ptr<Process> process_;
};

} // namespace dig

#endif
