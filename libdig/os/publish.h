// The only way by which a file becomes visible: it is written under a temporary name beside its
// target, synced, and renamed; then the directory is synced, and only then success is reported.  A
// reader sees the old file or the new one, even after a power cut.
#ifndef DIG_PUBLISH_H
#define DIG_PUBLISH_H

#include "libdig/os/file.h"

namespace dig {

// A file being written under a temporary name; removed unless published.
class PublishedFile {
public:
	// The temporary name lies beside path and has the process id in it, so that no other
	// process uses it.
	explicit PublishedFile(std::string path);
	~PublishedFile();
	PublishedFile(const PublishedFile &) = delete;
	PublishedFile &operator=(const PublishedFile &) = delete;

	File &file() { return file_; }
	enum class Durability { file_and_directory, file_only, none };
	// Makes the file visible; afterwards success may be reported.  With file_only, the caller
	// syncs the directory, once for several files.  With none, nothing is synced: this is for
	// files that can be made anew.  The kernel then writes the content before the name, so that
	// a power cut on a file system with a journal loses both or neither.
	void publish(Durability durability = Durability::file_and_directory);
	// The same under another name in the same directory.
	void publish_as(const std::string &path)
	{
		path_ = path;
		publish();
	}

	// Makes the file visible and durable only if nothing has the name; false otherwise.  Of several processes,
	// one succeeds.
	bool publish_new();

private:
	std::string path_, temporary_;
	File file_;
	bool is_published_ = false;
};

void publish_file(const std::string &path, Bytes content);

// Removes the temporary files that killed processes have left in the directory, if their names
// begin with beginning.  Call it under the lock under which such files are published.
void remove_abandoned(const std::string &directory, std::string_view beginning = {});

std::string directory_of(const std::string &path);
// The directory and those above it that are not there.
void make_directories(const std::string &path);

} // namespace dig

#endif
