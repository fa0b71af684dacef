// A file that a person names for output, as with "-o FILE".  As with cp, the way of writing depends
// on what is there already.  A regular file, or none, is replaced by a complete one.  A device, a
// FIFO or a descriptor in /proc gets the bytes as they come.
#ifndef DIG_OUTPUT_FILE_H
#define DIG_OUTPUT_FILE_H

#include <optional>
#include <string>

#include "libdig/os/publish.h"

namespace dig {

class OutputFile {
public:
	// Follows symbolic links.  A link that leads nowhere, or a directory, is an Error.  An
	// existing regular file must be writable.  It keeps its mode and, if this process may set
	// it, its owner.  If no new file can be created beside it, it is written in place.  Opening
	// a FIFO waits for a reader.
	explicit OutputFile(const std::string &path);

	File &file() { return published_ ? published_->file() : direct_; }
	// To be called when all is written; without this call nothing is replaced.  When it
	// returns, a new file is durable, and so are the bytes on a block device.
	void finish();

private:
	void replace(const std::string &path, const std::optional<FileStat> &old);

	std::optional<PublishedFile> published_;
	File direct_;
	bool is_device_ = false;
};

} // namespace dig

#endif
