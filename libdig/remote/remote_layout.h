// What lies in a remote: objects that are made once and never replaced (dig-remote-format(5)).
//
//     dig-remote                    which store it is of
//     packs/<pack id>               chunks and nodes
//     roots/<generation, 20 digits> what a state says of itself, and the packs that came with it
#ifndef DIG_REMOTE_LAYOUT_H
#define DIG_REMOTE_LAYOUT_H

#include <vector>

#include "libdig/format/layer_format.h"
#include "libdig/format/store_format.h"
#include "libdig/remote/remote_objects.h"
#include "libdig/watch/metrics.h"

namespace dig {

constexpr char description_key[] = "dig-remote", roots_prefix[] = "roots/";
std::string pack_key(const Digest &pack_id);
std::string root_key(std::uint64_t generation);
// Nothing if the key is none of these.
std::optional<std::uint64_t> generation_of_key(std::string_view key);

struct RemoteDescription {
	Digest store_id;
	ChunkingParameters chunking;

	Buffer encoded() const;
	static RemoteDescription decode(Bytes object, std::string_view name);
};

struct RootRecord {
	using Pack = PackElsewhere;
	LayerState state;
	Digest root;             // that the state leads to
	bool is_dropped = false; // its content was dropped before it came
	Digest nonce;            // of who made the record
	// The state whose record has the packs that came with this one: itself, or the first of one push.
	std::uint64_t content_at = 0;
	// What a state needs is in the packs that came with it, and with the states before it.
	std::vector<Pack> packs;

	Buffer encoded() const;
	static RootRecord decode(Bytes object, std::string_view name);
};
constexpr std::size_t max_root_record_size = 40_MiB;

// Objects never change, so that the description and the record that came last are not asked for again.
// The bytes from offset on.  Error if the pack is gone, CorruptError if it has another size.
Buffer get_part(RemoteObjects &objects, const PackElsewhere &pack, std::uint64_t offset, std::uint64_t size);
// The same into a file, at the same offsets, in ranges of 16 MiB.  Counts bytes.
void copy_part(RemoteObjects &objects, const PackElsewhere &pack, std::uint64_t begin, std::uint64_t end,
	const File &file, Work &work);

class RemoteStore {
public:
	explicit RemoteStore(RemoteObjects &objects) : objects_(objects) {}

	// Nothing where there is no remote yet.
	std::optional<RemoteDescription> description();
	// False if somebody else has made one meanwhile.
	bool describe(const RemoteDescription &description);
	// Of the states after this one; in order and without gaps, else CorruptError.
	std::vector<std::uint64_t> generations_after(std::uint64_t generation);
	std::optional<RootRecord> record(std::uint64_t generation);
	// False if there is another record already.
	bool add_record(const RootRecord &record);
	RemoteObjects &objects() { return objects_; }

private:
	RemoteObjects &objects_;
	std::optional<RemoteDescription> description_;
	std::optional<RootRecord> last_;
};

} // namespace dig

#endif
