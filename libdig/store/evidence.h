// When which part of a store was last read and found whole: .dig/evidence.  Derived, and not durable.
#ifndef DIG_EVIDENCE_H
#define DIG_EVIDENCE_H

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "libdig/os/file.h"
#include "libdig/store/store.h"

namespace dig {

// Times of numbers from 0 on: blocks of a file, or generations.
class VerifiedParts {
public:
	struct Part {
		std::uint64_t first, end; // the number behind the last one
		std::int64_t time_s;      // since 1970; 0 for what was never verified
		bool operator==(const Part &) const = default;
	};
	// Neighbours whose times are near to each other become one, with the older time.  Of more parts than
	// this, the smallest are forgotten.
	static constexpr std::size_t most = 64;

	void add(const Part &part);
	// Forgets what is known of [first, end).
	void remove(std::uint64_t first, std::uint64_t end);
	// In order; they do not overlap.
	const std::vector<Part> &parts() const { return parts_; }
	// Parts, and the gaps between them, up to end.
	std::vector<Part> with_gaps(std::uint64_t end) const;

private:
	std::vector<Part> parts_;
};

class Evidence {
public:
	static constexpr std::int64_t near_s = 3600; // times that count as one

	// A layer file.  Another file of the same name, or one that was written to, is not known.
	struct LayerFile {
		Digest id; // layer id, or pack id of a merged layer
		std::uint64_t size, inode;
		std::int64_t mtime_ns;
		auto operator<=>(const LayerFile &) const = default;
	};
	static LayerFile layer_file(const Store &store, std::uint64_t generation, const FileStat &stat);

	static bool is_kept(const StorePaths &paths);
	// Empty if there is none, or if it is damaged.
	static Evidence load(const StorePaths &paths);
	// Forgets files that the store no longer has.  False where this user may not write, or has no room.
	bool save(Store &store) const;

	// Of a file with so many blocks; a file without blocks counts as one with 1.
	VerifiedParts &blocks(const LayerFile &file, std::uint64_t count);
	// By generation - 1: all that a state has and the one before it had not.
	VerifiedParts &states() { return states_; }

	struct Summary {
		unsigned recent_percent = 0;           // of the bytes of layer files, rounded down
		std::optional<std::int64_t> oldest_s; // age; nothing where something was never verified
	};
	static constexpr std::int64_t recent_s = 30 * 86400;
	Summary summary(Store &store, std::int64_t now_s) const; // looks at each layer file

private:
	struct Blocks {
		std::uint64_t count = 1;
		VerifiedParts parts;
	};
	std::map<LayerFile, Blocks> files_;
	VerifiedParts states_;
};

// "98% within 30 days, oldest 41 days"
std::string evidence_text(const Evidence::Summary &summary);

// Calls take with the home generation and the stat of each layer file that is there.
void each_layer_file(Store &store, const std::function<void(std::uint64_t home, const FileStat &stat)> &take);

} // namespace dig

#endif
