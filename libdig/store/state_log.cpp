// A file has up to 1024 states, so that appending one reads a bounded part.  Each entry has a checksum, and
// a header is believed only if its digest is the layer id that the history has.  A torn end is cut off by
// the next commit, which writes again what is missing.
#include "libdig/store/state_log.h"

#include "libdig/base/cursor.h"
#include "libdig/store/record_log.h"

namespace dig {

constexpr RecordLog records("DIGSTATE", 0, 33_MiB); // as the sections of a layer that it repeats

static std::string log_path(const StorePaths &paths, std::uint64_t generation)
{
	return paths.states() + "/" + std::to_string((generation - 1) / states_a_file);
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
		records.each(*file, [&](Bytes body) {
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
		records.each(*file, [&](Bytes body) {
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
	const std::uint64_t end = records.each(file, [&](Bytes body) {
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
	std::uint64_t end = records.recover(file, [&](Bytes) { number++; });
	while (number < generation) {
		const std::optional<LayerState> found = state(++number);
		end = records.append(file, end, found ? found->encoded() : Buffer());
	}
}

} // namespace dig
