// Where the content behind a file root is found.
//
// Most lists were made from this index, with its paths: dig-ls-index, an editor, --index-info.  So the
// record at the same path is looked at first, which costs one step of a cursor.  Roots that it does
// not have may be anywhere, under another path or in an old state.  One search through the trees of
// the store looks for all of them together, since its cost is that of the trees and not of the roots.
#include "libdig/verbs/known_roots.h"

#include "libdig/base/error.h"
#include "libdig/worktree/work_record.h"

namespace dig {

constexpr std::size_t most_known_roots = 65536;

void KnownRoots::add(IndexRecord record, const std::optional<Digest> &file_root)
{
	known_.push_back({std::move(record), file_root, {}});
}

bool KnownRoots::is_full() const { return known_.size() >= most_known_roots; }

// Whether an entry is all that one of a list says, which may leave out the time.
static bool is_just_so(const Entry &there, const Entry &listed)
{
	return there.kind == listed.kind && there.mode == listed.mode &&
		(!listed.mtime_ns || there.mtime_ns == listed.mtime_ns) &&
		(listed.attribute_count == 0 || there.attributes == listed.attributes);
}

static bool is_same_but_content(const Entry &there, const Entry &listed)
{
	return there.kind == listed.kind && there.mode == listed.mode && there.mtime_ns == listed.mtime_ns &&
		there.attributes == listed.attributes;
}

// Most lists come from this index, with its paths.
void KnownRoots::look_into_index(bool is_whole, const RecordTaken &replaced, KnownContents &contents)
{
	IndexCursor at = index_.cursor();
	for (Known &known : known_) {
		const Entry &entry = known.record.entry;
		at.seek(entry.path);
		if (!at.current() || at.current()->entry.path != entry.path)
			continue;
		if (!known.file_root)
			known.record.has_no_file = at.current()->has_no_file;
		if (at.current()->is_removed)
			continue;
		const Entry &there = at.current()->entry;
		if (!known.file_root || there.file_root() != *known.file_root) {
			replaced(*at.current());
			continue;
		}
		contents[*known.file_root] = {there.form, there.content, there.size};
		if (is_whole ? is_same_but_content(there, entry) : is_just_so(there, entry))
			known.there = *at.current();
	}
}

void KnownRoots::put_one(Known &known, const KnownContents &contents, const RecordTaken &put) const
{
	Entry &entry = known.record.entry;
	if (!known.file_root)
		return put(known.record);
	const KnownContent &content = contents.at(*known.file_root);
	if (content.form == ContentForm::none && *known.file_root != empty_root(TreeKind::chunk_list))
		throw Error("nothing is stored with the file root " + to_hex(*known.file_root) +
			"; 'dig hash-object -w' stores a file with its root");
	if (content.size != entry.size)
		throw Error(quote(entry.path) + " is said to have " + std::to_string(entry.size) +
			" bytes, but its file root has " + std::to_string(content.size));
	// It keeps what the list does not say, but is newer now than what was put before.
	if (known.there)
		return put(*known.there);
	entry.form = content.form;
	entry.content = content.content;
	known.record.has_no_file = !may_have_file(root_, entry);
	put(known.record);
}

void KnownRoots::resolve(bool is_whole, const RecordTaken &replaced, const RecordTaken &put)
{
	if (known_.empty())
		return;
	KnownContents contents;
	look_into_index(is_whole, replaced, contents);
	KnownContents wanted;
	for (const Known &known : known_)
		if (known.file_root && !contents.contains(*known.file_root))
			wanted[*known.file_root];
	if (!wanted.empty())
		find_known_contents(store_, index_, wanted);
	contents.merge(wanted);
	for (Known &known : known_)
		put_one(known, contents, put);
	known_.clear();
}

} // namespace dig
