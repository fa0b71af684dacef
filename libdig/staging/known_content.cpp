// Lists of entries name a file by its root.  An entry of one chunk has the chunk id instead, and
// from a root no chunk id follows.  So a root is looked for in the order of what it costs: as a
// node in layers and pack, then among the entries of the index, then in the history, newest first.
#include "libdig/staging/known_content.h"

#include "libdig/staging/staged_items.h"

namespace dig {

class KnownContentSearch {
public:
	KnownContentSearch(Store &store, KnownContents &wanted) : store_(store), wanted_(wanted), missing_(wanted.size()) {}

	void look_at_nodes()
	{
		StagedNodes staged(store_.paths());
		for (auto &[root, known] : wanted_) {
			if (root == empty_root(TreeKind::chunk_list)) {
				missing_--;
				continue;
			}
			std::optional<Buffer> stored = store_.find_item_bytes(ItemKind::node, root);
			if (!stored)
				stored = staged.find(root);
			if (!stored)
				continue;
			const Node node = load_root([&](const Digest &) { return std::move(*stored); }, TreeKind::chunk_list, root);
			if (node.level() == 0 && node.size() == 1)
				known = {ContentForm::chunk, node.chunk_id(0), node.bytes()};
			else
				known = {ContentForm::file_root, root, node.bytes()};
			missing_--;
		}
	}

	void look_at_index(const Index &index)
	{
		for (IndexCursor at = index.cursor(); missing_ > 0 && at.current(); at.next())
			if (!at.current()->is_removed)
				look_at(at.current()->entry);
	}

	// What a state and the one before it do not have alike is in one of them.
	void look_at_history()
	{
		for (std::uint64_t generation = store_.roots().size(); missing_ > 0 && generation > 0; generation--)
			diff_manifests(store_.manifest(generation - 1), store_.manifest(generation), store_.nodes(),
				[&](const Entry *, const Entry *entry) {
					if (entry)
						look_at(*entry);
				});
	}

private:
	void look_at(const Entry &entry)
	{
		if (entry.form != ContentForm::chunk)
			return;
		const auto found = wanted_.find(entry.file_root());
		if (found == wanted_.end() || found->second.form != ContentForm::none)
			return;
		found->second = {entry.form, entry.content, entry.size};
		missing_--;
	}

	Store &store_;
	KnownContents &wanted_;
	std::size_t missing_;
};

void find_known_contents(Store &store, const Index &index, KnownContents &wanted)
{
	KnownContentSearch search(store, wanted);
	search.look_at_nodes();
	search.look_at_index(index);
	search.look_at_history();
}

} // namespace dig
