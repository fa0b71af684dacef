// A file has up to 1024 states, so that appending one reads a bounded part.  Each entry has a checksum, and
// a header is believed only if its digest is the layer id that the history has.  A torn end is cut off by
// the next commit, which writes again what is missing.
#include "libdig/store/state_log.h"

#include "libdig/base/cursor.h"
#include "libdig/os/file.h"

namespace dig {

constexpr std::size_t max_entry_size = 33_MiB; // as the sections of a layer that it repeats
constexpr std::size_t window_size = 256_KiB;
constexpr std::string_view state_log_magic = "DIGSTATE";

static std::string log_path(const StorePaths &paths, std::uint64_t generation)
{
	return paths.states() + "/" + std::to_string((generation - 1) / states_a_file);
}

// Parts of a file, read in windows: a message may be long, and there may be many.
class Windows {
public:
	explicit Windows(const File &file) : file_(file), size_(file.size()) {}

	std::uint64_t size() const { return size_; }
	// Until the next call; nothing behind the end.
	std::optional<Bytes> at(std::uint64_t offset, std::size_t size)
	{
		if (offset > size_ || size > size_ - offset)
			return {};
		if (offset < begin_ || offset + size > begin_ + window_.size()) {
			window_.resize(std::min<std::uint64_t>(size_ - offset, std::max(size, window_size)));
			file_.read_exactly_at(window_, offset);
			begin_ = offset;
		}
		return Bytes(window_).subspan(offset - begin_, size);
	}

private:
	const File &file_;
	std::uint64_t size_, begin_ = 0;
	Buffer window_;
};

// Calls take with each entry that is whole; returns where the last of them ends.
static std::uint64_t each_entry(const File &file, const std::function<void(Bytes body)> &take)
{
	Windows windows(file);
	const std::optional<Bytes> preamble = windows.at(0, sizeof(Preamble));
	if (!preamble)
		return 0;
	check_preamble(*preamble, state_log_magic, file.name());
	std::uint64_t at = sizeof(Preamble);
	while (const std::optional<Bytes> head = windows.at(at, 4)) {
		const std::uint32_t size = load<std::uint32_t>(head->data());
		if (size > max_entry_size)
			break;
		const std::optional<Bytes> entry = windows.at(at, 8 + std::size_t(size));
		if (!entry)
			break;
		const Bytes body = entry->subspan(4, size);
		if (crc32_of(body) != load<std::uint32_t>(body.data() + size))
			break;
		take(body);
		at += entry->size();
	}
	return at;
}

std::optional<LayerState> find_noted_state(const StorePaths &paths, std::uint64_t generation, const Digest &layer_id)
{
	std::optional<LayerState> found;
	try {
		const std::string path = log_path(paths, generation);
		const std::optional<File> file = File::find(path);
		if (!file)
			return {};
		std::uint64_t number = (generation - 1) / states_a_file * states_a_file;
		each_entry(*file, [&](Bytes body) {
			if (++number != generation || body.empty())
				return;
			LayerState state = LayerState::decode(body, path);
			if (state.header.id() == layer_id)
				found = std::move(state);
		});
	} catch (const Error &) {
		// It is derived.
		return {};
	}
	return found;
}

void each_noted_header(const StorePaths &paths, std::uint64_t generation,
	const std::function<void(std::uint64_t generation, LayerHeader header)> &take)
{
	try {
		const std::string path = log_path(paths, generation);
		const std::optional<File> file = File::find(path);
		if (!file)
			return;
		std::uint64_t number = (generation - 1) / states_a_file * states_a_file;
		each_entry(*file, [&](Bytes body) {
			if (++number, body.empty() || number > (generation - 1) / states_a_file * states_a_file + states_a_file)
				return;
			Cursor cursor(body, path);
			const Bytes header = cursor.take(cursor.u32());
			take(number, LayerHeader::decode(header, path));
		});
	} catch (const Error &) {
		// It is derived.
	}
}

static void check_file(const std::string &path, std::uint64_t first, const RootHistory &roots)
{
	const File file = File::open(path);
	std::uint64_t number = first;
	const std::uint64_t end = each_entry(file, [&](Bytes body) {
		const bool known = ++number <= roots.size();
		if (!known || (!body.empty() && LayerState::decode(body, path).header.id() != roots.at(number).layer_id))
			throw CorruptError("generation " + std::to_string(number) + " is not as its layer id says", path, 0);
	});
	if (end != file.size() || number < std::min(first + states_a_file, roots.size()))
		throw CorruptError("it ends too early", path, end);
}

void check_noted_states(const StorePaths &paths, const RootHistory &roots,
	const std::function<void(const std::string &)> &problem)
{
	for (std::uint64_t first = 0; first < roots.size(); first += states_a_file) {
		const std::string path = log_path(paths, first + 1);
		try {
			if (find_stat(path))
				check_file(path, first, roots);
		} catch (const CorruptError &error) {
			problem(error.what());
		}
	}
}

void forget_noted_states(const StorePaths &paths, std::uint64_t first, std::uint64_t last)
{
	for (std::uint64_t number = (first - 1) / states_a_file; number <= (last - 1) / states_a_file; number++)
		remove_file_if_there(paths.states() + "/" + std::to_string(number));
}

void note_states(const StorePaths &paths, std::uint64_t generation, const StateSource &state)
{
	make_directory(paths.states());
	const File file = File::open_with(log_path(paths, generation), O_RDWR | O_CREAT);
	std::uint64_t number = (generation - 1) / states_a_file * states_a_file;
	std::uint64_t end = 0;
	try {
		end = each_entry(file, [&](Bytes) { number++; });
	} catch (const Error &) {
		// Damaged at its beginning: it is written anew.
	}
	if (file.size() != end)
		file.truncate(end);
	Buffer entry;
	if (end == 0)
		append(entry, raw_bytes(make_preamble(state_log_magic)));
	while (number < generation) {
		const std::optional<LayerState> found = state(++number);
		const Buffer body = found ? found->encoded() : Buffer();
		put_u32(entry, static_cast<std::uint32_t>(body.size()));
		append(entry, body);
		put_u32(entry, crc32_of(body));
		file.write_at(entry, end);
		end += entry.size();
		entry.clear();
	}
}

} // namespace dig
