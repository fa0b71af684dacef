// Requests are taken in rounds.  A round has what is there when the last one is answered; if replies may
// wait, it goes on until it is full.  All names of a round are looked up, then content is read in the
// order of paths, since small files that were added together lie in the same blocks: a block is decoded
// for all requests that want some of it.  Replies are given in the order of the requests.
//
// A round that was read ahead delays no reply that somebody waits for: only what has arrived is taken,
// and whoever waits for a reply has sent its request.
#include "libdig/tool/content_batch.h"

#include <algorithm>
#include <charconv>

#include "libdig/base/path.h"
#include "libdig/os/workers.h"

namespace dig {

constexpr std::size_t most_requests = 20480, most_text = 2_MiB; // of a round
// "corrupt" can only be said before the first byte: content up to this size is held back until all of it
// is known to be good.
constexpr std::uint64_t held_back_size = 4_MiB;
constexpr std::size_t node_memory = 8_MiB;
constexpr std::size_t most_states = 1024;

constexpr std::size_t least_names = 64;  // that a thread takes at once
constexpr std::size_t many_contents = 16; // for which all memory is wanted

namespace word {
constexpr char missing[] = "missing", no_state[] = "no-such-state", dropped[] = "dropped", ambiguous[] = "ambiguous",
	       directory[] = "directory", beyond_end[] = "beyond-end", corrupt[] = "corrupt", malformed[] = "malformed",
	       unsupported[] = "unsupported", exists[] = "exists";
} // namespace word

ContentBatch::ContentBatch(Store &store, Work &work, const BatchOptions &options)
	: store_(store), work_(work), options_(options), nodes_(store, node_memory), manifests_(nodes_), prover_(store),
	  contents_(store, nodes_, work, worker_threads(store.settings())), threads_(worker_threads(store.settings()))
{
	// These take memory only as requests come.
	requests_.reserve(most_requests);
	texts_.reserve(most_text + max_record_size);
}

ContentBatch::~ContentBatch()
{
	if (output_)
		output_->drop_kept();
}

void ContentBatch::answer(RecordReader &input, Output &output)
{
	output_ = &output;
	output.set_end(record_end(options_.nul));
	while (take_requests(input)) {
		if (store_.refresh()) {
			states_.clear();
			contents_.forget_places();
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
	requests_.clear();
	texts_.clear();
	kept_texts_.clear();
	is_flushed_ = false;
	while (!is_flushed_ && requests_.size() < most_requests && texts_.size() < most_text) {
		if (!options_.is_buffered && !input.has_next()) {
			if (!requests_.empty())
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
			return !requests_.empty();
		is_flushed_ = !take(*record);
	}
	return true;
}

// False for "flush", which has no reply.
bool ContentBatch::take(std::string_view record)
{
	if (!options_.is_check && record == "flush")
		return false;
	const std::size_t at = texts_.size();
	texts_ += record;
	requests_.emplace_back().text = std::string_view(texts_).substr(at);
	return true;
}

static std::optional<std::string_view> without_prefix(std::string_view text, std::string_view prefix)
{
	if (!text.starts_with(prefix))
		return {};
	return text.substr(prefix.size());
}

// By one thread: it looks up states and staged chunks.
void ContentBatch::parse(BatchRequest &request)
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

// A text that a request was made of, and that stays as long.  Any thread.
std::string_view ContentBatch::kept(std::string text)
{
	std::lock_guard guard(mutex_);
	return kept_texts_.emplace_back(std::move(text));
}

void ContentBatch::parse_name(BatchRequest &request)
{
	std::string_view name = request.shown_name();
	if (!options_.nul && name.starts_with('"')) {
		try {
			name = kept(unquoted_record(name));
		} catch (const Error &) {
			request.trouble = word::malformed;
			return;
		}
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

void ContentBatch::find_state(BatchRequest &request, std::string_view root)
{
	auto at = states_.find(root);
	if (at == states_.end())
		at = states_.emplace(root, state_of(root)).first;
	request.state = &at->second;
	request.trouble = request.state->trouble;
}

BatchState ContentBatch::state_of(std::string_view root)
{
	BatchState state;
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

void ContentBatch::find_chunk(BatchRequest &request)
{
	// Many of them could fill the memory: it is read again for its reply.
	std::optional<Buffer> chunk;
	try {
		chunk = store_.find_item_anywhere(ItemKind::chunk, request.digest);
	} catch (const CorruptError &) {
		request.trouble = word::corrupt;
		return;
	}
	if (!chunk) {
		request.trouble = word::missing;
		return;
	}
	request.kind = "chunk";
	request.size = chunk->size();
	set_extent(request);
}

void ContentBatch::set_extent(BatchRequest &request)
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

// The first 8 bytes, as a number that compares like them.
static std::uint64_t begin_of(std::string_view text)
{
	std::uint64_t begin = 0;
	for (std::size_t i = 0; i < sizeof begin; i++)
		begin = begin << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
	return begin;
}

// All of the paths begin alike as a rule, and the first bytes behind that tell most of them apart.
void ContentBatch::sort_paths()
{
	names_.clear();
	std::optional<std::string_view> common;
	for (const BatchRequest &request : requests_) {
		if (!request.state || request.trouble)
			continue;
		names_.push_back({request.state, 0, static_cast<std::uint32_t>(&request - requests_.data())});
		if (!common)
			common = request.path;
		const auto differ = std::mismatch(common->begin(), common->end(), request.path.begin(), request.path.end());
		common = common->substr(0, static_cast<std::size_t>(differ.first - common->begin()));
	}
	for (Name &name : names_)
		name.begin = begin_of(requests_[name.number].path.substr(common->size()));
	std::sort(names_.begin(), names_.end(), [&](const Name &a, const Name &b) {
		if (a.state != b.state)
			return std::less<>()(a.state, b.state);
		return a.begin != b.begin ? a.begin < b.begin : requests_[a.number].path < requests_[b.number].path;
	});
}

void ContentBatch::find_all()
{
	if (states_.size() > most_states)
		states_.clear();
	StepClock clock(work_);
	for (BatchRequest &request : requests_)
		parse(request);
	sort_paths();
	const std::size_t part = std::max(least_names, (names_.size() + 2 * threads_ - 1) / (2 * threads_));
	in_parts(threads_, names_.size(), part, [&](std::size_t first, std::size_t end) {
		Entry entry;
		std::optional<ManifestWalk> walk;
		for (std::size_t i = first; i < end; i++) {
			BatchRequest &request = requests_[names_[i].number];
			request.rank = static_cast<std::uint32_t>(i);
			if (i == first || request.state != names_[i - 1].state)
				walk.emplace(manifests_, request.state->manifest);
			try {
				find(request, *walk, entry);
			} catch (const Error &error) {
				request.failure = std::make_unique<Error>(error);
			}
		}
	});
	clock.lap(Step::tree);
}

// False if there is no entry, or trouble with the path.
bool ContentBatch::find_path(BatchRequest &request, ManifestWalk &walk, Entry &entry)
{
	if (walk.find(request.path, entry))
		return true;
	if (path_problem(request.path).empty())
		return false;
	try {
		request.path = kept(request.path.empty() ? "" : normalised_path(request.path, "", "/"));
	} catch (const Error &) {
		request.trouble = word::malformed;
		return false;
	}
	return !request.path.empty() && walk.find(request.path, entry);
}

// Throws what is wrong with the manifest.
void ContentBatch::find(BatchRequest &request, ManifestWalk &walk, Entry &entry)
{
	const bool is_there = find_path(request, walk, entry);
	if (request.trouble)
		return;
	if (!is_there) {
		request.trouble = request.path.empty() || manifests_.is_directory(request.state->manifest, request.path)
			? word::directory
			: word::missing;
		return;
	}
	if (entry.kind == EntryKind::empty_directory) {
		request.trouble = word::directory;
		return;
	}
	if (!entry.is_known_kind()) {
		request.trouble = word::unsupported;
		return;
	}
	request.kind = entry.kind == EntryKind::symlink ? "symlink" : "file";
	request.size = entry.size;
	request.form = entry.form;
	request.content = entry.content;
	request.digest = entry.file_root();
	set_extent(request);
}

// --- replies --------------------------------------------------------------------------------

void ContentBatch::reply_all()
{
	for (std::size_t first = 0; first < requests_.size();) {
		if (const std::size_t end = small_ones(first); end > first) {
			reply_small(first, end);
			first = end;
		} else {
			reply(requests_[first++]);
		}
	}
	contents_.end();
}

// Up to where no request wants more than small content.
std::size_t ContentBatch::small_ones(std::size_t first) const
{
	std::size_t end = first;
	while (end < requests_.size() && !(requests_[end].wants_bytes() && !requests_[end].is_small()))
		end++;
	return end;
}

void ContentBatch::reply_small(std::size_t first, std::size_t end)
{
	if (end - first > many_contents)
		pipeline_.reset();
	contents_.begin(std::span(requests_).subspan(first, end - first));
	for (std::size_t at = first; at < end;) {
		const std::size_t read = first + contents_.read_part();
		StepClock clock(work_);
		try {
			for (; at < read; at++)
				reply(requests_[at]);
		} catch (const Error &) {
			output_->let_go();
			throw;
		}
		output_->let_go();
		clock.lap(Step::write);
	}
}

void ContentBatch::reply(BatchRequest &request)
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

void ContentBatch::reply_word(const BatchRequest &request, std::string_view word)
{
	output_->write(request.shown_name());
	output_->write(" ");
	output_->record(word);
}

void ContentBatch::reply_head(const BatchRequest &request, std::uint64_t size)
{
	head_ = to_hex(request.digest);
	head_ += ' ';
	head_ += request.kind;
	head_ += ' ';
	char digits[20];
	head_.append(digits, std::to_chars(digits, digits + sizeof digits, size).ptr);
	output_->record(head_);
}

void ContentBatch::reply_proof(const BatchRequest &request)
{
	if (!request.state) {
		reply_word(request, word::unsupported);
		return;
	}
	std::string proof;
	try {
		proof = prover_.prove_path(request.state->generation, request.path, {}).text;
	} catch (const CorruptError &) {
		reply_word(request, word::corrupt);
		return;
	}
	output_->record("proof " + std::to_string(proof.size()));
	output_->write(proof);
	output_->record("");
}

// Nothing small is in memory that a reply waits for.
void ContentBatch::read_large(const BatchRequest &request, const ReadPipeline::Take &take)
{
	contents_.free_memory();
	if (!pipeline_)
		pipeline_.emplace(store_, work_);
	pipeline_->read(request.entry(), request.extent, take);
}

void ContentBatch::reply_content(BatchRequest &request)
{
	const ByteRange::Extent &extent = request.extent;
	work_.files.add();
	if (!request.state) {
		const Buffer chunk = store_.read_item(ItemKind::chunk, request.digest);
		reply_head(request, extent.size);
		output_->write(Bytes(chunk).subspan(extent.offset, extent.size));
	} else if (request.is_small()) {
		reply_head(request, extent.size);
		output_->write_kept(request.bytes);
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
