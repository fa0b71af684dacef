// Commits the entries that standard input names, in any order and of any kind, as no tool of dig
// would: lines of KIND MODE PATH TEXT, where KIND is a number and MODE octal.
#include <cstdio>
#include <iostream>

#include "libdig/verbs/commit.h"
#include "libdig/verbs/layer_writer.h"

using namespace dig;

static void store_text(StagingWriter &writer, const std::string &text, const Digest &id)
{
	if (text.empty() || !writer.claim(ItemKind::chunk, id))
		return;
	const ReadyBlock block{ItemKind::chunk, Codec::none, {static_cast<std::uint32_t>(text.size())}, {id},
		bytes_of(text)};
	writer.append({&block, 1}, {});
}

int main()
{
	try {
		const StorePaths paths = get_store();
		const Lock lock = Lock::acquire(paths.lock());
		Store store(paths);
		StagingWriter writer(store, true);
		NodeBlocks nodes(writer);
		// A list of equal chunks beside them, so that the nodes are compressed: of raw blocks, a
		// commit compares the nodes with their ids, and would refuse those that are none.
		TreeBuilder padding(TreeKind::chunk_list, nodes.sink());
		for (int i = 0; i < 31; i++)
			padding.append_chunk(Digest(), 1);
		padding.finish();
		TreeBuilder manifest(TreeKind::manifest, nodes.sink());
		int kind;
		Entry entry;
		std::string text;
		while (std::cin >> kind >> std::oct >> entry.mode >> std::dec >> entry.path && std::getline(std::cin, text)) {
			text.erase(0, 1);
			entry.kind = static_cast<EntryKind>(kind);
			entry.size = text.size();
			entry.form = text.empty() ? ContentForm::none : ContentForm::chunk;
			entry.content = text.empty() ? Digest() : digest_of(bytes_of(text));
			store_text(writer, text, entry.content);
			manifest.append_entry(entry);
		}
		const NodeRef root = manifest.finish();
		nodes.end_block();
		nodes.append({}, {});
		LayerHeader header;
		header.store_id = store.id();
		header.generation = store.roots().size() + 1;
		header.parent_root = store.roots().tip_root();
		header.manifest_root = root.id;
		header.chunking = store.chunking().digest();
		header.texts = texts_digest("forger", "forged");
		header.entries = root.leaves;
		header.bytes = root.bytes;
		const MerklePeaks peaks = store.roots().peaks();
		const Digest id = publish_layer(writer, {header, "forger", "forged", peaks, false, 0}, unseen_work());
		std::puts(to_hex(update_root(store, id, {})).c_str());
	} catch (const Error &error) {
		std::fprintf(stderr, "forge-state: %s\n", error.what());
		return error.status();
	}
}
