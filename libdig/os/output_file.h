// A file that a person names for output, as with "-o FILE".  What stands there already decides
// how it is written, as with cp: a regular file, or none, is replaced by a complete one; into
// a device, a FIFO, or whatever /proc calls a descriptor, the bytes are written as they come.
#ifndef DIG_OUTPUT_FILE_H
#define DIG_OUTPUT_FILE_H

#include <optional>
#include <string>

#include "libdig/os/publish.h"

namespace dig {

class OutputFile {
public:
	// Symlinks are followed; Error for one that leads nowhere, and for a directory.  An existing
	// regular file must be writable, and keeps its mode and, where we may give it away, its owner.
	// When a new file cannot be created beside it, it is written in place.  Opening a FIFO
	// waits for a reader.
	explicit OutputFile(const std::string &path);

	File &file() { return published_ ? published_->file() : direct_; }
	// All of it was written.  A file that replaces another one is durable when this returns, and
	// so is what was written to a block device.  Without it nothing is replaced.
	void finish();

private:
	void replace(const std::string &path, const std::optional<FileStat> &old);

	std::optional<PublishedFile> published_;
	File direct_;
	bool is_device_ = false;
};

} // namespace dig

#endif
