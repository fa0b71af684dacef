// Targets for what comes from a remote, and for what leads to content elsewhere.
#include <algorithm>

#include "libdig/format/layer_hints.h"
#include "libdig/remote/remote_layout.h"
#include "t/fuzz/fuzz.h"

namespace dig {

static std::vector<Buffer> none() { return {}; }

static void run_record(Bytes input)
{
	const RootRecord record = RootRecord::decode(input, "record");
	const RootRecord again = RootRecord::decode(record.encoded(), "again");
	require(again.root == record.root && again.packs.size() == record.packs.size(), "a record is read back");
}

static void run_description(Bytes input)
{
	const RemoteDescription description = RemoteDescription::decode(input, "description");
	const RemoteDescription again = RemoteDescription::decode(description.encoded(), "again");
	require(again.store_id == description.store_id && again.encoded() == description.encoded(), "a description is read back");
}

static void run_packs(Bytes input)
{
	require(std::ranges::equal(encoded_packs(decode_packs(input, "packs")), input), "a list of packs has one form");
}

static std::vector<Buffer> pack_seeds()
{
	std::vector<PackElsewhere> packs(3);
	for (PackElsewhere &pack : packs)
		pack.size = 1_MiB;
	return {encoded_packs(packs), encoded_packs({packs.begin(), packs.begin() + 1})};
}

static void run_hints(Bytes input)
{
	LayerHints known;
	known.add(decode_hints(input));
	const HintsSection hints = HintsSection::decode(input, "hints");
	known.add(hints.places);
	for (const Buffer &node : hints.nodes)
		known.add_node(node);
	for (const HintRecord &place : hints.places)
		known.find_block(place.block);
	require(HintsSection::decode(hints.encoded(), "again").nodes == hints.nodes, "hints are read back");
}

static std::vector<Buffer> hint_seeds()
{
	HintsSection hints;
	hints.items = 70000;
	hints.bits = 8;
	for (std::uint32_t i = 0; i < 40; i++) {
		HintRecord &place = hints.places.emplace_back();
		place.block = i;
		place.offset = i * 4096;
		place.length = place.span = 4096;
	}
	hints.nodes.push_back(seed("no node"));
	const Buffer packed = hints.encoded();
	// As it is before it is packed, which mutations get further into.
	hints.places.resize(1);
	return {packed, encoded_hints(hints.places), hints.encoded()};
}

const std::vector<FuzzTarget> remote_targets = {
	{"remote-record", "DIGRTREC", none, run_record, repair_sealed},
	{"remote-description", "DIGREMOT", none, run_description, repair_sealed},
	{"packs-elsewhere", "", pack_seeds, run_packs, nullptr},
	{"layer-hints", "", hint_seeds, run_hints, nullptr},
};

} // namespace dig
