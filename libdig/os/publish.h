// The one way a file becomes visible: temporary name beside the target, write, fdatasync,
// rename, fsync of the directory, and only then success.  A reader sees the old file or the new
// one, also after a power cut.
#ifndef DIG_PUBLISH_H
#define DIG_PUBLISH_H

#include "libdig/os/file.h"

namespace dig {

// A file being written under a temporary name; removed unless published.
class PublishedFile {
public:
	// The temporary name lies beside path, with the process id in it, and is nobody else's.
	explicit PublishedFile(std::string path);
	~PublishedFile();
	PublishedFile(const PublishedFile &) = delete;
	PublishedFile &operator=(const PublishedFile &) = delete;

	File &file() { return file_; }
	enum class Durability { file_and_directory, file_only, none };
	// Makes it visible; afterwards success may be reported.  Callers that sync the directory
	// themselves, once for several files, say file_only; those of files that can be made anew
	// say none.  Then it is written before its name is, but no power cut is waited for: a file
	// system with a journal loses both or nothing.
	void publish(Durability durability = Durability::file_and_directory);

private:
	std::string path_, temporary_;
	File file_;
	bool is_published_ = false;
};

void publish_file(const std::string &path, Bytes content);

// Removes what killed processes left of files that they were writing in the directory, of those whose
// names begin so.  Under the lock that such files are published under.
void remove_abandoned(const std::string &directory, std::string_view beginning = {});

std::string directory_of(const std::string &path);

} // namespace dig

#endif
