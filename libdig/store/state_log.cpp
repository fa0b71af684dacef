// A file has up to 1024 states, so that appending one reads a bounded part.  Each entry has a checksum, and
// a header is believed only if its digest is the layer id that the history has.  A torn end is cut off by
// the next commit, which writes again what is missing.
#include "libdig/store/state_log.h"

#include "libdig/base/cursor.h"
#include "libdig/os/file.h"

namespace dig {

constexpr std::uint64_t states_a_file = 1024;
constexpr std::size_t max_log_size = 1_GiB;
constexpr std::string_view state_log_magic = "DIGSTATE";

static std::string log_path(const StorePaths &paths, std::uint64_t generation)
{
	return paths.states() + "/" + std::to_string((generation - 1) / states_a_file);
}

// Calls take with each entry that is whole; returns where the last of them ends.
static std::size_t each_entry(Bytes file, std::string_view name, const std::function<void(Bytes body)> &take)
{
	Preamble preamble;
	if (file.size() < sizeof preamble)
		return 0;
	check_preamble(file, state_log_magic, name);
	std::size_t at = sizeof preamble;
	while (file.size() - at >= 8) {
		const std::uint32_t size = load<std::uint32_t>(file.data() + at);
		if (size > file.size() - at - 8)
			break;
		const Bytes body = file.subspan(at + 4, size);
		if (crc32_of(body) != load<std::uint32_t>(body.data() + size))
			break;
		take(body);
		at += 8 + std::size_t(size);
	}
	return at;
}

// Throws a CorruptError.
static LayerState decode_state(Bytes body, std::string_view name)
{
	Cursor cursor(body, name);
	const std::uint32_t size = cursor.u32();
	LayerState state;
	state.header = LayerHeader::decode(cursor.take(size), name);
	const std::uint32_t author = cursor.u32();
	state.author = text_of(cursor.take(author));
	const std::uint32_t message = cursor.u32();
	state.message = text_of(cursor.take(message));
	cursor.expect_end();
	return state;
}

static bool is_of(const LayerState &state, const Digest &layer_id)
{
	return state.header.id() == layer_id && texts_digest(state.author, state.message) == state.header.texts;
}

std::optional<LayerState> find_noted_state(const StorePaths &paths, std::uint64_t generation, const Digest &layer_id)
{
	std::optional<LayerState> found;
	try {
		const std::string path = log_path(paths, generation);
		const std::optional<Buffer> file = find_whole_file(path, max_log_size);
		if (!file)
			return {};
		std::uint64_t number = (generation - 1) / states_a_file * states_a_file;
		each_entry(*file, path, [&](Bytes body) {
			if (++number != generation || body.empty())
				return;
			LayerState state = decode_state(body, path);
			if (is_of(state, layer_id))
				found = std::move(state);
		});
	} catch (const Error &) {
		// It is derived.
		return {};
	}
	return found;
}

static void check_file(const std::string &path, std::uint64_t first, const RootHistory &roots)
{
	const Buffer file = read_whole_file(path, max_log_size);
	std::uint64_t number = first;
	const std::size_t end = each_entry(file, path, [&](Bytes body) {
		if (++number > roots.size() || (!body.empty() && !is_of(decode_state(body, path), roots.at(number).layer_id)))
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

void note_states(const StorePaths &paths, std::uint64_t generation, const StateSource &state)
{
	make_directory(paths.states());
	const File file = File::open_with(log_path(paths, generation), O_RDWR | O_CREAT);
	Buffer there(std::min<std::uint64_t>(file.size(), max_log_size));
	file.read_exactly_at(there, 0);
	std::uint64_t number = (generation - 1) / states_a_file * states_a_file;
	std::size_t end = 0;
	try {
		end = each_entry(there, file.name(), [&](Bytes) { number++; });
	} catch (const Error &) {
		// Damaged at its beginning: it is written anew.
	}
	Buffer added;
	if (end == 0)
		append(added, raw_bytes(make_preamble(state_log_magic)));
	while (number < generation) {
		Buffer body;
		if (const std::optional<LayerState> found = state(++number)) {
			const Buffer header = found->header.encoded();
			put_u32(body, static_cast<std::uint32_t>(header.size()));
			append(body, header);
			for (const std::string *text : {&found->author, &found->message}) {
				put_u32(body, static_cast<std::uint32_t>(text->size()));
				append(body, bytes_of(*text));
			}
		}
		put_u32(added, static_cast<std::uint32_t>(body.size()));
		append(added, body);
		put_u32(added, crc32_of(body));
	}
	if (added.empty())
		return;
	if (there.size() != end)
		file.truncate(end);
	file.write_at(added, end);
}

} // namespace dig
