// Requests are taken in rounds.  A round has what is there when the last one is answered; if replies may
// wait, it goes on until it is full.  All names of a round are looked up, then content is read in the
// order of paths, since small files that were added together lie in the same blocks: a block is decoded
// for all requests that want some of it.  Replies are given in the order of the requests.
//
// A round that was read ahead delays no reply that somebody waits for: only what has arrived is taken,
// and whoever waits for a reply has sent its request.
#include "libdig/tool/content_batch.h"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "libdig/base/path.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::size_t most_requests = 20480, most_text = 2_MiB; // of a round
// For small content that is read together, as far as the settings allow: the more is read at once, the
// fewer blocks are decoded twice.  The rest of the process takes this much.
constexpr std::size_t most_memory = 56_MiB, least_memory = 4_MiB, other_memory = 24_MiB;
constexpr std::size_t most_lanes = 4; // each has memory for a block
// "corrupt" can only be said before the first byte: content up to this size is held back until all of it
// is known to be good.
constexpr std::uint64_t held_back_size = 4_MiB;
constexpr std::size_t node_memory = 8_MiB;
constexpr std::size_t most_states = 1024;
constexpr ServedContent::Limits content_limits{.blocks = 4_MiB, .block_file = 1_GiB, .windows = 4_MiB};

// What a thread takes at once.
constexpr std::size_t least_names = 64, least_contents = 16;

namespace word {
constexpr char missing[] = "missing", no_state[] = "no-such-state", dropped[] = "dropped", ambiguous[] = "ambiguous",
	       directory[] = "directory", beyond_end[] = "beyond-end", corrupt[] = "corrupt", malformed[] = "malformed",
	       unsupported[] = "unsupported", exists[] = "exists";
} // namespace word

ContentBatch::ContentBatch(Store &store, Work &work, const BatchOptions &options)
	: store_(store), work_(work), options_(options), nodes_(store, node_memory), manifests_(nodes_), prover_(store),
	  content_(store, nodes_, content_limits), threads_(worker_threads(store.settings()))
{
	const std::uint64_t budget = memory_budget(store.settings());
	const std::uint64_t room = budget > other_memory ? budget - other_memory : 0;
	most_memory_ = std::clamp<std::uint64_t>(room, least_memory, most_memory);
	requests_.reserve(most_requests); // takes memory only as they come
	for (std::size_t i = 0; i < std::min(threads_, most_lanes); i++)
		lanes_.push_back(std::make_unique<Lane>(store, no_blocks_, work));
}

void ContentBatch::answer(RecordReader &input, Output &output)
{
	output_ = &output;
	output.set_end(record_end(options_.nul));
	while (take_requests(input)) {
		if (store_.refresh()) {
			states_.clear();
			content_.forget_places();
		}
		find_all();
		reply_all();
		if (is_flushed_)
			output.flush();
		if (end_)
			throw *end_;
	}
}

// --- requests -------------------------------------------------------------------------------

// False at the end of the input.
bool ContentBatch::take_requests(RecordReader &input)
{
	count_ = 0;
	is_flushed_ = false;
	for (std::size_t text = 0; !is_flushed_ && count_ < most_requests && text < most_text;) {
		if (!options_.is_buffered && !input.has_next()) {
			if (count_ > 0)
				break;
			output_->flush();
		}
		std::optional<std::string_view> record;
		try {
			record = input.next();
		} catch (const Error &error) {
			// What came before it is answered.
			end_ = error;
			return true;
		}
		if (!record)
			return count_ > 0;
		text += record->size();
		is_flushed_ = !take(*record);
	}
	return true;
}

// False for "flush", which has no reply.
bool ContentBatch::take(std::string_view record)
{
	if (!options_.is_check && record == "flush")
		return false;
	if (count_ == requests_.size())
		requests_.emplace_back();
	Request &request = requests_[count_++];
	request = Request();
	request.text = record;
	return true;
}

static std::optional<std::string_view> without_prefix(std::string_view text, std::string_view prefix)
{
	if (!text.starts_with(prefix))
		return {};
	return text.substr(prefix.size());
}

