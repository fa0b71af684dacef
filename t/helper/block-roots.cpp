// block-roots ROOT:PATH prints the tree hash of the blocks [FIRST, LAST) for each line "FIRST LAST" of standard
// input; with --path, those of all neighbours on the way from the block to the root, for each line "BLOCK".
// The store is that of the current directory.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "libdig/format/tree_cursor.h"
#include "libdig/store/block_roots.h"
#include "libdig/tool/command.h"

using namespace dig;

namespace {

// The neighbours of a block, from the smallest one on.
void print_path(BlockRoots &roots, std::uint64_t block)
{
	for (std::uint64_t most = 1; most < roots.count(); most *= 2) {
		const std::uint64_t first = (block / most ^ 1) * most;
		if (first < roots.count())
			std::puts(to_hex(roots.hash(first, std::min(first + most, roots.count()))).c_str());
	}
}

int run_helper(int argc, char **argv)
{
	const std::string name = argc < 2 ? "" : argv[1];
	const std::size_t colon = name.find(':');
	if (colon == name.npos) {
		std::fputs("usage: block-roots ROOT:PATH [--path]\n", stderr);
		return 129;
	}
	Store store(get_store());
	const TreeRoot manifest = store.manifest(store.resolve(name.substr(0, colon)).generation);
	const std::optional<Entry> entry = find_entry(manifest, name.substr(colon + 1), store.nodes());
	if (!entry)
		throw Error("no such path");
	BlockRoots roots(store, *entry);
	std::uint64_t first, last;
	if (argc > 2) {
		while (std::cin >> first)
			print_path(roots, first);
		return 0;
	}
	while (std::cin >> first >> last)
		std::puts(roots.is_node(first, last) ? to_hex(roots.hash(first, last)).c_str() : "none");
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run_helper(argc, argv);
	} catch (const Error &error) {
		std::fprintf(stderr, "%s\n", error.what());
		return error.status();
	}
}
