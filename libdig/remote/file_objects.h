// Objects that are files below a directory: dig-remote-file.
#ifndef DIG_FILE_OBJECTS_H
#define DIG_FILE_OBJECTS_H

#include "libdig/remote/remote_objects.h"

namespace dig {

class FileObjects : public RemoteObjects {
public:
	// The directory is made with the first object.
	explicit FileObjects(std::string directory) : directory_(std::move(directory)) {}

	using RemoteObjects::put_new;
	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override;
	bool put_new(const std::string &key, std::uint64_t size, const Content &content) override;
	void list(const std::string &prefix, const std::string &after, const Take &take) override;
	bool remove(const std::string &key) override;
	std::string check() override;

private:
	std::string path_of(const std::string &key) const { return directory_ + "/" + key; }

	std::string directory_;
};

} // namespace dig

#endif