// By one thread: it looks up states and staged chunks.
void ContentBatch::parse(Request &request)
{
	const std::string_view text = request.text;
	const auto take_command = [&](std::string_view prefix, Command command) {
		const std::optional<std::string_view> rest = without_prefix(text, prefix);
		if (rest) {
			request.command = command;
			request.name_at = text.size() - rest->size();
		}
		return rest.has_value();
	};
	if (options_.is_check)
		request.command = Command::info;
	else if (!take_command("contents ", Command::contents) && !take_command("info ", Command::info) &&
		!take_command("range ", Command::range) && !take_command("exists ", Command::exists) &&
		!take_command("prove ", Command::prove)) {
		request.trouble = word::malformed;
		return;
	}
	if (request.command == Command::range) {
		const std::string_view rest = request.shown_name();
		const std::size_t space = rest.find(' ');
		if (space != rest.npos)
			request.range = parse_byte_range(rest.substr(0, space));
		if (!request.range) {
			request.trouble = word::malformed;
			return;
		}
		request.name_at += space + 1;
	}
	parse_name(request);
}

void ContentBatch::parse_name(Request &request)
{
	std::string_view name = request.shown_name();
	if (!options_.nul && name.starts_with('"')) {
		try {
			request.unquoted = unquoted_record(name);
		} catch (const Error &) {
			request.trouble = word::malformed;
			return;
		}
		name = request.unquoted;
	}
	const std::size_t colon = name.find(':');
	if (colon != name.npos) {
		request.path = name.substr(colon + 1);
		find_state(request, name.substr(0, colon));
	} else if (const std::optional<Digest> digest = parse_digest(name)) {
		request.digest = *digest;
		find_chunk(request);
	} else {
		request.trouble = word::malformed;
	}
}

void ContentBatch::find_state(Request &request, std::string_view root)
{
	auto at = states_.find(root);
	if (at == states_.end())
		at = states_.emplace(root, state_of(root)).first;
	request.state = &at->second;
	request.trouble = request.state->trouble;
}

ContentBatch::State ContentBatch::state_of(std::string_view root)
{
	State state;
	try {
		state.generation = store_.resolve(root).generation;
		state.manifest = store_.manifest(state.generation);
	} catch (const AmbiguousRoot &) {
		state.trouble = word::ambiguous;
	} catch (const DroppedState &) {
		state.trouble = word::dropped;
	} catch (const Error &error) {
		if (error.status() != exit_status::corrupt && error.status() != exit_status::failed)
			throw;
		state.trouble = error.status() == exit_status::corrupt ? word::corrupt : word::no_state;
	}
	return state;
}

void ContentBatch::find_chunk(Request &request)
{
	try {
		request.chunk = store_.find_item_anywhere(ItemKind::chunk, request.digest);
	} catch (const CorruptError &) {
		request.trouble = word::corrupt;
		return;
	}
	if (!request.chunk) {
		request.trouble = word::missing;
		return;
	}
	request.kind = "chunk";
	request.size = request.chunk->size();
	set_extent(request);
	// Many of them could fill the memory: it is read again for its reply.
	request.chunk.reset();
}

void ContentBatch::set_extent(Request &request)
{
	request.extent = {0, request.size};
	if (!request.range)
		return;
	try {
		request.extent = request.range->resolve(request.size);
	} catch (const Error &) {
		request.trouble = word::beyond_end;
	}
}

// --- names ----------------------------------------------------------------------------------

// Calls job for parts of count; by one thread if there are not enough for two.
void ContentBatch::in_parallel(std::size_t count, std::size_t least,
	const std::function<void(std::size_t, std::size_t)> &job)
{
	const std::size_t part = std::max(least, (count + 2 * threads_ - 1) / (2 * threads_));
	std::atomic<std::size_t> next{0};
	const Workers::Job work = [&] {
		for (std::size_t first; (first = next.fetch_add(part)) < count;)
			job(first, std::min(first + part, count));
	};
	if (count <= part) {
		work();
		return;
	}
	Workers workers;
	workers.start(std::min(threads_, (count + part - 1) / part) - 1, work);
	workers.run(work);
	workers.join();
}

void ContentBatch::find_all()
{
	if (states_.size() > most_states)
		states_.clear();
	StepClock clock(work_);
	for (std::size_t i = 0; i < count_; i++)
		parse(requests_[i]);
	in_parallel(count_, least_names, [&](std::size_t first, std::size_t end) {
		for (std::size_t i = first; i < end; i++)
			find(requests_[i]);
	});
	clock.lap(Step::tree);
}

void ContentBatch::find(Request &request)
{
	if (request.trouble || !request.state)
		return;
	try {
		find_path(request);
	} catch (const Error &error) {
		request.failure = error;
	}
}

