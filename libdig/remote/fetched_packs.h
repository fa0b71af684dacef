// Packs that come from a remote, in files that an interrupted fetch leaves for the next one.
#ifndef DIG_FETCHED_PACKS_H
#define DIG_FETCHED_PACKS_H

#include "libdig/remote/remote_layout.h"
#include "libdig/store/store_paths.h"
#include "libdig/verbs/layer_merger.h"

namespace dig {

class FetchedPacks {
public:
	FetchedPacks(const StorePaths &paths, RemoteObjects &objects, Work &work)
		: paths_(paths), objects_(objects), work_(work)
	{
	}

	// Each pack once.
	void add(const std::vector<RootRecord::Pack> &packs);
	std::uint64_t bytes_here() const;
	std::uint64_t bytes_to_come() const;
	// All of them, in ranges.  Stage "fetch"; counts bytes.
	void bring();
	// All of their blocks.  CorruptError for a pack that is damaged, which is not kept.
	void put_into(LayerMerger &merger) const;
	// They are not needed any more.
	void remove() const;

private:
	std::string path_of(const RootRecord::Pack &pack) const { return paths_.tmp() + "/fetch-" + to_hex(pack.id); }
	void bring_pack(const RootRecord::Pack &pack);
	void put_pack(LayerMerger &merger, const RootRecord::Pack &pack) const;

	const StorePaths &paths_;
	RemoteObjects &objects_;
	Work &work_;
	std::vector<RootRecord::Pack> packs_;
};

} // namespace dig

#endif
