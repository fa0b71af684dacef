// Stages what the records of a walk show: what is new or changed is taken, and what the index has and
// the work tree has no more is removed.
//
// The records may come through a pipe whose other end dies.  What they show is there, and can be
// taken as it comes.  What they do not show may be beyond the last record that arrived: so no removal
// is staged before the end record has come and its count has shown that nothing was lost.
#ifndef DIG_RECORD_TAKER_H
#define DIG_RECORD_TAKER_H

#include "libdig/verbs/indexed_walk.h"
#include "libdig/verbs/stage.h"

namespace dig {

struct RecordTakerOptions {
	bool removes = false; // what is gone; else it stays in the index
	std::function<void(const WorkRecord &)> skipped = nullptr; // is told of what cannot be taken
	// The walk has failed and has said why, after some of its records were taken.
	std::function<void()> aborted = nullptr;
};

class RecordTaker : private IndexedWalk::Visitor {
public:
	// stage and root must outlive this.
	RecordTaker(Stage &stage, const File &root, RecordTakerOptions options);

	// The records of dig-ls-work in their order.  Error for one behind the end, or an end that counts
	// other records than came; ToldElsewhere for that of a walk that failed.
	void take(const WorkRecord &record);
	// All records came: stages the removals.  Error if there was no end record.
	void finish();

private:
	void present(const WorkRecord &found, const IndexRecord *) override { stage_.present(found); }
	void absent(const IndexRecord &known, const WorkRecord *found) override;
	void failed(const std::string &path, const std::string &message) override { stage_.failed(path, message); }
	void missing(const std::string &path) override;
	void skipped(const WorkRecord &found) override { options_.skipped(found); }
	void flush_gone();
	std::string link_above(const std::string &path) const;

	Stage &stage_;
	const File &root_;
	RecordTakerOptions options_;
	IndexedWalk walk_;
	std::uint64_t count_ = 0;
	bool has_ended_ = false;
	File gone_; // paths to remove, each with a NUL behind it
	std::string gone_buffer_;
	std::uint64_t gone_size_ = 0;
};

} // namespace dig

#endif
