// Answers many requests for content, one behind the other, on a pair of pipes: dig-cat
// --batch-command and --batch-check.
//
//     requests that are there ─► names looked up ─► content read in the order of paths ─► replies in order
//                                by all threads     by all threads
//
// What was asked is answered in order, and in memory that does not depend on the number of requests.
#ifndef DIG_CONTENT_BATCH_H
#define DIG_CONTENT_BATCH_H

#include <deque>
#include <map>

#include "libdig/gateway/manifest_seek.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/tool/batch_contents.h"
#include "libdig/tool/records.h"
#include "libdig/verbs/prover.h"

namespace dig {

struct BatchOptions {
	bool is_check = false;    // records are names, whose kinds and sizes are asked for
	bool is_buffered = false; // replies may wait until the buffer is full, or "flush"
	bool nul = false;         // records end with NUL, and names are verbatim
};

class ContentBatch {
public:
	// All must outlive it.
	ContentBatch(Store &store, Work &work, const BatchOptions &options);
	~ContentBatch();

	// Until the input ends.  Unless buffered, no reply waits while the next request is waited for.  What
	// concerns one request is said in its reply; an Error ends all: damage of content above 4 MiB, whose
	// reply has begun then, and what is no fault of the store's content, as a remote that is not reached.
	void answer(RecordReader &input, Output &output);

private:
	using Command = BatchRequest::Command;

	bool take_requests(RecordReader &input);
	bool take(std::string_view record);
	void parse(BatchRequest &request);
	std::string_view kept(std::string text);
	void parse_name(BatchRequest &request);
	void find_state(BatchRequest &request, std::string_view root);
	BatchState state_of(std::string_view root);
	void find_chunk(BatchRequest &request);
	void sort_paths();
	void find_all();
	void find(BatchRequest &request, ManifestWalk &walk, Entry &entry);
	bool find_path(BatchRequest &request, ManifestWalk &walk, Entry &entry);
	void set_extent(BatchRequest &request);

	void reply_all();
	std::size_t small_ones(std::size_t first) const;
	void reply_small(std::size_t first, std::size_t end);
	void reply(BatchRequest &request);
	void reply_content(BatchRequest &request);
	void read_large(const BatchRequest &request, const ReadPipeline::Take &take);
	void reply_head(const BatchRequest &request, std::uint64_t size);
	void reply_word(const BatchRequest &request, std::string_view word);
	void reply_proof(const BatchRequest &request);

	Store &store_;
	Work &work_;
	BatchOptions options_;
	KeptNodes nodes_;
	ManifestSeek manifests_;
	Prover prover_;
	BatchContents contents_;
	std::optional<ReadPipeline> pipeline_; // of large content, and not while small content is in memory
	std::size_t threads_;
	Output *output_ = nullptr;

	LargeVector<BatchRequest> requests_; // of one round
	std::string texts_;                  // as they came; it never moves
	std::mutex mutex_;
	std::deque<std::string> kept_texts_; // made of those
	struct Name {
		const BatchState *state;
		std::uint64_t begin; // of what paths differ in
		std::uint32_t number;
	};
	std::vector<Name> names_; // in the order of states and paths
	bool is_flushed_ = false;
	std::optional<Error> end_; // why no more requests come
	std::map<std::string, BatchState, std::less<>> states_;
	std::string head_;
};

} // namespace dig

#endif
