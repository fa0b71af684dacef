// Entries that are staged by their file root, without content: dig update-index --index-info.
//
// The content must be known already: it is staged, or in any state.  The roots are collected, so that
// the trees of the store are searched once for very many of them.
#ifndef DIG_KNOWN_ROOTS_H
#define DIG_KNOWN_ROOTS_H

#include <functional>
#include <optional>
#include <vector>

#include "libdig/staging/index.h"
#include "libdig/staging/known_content.h"

namespace dig {

class KnownRoots {
public:
	// All must outlive this.  root is the work tree.
	KnownRoots(Store &store, const Index &index, const File &root) : store_(store), index_(index), root_(root) {}

	// No root is a removal.
	void add(IndexRecord record, const std::optional<Digest> &file_root);
	// 65,536 of them, with their content some 20 MiB.
	bool is_full() const;

	using RecordTaken = std::function<void(const IndexRecord &)>;
	// Gives each record with its content to put, in the order of add(), and before that each record of
	// the index whose content it takes the place of to replaced.  An entry that the index has as it is
	// listed keeps what the list leaves out; is_whole: the lists leave out nothing.  Afterwards this is
	// empty.  Error when nothing is stored with a root, or its content has another size.
	void resolve(bool is_whole, const RecordTaken &replaced, const RecordTaken &put);

private:
	struct Known {
		IndexRecord record;
		std::optional<Digest> file_root;
		std::optional<IndexRecord> there; // in the index, with all that the list says
	};
	void look_into_index(bool is_whole, const RecordTaken &replaced, KnownContents &contents);
	void put_one(Known &known, const KnownContents &contents, const RecordTaken &put) const;

	Store &store_;
	const Index &index_;
	const File &root_;
	std::vector<Known> known_;
};

} // namespace dig

#endif