// Throws what is wrong with the manifest.
void ContentBatch::find_path(Request &request)
{
	std::string normalised;
	std::string_view path = request.path;
	if (!path_problem(path).empty()) {
		try {
			normalised = path.empty() ? "" : normalised_path(path, "", "/");
		} catch (const Error &) {
			request.trouble = word::malformed;
			return;
		}
		path = normalised;
	}
	const TreeRoot &manifest = request.state->manifest;
	std::optional<Entry> entry = path.empty() ? std::nullopt : manifests_.find(manifest, path);
	if (!entry) {
		request.trouble = path.empty() || manifests_.is_directory(manifest, path) ? word::directory : word::missing;
		return;
	}
	request.entry = std::move(*entry);
	if (request.entry.kind == EntryKind::empty_directory) {
		request.trouble = word::directory;
		return;
	}
	if (!request.entry.is_known_kind()) {
		request.trouble = word::unsupported;
		return;
	}
	request.kind = request.entry.kind == EntryKind::symlink ? "symlink" : "file";
	request.size = request.entry.size;
	request.digest = request.entry.file_root();
	set_extent(request);
}

// --- replies --------------------------------------------------------------------------------

void ContentBatch::reply_all()
{
	for (std::size_t first = 0; first < count_;) {
		const std::size_t end = small_ones(first);
		read_small(first, end);
		StepClock clock(work_);
		for (; first < end; first++)
			reply(requests_[first]);
		clock.lap(Step::write);
	}
}

// Up to where content is read together, at least one request.  If there is more than fits into memory,
// the parts are about equal: a small rest would decode nearly as many blocks as a large part.
std::size_t ContentBatch::small_ones(std::size_t first)
{
	const auto size_of = [](const Request &request) -> std::uint64_t {
		return request.is_one_chunk() ? aligned(request.entry.size) : request.extent.size;
	};
	std::uint64_t total = 0;
	std::size_t end = first;
	for (; end < count_; end++) {
		const Request &request = requests_[end];
		if (request.wants_bytes() && request.extent.size > small_content)
			break;
		if (request.wants_bytes())
			total += size_of(request);
	}
	if (end == first)
		return first + 1;
	const std::uint64_t share = total / (total / most_memory_ + 1) + small_content;
	std::uint64_t size = 0, parts_size = 0;
	for (std::size_t i = first; i < end; i++) {
		Request &request = requests_[i];
		if (!request.wants_bytes())
			continue;
		if (size > 0 && size + size_of(request) > share)
			return i;
		size += size_of(request);
		request.memory_at = parts_size;
		if (!request.is_one_chunk())
			parts_size += request.extent.size;
	}
	return end;
}

// What one part of the requests was read into does not stay beside what the next one needs.
void ContentBatch::keep_memory(std::size_t parts_size)
{
	if (parts_size > least_memory)
		for (const std::unique_ptr<Lane> &lane : lanes_)
			lane->memory = Arena();
	if (memory_.size() > std::max(parts_size, least_memory) || memory_.size() < parts_size)
		memory_ = Buffer();
	memory_.resize(std::max(memory_.size(), parts_size));
}

void ContentBatch::read_small(std::size_t first, std::size_t end)
{
	chunks_.clear();
	parts_.clear();
	std::size_t parts_size = 0;
	for (std::size_t i = first; i < end; i++) {
		const Request &request = requests_[i];
		if (!request.wants_bytes() || request.extent.size > small_content)
			continue;
		(request.is_one_chunk() ? chunks_ : parts_).push_back(static_cast<std::uint32_t>(i));
		if (!request.is_one_chunk())
			parts_size += request.extent.size;
	}
	keep_memory(parts_size);
	if (chunks_.size() + parts_.size() > least_contents)
		pipeline_.reset();
	StepClock clock(work_);
	read_chunks();
	read_parts();
	clock.lap(Step::read);
}

// What was added together lies together: each thread gets paths that follow each other.
void ContentBatch::read_chunks()
{
	std::sort(chunks_.begin(), chunks_.end(), [&](std::uint32_t a, std::uint32_t b) {
		const Request &left = requests_[a], &right = requests_[b];
		return left.state != right.state ? left.state < right.state : left.entry.path < right.entry.path;
	});
	const std::size_t count = std::clamp<std::size_t>(chunks_.size() / least_contents, 1, lanes_.size());
	std::atomic<std::size_t> next{0};
	const Workers::Job work = [&] {
		for (std::size_t number; (number = next.fetch_add(1)) < count;) {
			const std::size_t from = chunks_.size() * number / count, to = chunks_.size() * (number + 1) / count;
			read_lane(*lanes_[number], std::span(chunks_).subspan(from, to - from));
		}
	};
	Workers workers;
	workers.start(count - 1, work);
	workers.run(work);
	workers.join();
}

