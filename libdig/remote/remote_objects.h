// Objects with keys in some other place, and the line protocol by which a helper gives them.
//
// A helper is an executable dig-remote-NAME that is started with the URL of the place.  Requests come on its
// standard input and answers go to its standard output, one after the other.  A key has the characters
// [a-z0-9./_-] and at most 255 of them, does not begin with '/' or '-', and has no empty part and no part that
// begins with '.'.
//
//     get KEY OFFSET SIZE         ok N TOTAL, then N bytes; N is less than SIZE at the end of the object
//                                 missing
//     put-new KEY SIZE, then SIZE bytes
//                                 ok
//                                 exists      the object was there already, and is as it was
//     list PREFIX AFTER           KEY SIZE for each key that begins with PREFIX and comes after AFTER ('-' for
//                                 all), in their order; then end
//     delete KEY                  ok
//                                 missing
//     check                       ok, and what the place can do
//
// Any request may be answered by "error TEXT"; then the helper goes on with the next request, if it can.  At the
// end of its input it ends with 0.
#ifndef DIG_REMOTE_OBJECTS_H
#define DIG_REMOTE_OBJECTS_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

// dig-remote-http --object: of this key, the last bytes are given, whatever the offset is.
constexpr char last_part_key[] = "last-part";

bool is_object_key(std::string_view key);

class RemoteObjects {
public:
	virtual ~RemoteObjects() = default;

	struct Part {
		Buffer bytes;
		std::uint64_t total; // size of the object
	};
	// Up to size bytes; nothing if there is no such object.
	virtual std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) = 0;
	// Gives the next bytes of what is put; throws when there are not enough.
	using Content = std::function<void(MutableBytes window)>;
	// Makes an object that nobody replaces.  False if it was there already.  Durable when it returns.
	virtual bool put_new(const std::string &key, std::uint64_t size, const Content &content) = 0;
	using Take = std::function<void(const std::string &key, std::uint64_t size)>;
	virtual void list(const std::string &prefix, const std::string &after, const Take &take) = 0;
	virtual bool remove(const std::string &key) = 0;
	// A line that says what the place can do.  Throws if something that is needed is not given.
	virtual std::string check() = 0;

	bool put_new(const std::string &key, Bytes bytes);
	// All of a small object; Error if it is larger than limit.
	std::optional<Buffer> get_small(const std::string &key, std::size_t limit);
};

// Answers requests from input until it ends: what a helper does.
void serve_objects(RemoteObjects &objects, const File &input, const File &output);

// A helper that runs, as seen by whoever asks.  first goes to its standard input before any request.
std::unique_ptr<RemoteObjects> start_helper(const std::vector<std::string> &command, const std::string &first = {});

} // namespace dig

#endif
