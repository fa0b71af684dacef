// Makes layer files fewer and smaller; what is stored stays the same.
#ifndef DIG_REPACK_H
#define DIG_REPACK_H

#include <functional>
#include <string>

#include "libdig/store/store.h"
#include "libdig/watch/metrics.h"

namespace dig {

struct RepackOptions {
	bool is_pending_only = false;   // files with content that was to be compressed later
	bool brings_content = false;    // only: content that lies in a remote comes into the store
	int level = 0;                  // 0: 9, and files that are large enough already stay as they are
	bool has_long_blocks = false;   // 4 MiB of content a block: smaller files, slower access to small chunks
	bool is_dry = false;
	std::int64_t deadline_ns = 0;   // of clock_ns(); 0: none
	std::function<void(const GenerationRange &range, std::uint64_t before, std::uint64_t after)> made;
	std::function<void(const std::string &)> notice;
	// Stage "copy".
	Work *work = &unseen_work();
};

struct RepackResult {
	std::uint64_t layers_before = 0, layers_after = 0;
	std::uint64_t size_before = 0, size_after = 0; // bytes of layer files
	bool is_finished = true;
};

// One repack or gc at a time; takes the store's lock for moments.  What is made is read back and compared
// before what it was made of is removed.  Ends what dig gc --undo could bring back.
RepackResult repack_store(const StorePaths &paths, const RepackOptions &options);

// After a commit: merges the newest small files if there are many, without compressing anew.  Copies at
// most a tenth of the bytes of the newest layer, or 1 MiB.  Does nothing while a gc or a repack runs.  Under
// the store's lock.
void merge_small_layers(Store &store);

// Bytes of content that were stored raw, to be compressed later: in all layers.
std::uint64_t pending_bytes(Store &store);
std::uint64_t layer_file_count(const Store &store);

} // namespace dig

#endif