void ContentBatch::read_lane(Lane &lane, std::span<const std::uint32_t> numbers)
{
	lane.wanted.clear();
	for (const std::uint32_t number : numbers) {
		const Entry &entry = requests_[number].entry;
		lane.wanted.emplace_back().chunk = {entry.content, entry.size, 0};
	}
	const std::size_t size = lane.reader.locate(lane.wanted);
	if (lane.memory.size() < size) {
		lane.memory = Arena();
		lane.memory = Arena(size);
	}
	lane.reader.read(lane.wanted, lane.memory.bytes().first(size));
	for (std::size_t i = 0; i < numbers.size(); i++) {
		const WantedChunk &wanted = lane.wanted[i];
		Request &request = requests_[numbers[i]];
		if (wanted.has_failed())
			request.failure = Error(wanted.failure, wanted.status);
		else
			request.bytes = wanted.bytes.subspan(request.extent.offset, request.extent.size);
	}
}

void ContentBatch::read_parts()
{
	in_parallel(parts_.size(), least_contents, [&](std::size_t from, std::size_t to) {
		for (std::size_t i = from; i < to; i++) {
			check_interrupted();
			Request &request = requests_[parts_[i]];
			const MutableBytes bytes = MutableBytes(memory_).subspan(request.memory_at, request.extent.size);
			try {
				content_.read(request.entry, request.extent, bytes);
				request.bytes = bytes;
			} catch (const Error &error) {
				request.failure = error;
			}
		}
	});
}

void ContentBatch::reply(Request &request)
{
	if (request.failure && request.failure->status() != exit_status::corrupt)
		throw *request.failure;
	if (request.failure)
		request.trouble = word::corrupt;
	if (options_.is_check && request.trouble == word::no_state)
		request.trouble = word::missing; // as git has it
	if (request.trouble)
		reply_word(request, request.trouble);
	else if (request.command == Command::prove)
		reply_proof(request);
	else if (request.command == Command::exists)
		reply_word(request, word::exists);
	else if (request.command == Command::info)
		reply_head(request, request.size);
	else
		reply_content(request);
}

void ContentBatch::reply_word(const Request &request, std::string_view word)
{
	output_->write(request.shown_name());
	output_->write(" ");
	output_->record(word);
}

void ContentBatch::reply_head(const Request &request, std::uint64_t size)
{
	head_ = to_hex(request.digest);
	head_ += ' ';
	head_ += request.kind;
	head_ += ' ';
	char digits[20];
	head_.append(digits, std::to_chars(digits, digits + sizeof digits, size).ptr);
	output_->record(head_);
}

void ContentBatch::reply_proof(const Request &request)
{
	if (!request.state) {
		reply_word(request, word::unsupported);
		return;
	}
	std::string proof;
	try {
		proof = prover_.prove_path(request.state->generation, request.entry.path, {}).text;
	} catch (const CorruptError &) {
		reply_word(request, word::corrupt);
		return;
	}
	output_->record("proof " + std::to_string(proof.size()));
	output_->write(proof);
	output_->record("");
}

// Nothing small is in memory that a reply waits for.
void ContentBatch::read_large(const Request &request, const ReadPipeline::Take &take)
{
	for (const std::unique_ptr<Lane> &lane : lanes_)
		lane->memory = Arena();
	if (!pipeline_)
		pipeline_.emplace(store_, work_);
	pipeline_->read(request.entry, request.extent, take);
}

void ContentBatch::reply_content(Request &request)
{
	const ByteRange::Extent &extent = request.extent;
	work_.files.add();
	if (!request.state) {
		const Buffer chunk = store_.read_item(ItemKind::chunk, request.digest);
		reply_head(request, extent.size);
		output_->write(Bytes(chunk).subspan(extent.offset, extent.size));
	} else if (extent.size <= small_content) {
		reply_head(request, extent.size);
		output_->write(request.bytes);
		work_.bytes.add(extent.size);
	} else if (extent.size <= held_back_size) {
		Buffer held;
		held.reserve(extent.size);
		try {
			read_large(request, [&](Bytes bytes) { append(held, bytes); });
		} catch (const Error &error) {
			if (error.status() != exit_status::corrupt)
				throw;
			reply_word(request, word::corrupt);
			return;
		}
		reply_head(request, extent.size);
		output_->write(held);
	} else {
		reply_head(request, extent.size);
		read_large(request, [&](Bytes bytes) { output_->write(bytes); });
	}
	output_->record("");
}

} // namespace dig
