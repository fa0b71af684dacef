// Both nodes are in the order of their paths, so that one walk through the last node finds what the two have in
// common.  The encoding of an item tells where it ends: bytes that begin with a checked item are that item.
#include "libdig/format/node_memo.h"

namespace dig {

void NodeMemo::begin(TreeKind kind, int level)
{
	if (kind != kind_ || level != level_)
		last_ = Known();
	kind_ = kind;
	level_ = level;
	next_.list.clear();
	same_.clear();
	number_ = 0;
	at_ = 0;
}

std::string_view NodeMemo::next_path() const
{
	const NodeItem &item = last_.list[number_];
	return text_of(Bytes(last_.items).subspan(at_ + item.path_at, item.path_size));
}

void NodeMemo::pass() { at_ += last_.list[number_++].size; }

const NodeItem *NodeMemo::known(Bytes rest)
{
	if (number_ == last_.list.size())
		return nullptr;
	const NodeItem &item = last_.list[number_];
	if (rest.size() < item.size || std::memcmp(rest.data(), last_.items.data() + at_, item.size) != 0)
		return nullptr;
	same_.push_back(number_);
	next_.list.push_back(item);
	pass();
	return &next_.list.back();
}

void NodeMemo::add(const NodeItem &item, std::string_view path)
{
	same_.push_back(no_leaf);
	next_.list.push_back(item);
	if (kind_ == TreeKind::manifest)
		while (number_ < last_.list.size() && next_path() <= path)
			pass();
	else if (number_ < last_.list.size())
		pass();
}

Digest NodeMemo::finish(Bytes items)
{
	sizes_.clear();
	for (const NodeItem &item : next_.list)
		sizes_.push_back(item.size);
	const Digest hash = merkle_tree_hash(items, sizes_, next_.tree, same_, last_.tree);
	next_.items.assign(items.begin(), items.end());
	std::swap(last_, next_);
	return hash;
}

} // namespace dig
