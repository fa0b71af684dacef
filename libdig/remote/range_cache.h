// Parts of packs that came from a remote, kept on disk in bounded space: .dig/cache.
#ifndef DIG_RANGE_CACHE_H
#define DIG_RANGE_CACHE_H

#include <list>
#include <map>
#include <mutex>
#include <optional>

#include "libdig/format/layer_format.h"
#include "libdig/os/file.h"

namespace dig {

// Several processes may use one directory.  What is damaged, as after a power cut, is as if it were not there.
// Where nothing can be written, nothing is kept.  Any thread.
class RangeCache {
public:
	// The directory is made with the first part.  limit in bytes; 0 keeps nothing.
	RangeCache(std::string directory, std::uint64_t limit) : directory_(std::move(directory)), limit_(limit) {}

	// Fills the buffer if all of it is in one part.
	bool read(const Digest &pack, MutableBytes buffer, std::uint64_t offset);
	void add(const Digest &pack, Bytes bytes, std::uint64_t offset);
	// Parts that have some of these bytes do not count any more.
	void distrust(const Digest &pack, std::uint64_t offset, std::uint64_t size);

private:
	struct Segment {
		std::uint64_t number;
		File file;
		std::uint64_t end = 0; // of the records that were seen
	};
	struct Part {
		std::list<Segment>::iterator segment;
		std::uint64_t place; // of its bytes, in the segment
		std::uint32_t size, checksum;
		bool is_compared = false;
	};
	using Key = std::pair<Digest, std::uint64_t>;

	void look();
	void open_segment(std::uint64_t number);
	void scan(std::list<Segment>::iterator segment);
	void forget(std::list<Segment>::iterator segment);
	bool is_intact(Part &part) const;
	void append_record(const Digest &pack, Bytes bytes, std::uint64_t offset);
	std::string path_of(std::uint64_t number) const { return directory_ + "/parts-" + std::to_string(number); }

	std::string directory_;
	std::uint64_t limit_;
	std::mutex mutex_;
	std::list<Segment> segments_; // oldest first
	std::map<Key, Part> parts_;
	bool was_opened_ = false, is_broken_ = false;
};

} // namespace dig

#endif
