// Answers many requests for content, one behind the other, on a pair of pipes: dig-cat
// --batch-command and --batch-check.
//
//     requests that are there ─► names looked up ─► content read in the order of paths ─► replies in order
//                                by all threads     by all threads
//
// What was asked is answered in order, and in memory that does not depend on the number of requests.
#ifndef DIG_CONTENT_BATCH_H
#define DIG_CONTENT_BATCH_H

#include <map>

#include "libdig/gateway/manifest_seek.h"
#include "libdig/gateway/served_content.h"
#include "libdig/os/arena.h"
#include "libdig/store/read_pipeline.h"
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

	// Until the input ends.  Unless buffered, no reply waits while the next request is waited for.  What
	// concerns one request is said in its reply; an Error ends all: damage of content above 4 MiB, whose
	// reply has begun then, and what is no fault of the store's content, as a remote that is not reached.
	void answer(RecordReader &input, Output &output);

private:
	enum class Command : std::uint8_t { contents, range, info, exists, prove, none };
	// A state that a request names.
	struct State {
		const char *trouble = nullptr;
		std::uint64_t generation = 0;
		TreeRoot manifest{Digest()};
	};
	struct Request {
		std::string text; // as it came
		std::size_t name_at = 0;
		Command command = Command::none;
		std::string unquoted;
		std::optional<ByteRange> range;
		const State *state = nullptr;
		std::string_view path; // in text or unquoted

		// The answer: a word why there is nothing to show, or what there is.
		const char *trouble = nullptr;
		std::optional<Error> failure;
		const char *kind = nullptr;
		Digest digest;
		Entry entry;
		std::optional<Buffer> chunk;
		std::uint64_t size = 0;
		ByteRange::Extent extent;
		std::size_t memory_at = 0; // in memory_, unless it is one small chunk
		Bytes bytes;               // of small content

		std::string_view shown_name() const { return std::string_view(text).substr(name_at); }
		// Of an entry.
		bool wants_bytes() const
		{
			return state && !trouble && !failure && (command == Command::contents || command == Command::range);
		}
		bool is_one_chunk() const { return entry.form == ContentForm::chunk && entry.size <= small_content; }
	};
	static constexpr std::uint64_t small_content = 256_KiB;

	// What one thread reads small chunks with.
	struct Lane {
		Lane(Store &store, ChunkCache &none, Work &work) : reader(store, none, work) { reader.keep_no_blocks(); }
		ChunkReader reader;
		std::vector<WantedChunk> wanted;
		Arena memory;
	};

	bool take_requests(RecordReader &input);
	bool take(std::string_view record);
	void parse(Request &request);
	void parse_name(Request &request);
	void find_state(Request &request, std::string_view root);
	State state_of(std::string_view root);
	void find_chunk(Request &request);
	void find_all();
	void find(Request &request);
	void find_path(Request &request);
	void set_extent(Request &request);

	void reply_all();
	std::size_t small_ones(std::size_t first);
	void read_small(std::size_t first, std::size_t end);
	void keep_memory(std::size_t parts_size);
	void read_chunks();
	void read_lane(Lane &lane, std::span<const std::uint32_t> numbers);
	void read_parts();
	void reply(Request &request);
	void reply_content(Request &request);
	void read_large(const Request &request, const ReadPipeline::Take &take);
	void reply_head(const Request &request, std::uint64_t size);
	void reply_word(const Request &request, std::string_view word);
	void reply_proof(const Request &request);
	void in_parallel(std::size_t count, std::size_t least, const std::function<void(std::size_t, std::size_t)> &job);

	Store &store_;
	Work &work_;
	BatchOptions options_;
	KeptNodes nodes_;
	ManifestSeek manifests_;
	Prover prover_;
	ServedContent content_;
	std::optional<ReadPipeline> pipeline_; // of large content, and not while small content is in memory
	std::size_t threads_;
	Output *output_ = nullptr;

	std::vector<Request> requests_; // of one round; those behind count_ are kept for their memory
	std::size_t count_ = 0;
	bool is_flushed_ = false;
	std::optional<Error> end_; // why no more requests come
	std::map<std::string, State, std::less<>> states_;
	std::size_t most_memory_;
	ChunkCache no_blocks_{0};
	std::vector<std::unique_ptr<Lane>> lanes_;
	std::vector<std::uint32_t> chunks_, parts_; // requests for one small chunk, and for other small content
	Buffer memory_;
	std::string head_;
};

} // namespace dig

#endif
