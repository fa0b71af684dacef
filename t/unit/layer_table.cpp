#include "libdig/format/layer_table.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(layer_table)

static MergedLayer merged(std::uint64_t first, std::uint64_t last)
{
	MergedLayer merged{{first, last}, {}};
	merged.pack_id.bytes[0] = static_cast<std::uint8_t>(first);
	merged.pack_id.bytes[1] = static_cast<std::uint8_t>(last);
	return merged;
}

BOOST_AUTO_TEST_CASE(a_merged_layer_takes_the_place_of_those_within)
{
	LayerTable table;
	BOOST_TEST(table.home(4) == 4U);
	table.merge(merged(3, 5));
	table.merge(merged(8, 9));
	BOOST_TEST(table.home(3) == 5U);
	BOOST_TEST(table.home(6) == 6U);
	BOOST_TEST(table.home(8) == 9U);
	table.merge(merged(2, 7));
	BOOST_TEST(table.merged().size() == 2U);
	BOOST_TEST(table.home(2) == 7U);
	BOOST_TEST((table.find(1) == nullptr));
	table.split({1, 9});
	BOOST_TEST(table.merged().empty());
}

BOOST_AUTO_TEST_CASE(dropped_generations_are_ranges_that_do_not_touch)
{
	LayerTable table;
	for (const std::uint64_t generation : {5, 3, 7, 4, 6, 1, 4})
		table.drop(generation);
	BOOST_TEST((table.dropped() == std::vector<GenerationRange>{{1, 1}, {3, 7}}));
	for (const std::uint64_t generation : {1, 3, 5, 7})
		BOOST_TEST(table.is_dropped(generation));
	for (const std::uint64_t generation : {0, 2, 8})
		BOOST_TEST(!table.is_dropped(generation));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read)
{
	LayerTable table;
	table.merge(merged(3, 5));
	table.drop(4);
	table.advance();
	table.count_drop();
	table.count_round();
	BOOST_TEST((LayerTable::decode(table.encoded(), "table") == table));
}

BOOST_AUTO_TEST_CASE(generations_that_are_not_in_order_are_refused)
{
	LayerTable table;
	table.set_dropped({{5, 6}, {3, 4}});
	BOOST_CHECK_THROW(LayerTable::decode(table.encoded(), "table"), CorruptError);
	table.set_dropped({{4, 3}});
	BOOST_CHECK_THROW(LayerTable::decode(table.encoded(), "table"), CorruptError);
	table.set_dropped({{0, 3}});
	BOOST_CHECK_THROW(LayerTable::decode(table.encoded(), "table"), CorruptError);
}

// A run of the chunk index that was made of other files is known by it.
BOOST_AUTO_TEST_CASE(the_source_of_a_run_depends_on_the_merged_layers_that_it_covers)
{
	LayerTable table;
	const Digest root = merged(9, 9).pack_id;
	BOOST_TEST((table.source_of(root, {1, 10}) == root));
	table.merge(merged(3, 5));
	BOOST_TEST((table.source_of(root, {6, 10}) == root));
	BOOST_TEST((table.source_of(root, {5, 10}) != root));
	const Digest before = table.source_of(root, {1, 10});
	table.merge(merged(2, 5));
	BOOST_TEST((table.source_of(root, {1, 10}) != before));
}

BOOST_AUTO_TEST_SUITE_END()
