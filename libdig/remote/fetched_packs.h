// Packs that come from a remote, in files that an interrupted fetch leaves for the next one.
#ifndef DIG_FETCHED_PACKS_H
#define DIG_FETCHED_PACKS_H

#include "libdig/os/lock.h"
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

	// Those that came with the state, each once.  Reads the record that has them if that is another one, once.
	void add_for(const RootRecord &record, RemoteStore &remote);
	const std::vector<RootRecord::Pack> &packs() const { return packs_; }
	std::uint64_t bytes_here() const;
	std::uint64_t bytes_to_come() const;
	// All of them, in ranges.  Stage "fetch"; counts bytes.
	void bring();
	// Their blocks, but for those whose items are all here.  CorruptError for a pack that is damaged, which is
	// not kept.
	using IsHere = std::function<bool(ItemKind kind, const Digest &id)>;
	void put_into(LayerMerger &merger, const IsHere &is_here) const;
	// They are not needed any more, and what others have left that were killed neither.
	void remove();
	// The latter alone.  Nothing is removed while another process brings packs.
	static void remove_left(const StorePaths &paths);

private:
	std::string path_of(const RootRecord::Pack &pack) const { return paths_.tmp() + "/fetch-" + to_hex(pack.id); }
	void add(const std::vector<RootRecord::Pack> &packs);
	void bring_pack(const RootRecord::Pack &pack);
	void put_pack(LayerMerger &merger, const IsHere &is_here, const RootRecord::Pack &pack) const;

	const StorePaths &paths_;
	RemoteObjects &objects_;
	Work &work_;
	std::vector<RootRecord::Pack> packs_;
	std::optional<Lock> lock_; // shared by all that bring packs
	std::uint64_t last_read_ = 0; // the record that was read last, or was given
};

} // namespace dig

#endif
