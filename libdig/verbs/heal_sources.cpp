#include "libdig/verbs/heal_sources.h"

#include <algorithm>

#include "libdig/chunking/chunker.h"
#include "libdig/os/directory.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t read_window = 34_MiB;

// What a lost layer said of its state, a copy of it or of the store says as well.
void HealSources::find_headers()
{
	for (const std::string &source : options_.sources) {
		try {
			const std::optional<FileStat> stat = find_stat(source);
			if (stat && stat->type == FileType::regular) {
				const Layer layer(source);
				for (std::uint64_t i = layer.generations().first; i <= layer.generations().last; i++)
					take_header(i, layer.state(i));
			} else if (find_stat(source + "/format") && find_stat(source + "/layers")) {
				StorePaths paths;
				paths.store = source;
				Store other(paths);
				for (const auto &[home, hurt] : items_.hurt_homes()) {
					const MergedLayer *const merged = store_.layer_table()->find(home);
					const std::uint64_t last = std::min(home, other.roots().size());
					for (std::uint64_t i = merged ? merged->range.first : home; i <= last; i++)
						take_header(i, other.state(i));
				}
			}
		} catch (const CorruptError &error) {
			if (options_.notice)
				options_.notice(error.what());
		}
	}
}

void HealSources::search()
{
	for (const std::string &source : options_.sources) {
		const std::optional<FileStat> stat = find_stat(source);
		if (!stat)
			throw SystemError("open", source, ENOENT);
		try {
			if (stat->type == FileType::regular)
				search_layer(source);
			else if (find_stat(source + "/format") && find_stat(source + "/layers"))
				search_store(source);
			else
				search_directory(source);
		} catch (const CorruptError &error) {
			// Another source may be better.
			if (options_.notice)
				options_.notice(error.what());
		}
	}
}

void HealSources::take_header(std::uint64_t generation, LayerState state)
{
	if (generation <= store_.roots().size() && state.header.id() == store_.roots().at(generation).layer_id)
		store_.set_state(generation, std::move(state));
}

// Nothing where the block is damaged.
static std::optional<Buffer> item_at(const Layer &layer, const Layer::Place &place, Decompressor &decompressor)
{
	try {
		const StoredBlock block = layer.read_block(place.block);
		Buffer raw(block.shape.raw_size);
		decode_block(block, decompressor, raw, layer.name(), 0);
		if (place.item >= block.shape.sizes.size())
			return {};
		std::size_t at = 0;
		for (std::size_t i = 0; i < place.item; i++)
			at += block.shape.sizes[i];
		const Bytes item = Bytes(raw).subspan(at, block.shape.sizes[place.item]);
		return Buffer(item.begin(), item.end());
	} catch (const CorruptError &) {
		return {};
	}
}

void HealSources::take_from(const Find &find)
{
	for (const auto &[kind, digest] : items_.wanted())
		if (const std::optional<Buffer> bytes = find(kind, digest); bytes && item_digest(kind, *bytes) == digest)
			items_.take(kind, digest, *bytes);
}

void HealSources::search_layer(const std::string &path)
{
	const Layer layer(path);
	Decompressor decompressor;
	take_from([&](ItemKind kind, const Digest &digest) -> std::optional<Buffer> {
		const std::optional<Layer::Place> place = layer.find(kind, digest);
		if (!place)
			return {};
		return item_at(layer, *place, decompressor);
	});
}

void HealSources::search_store(const std::string &path)
{
	StorePaths paths;
	paths.store = path;
	Store other(paths);
	take_from([&](ItemKind kind, const Digest &digest) -> std::optional<Buffer> {
		try {
			return other.find_item_anywhere(kind, digest);
		} catch (const CorruptError &) {
			return {};
		}
	});
}

// By path, by size, and then all.
void HealSources::search_directory(const std::string &directory)
{
	if (items_.found().size() < items_.lost_count())
		for (const LostItems::HurtEntry &entry : items_.hurt_entries())
			if (const auto stat = find_stat_at(AT_FDCWD, directory + "/" + entry.path);
				stat && (stat->type == FileType::regular || stat->type == FileType::symlink))
				look_into(directory + "/" + entry.path, stat->type);
	items_.walk_states();
	if (items_.hurt_entries().empty())
		return;
	std::vector<std::uint64_t> sizes;
	for (const LostItems::HurtEntry &entry : items_.hurt_entries())
		sizes.push_back(entry.size);
	std::sort(sizes.begin(), sizes.end());
	each_file(directory, 0, [&](const std::string &path, const FileStat &stat) {
		if (std::binary_search(sizes.begin(), sizes.end(), stat.size))
			look_into(path, stat.type);
	});
	items_.walk_states();
	if (!items_.hurt_entries().empty())
		each_file(directory, 0, [&](const std::string &path, const FileStat &stat) { look_into(path, stat.type); });
}

void HealSources::each_file(const std::string &directory, int depth, const TakeFile &take)
{
	if (depth > 200)
		return;
	for (const std::string &name : names_in(directory)) {
		check_interrupted();
		const std::string path = directory + "/" + name;
		const auto stat = find_stat_at(AT_FDCWD, path);
		if (!stat || name == ".dig")
			continue;
		if (stat->type == FileType::directory)
			each_file(path, depth + 1, take);
		else if (stat->type == FileType::regular || stat->type == FileType::symlink)
			take(path, *stat);
	}
}

// Cuts a file as the store does; calls take with each chunk.
void HealSources::each_chunk(const File &file, const std::function<void(Bytes)> &take)
{
	Chunker chunker(store_.chunking());
	// Two of the largest chunks; most files need less.
	const std::uint64_t largest = std::max<std::size_t>(read_window, 2 * store_.chunking().largest_chunk());
	window_.resize(std::max<std::size_t>(window_.size(), std::min<std::uint64_t>(largest, file.size() + 1)));
	Buffer &window = window_;
	std::size_t begin = 0, end = 0;
	std::uint64_t offset = 0;
	for (bool is_last = false;;) {
		const Bytes rest = Bytes(window).subspan(begin, end - begin);
		if (const std::size_t size = chunker.next(rest, is_last)) {
			take(rest.first(size));
			begin += size;
			continue;
		}
		if (is_last)
			return;
		std::memmove(window.data(), window.data() + begin, end - begin);
		end -= begin;
		begin = 0;
		check_interrupted();
		const std::size_t got = file.read_at(MutableBytes(window).subspan(end), offset);
		is_last = got < window.size() - end;
		end += got;
		offset += got;
	}
}

// Whether its list or one of its chunks is lost and was not found.
bool HealSources::has_lost_part(const File &file)
{
	const auto is_wanted = [this](ItemKind kind, const Digest &id) {
		return items_.is_known_lost(kind, id) && !items_.found().has(kind, id);
	};
	bool is_any = false;
	TreeBuilder list(TreeKind::chunk_list, [](const Digest &, Bytes) {});
	each_chunk(file, [&](Bytes bytes) {
		const Digest id = digest_of(bytes);
		is_any = is_any || is_wanted(ItemKind::chunk, id);
		list.append_chunks(id, bytes.size(), 1);
	});
	return is_wanted(ItemKind::node, list.finish().id) || is_any;
}

void HealSources::take_parts(const File &file)
{
	TreeBuilder list(TreeKind::chunk_list,
		[&](const Digest &id, Bytes stored) { items_.take(ItemKind::node, id, stored); });
	each_chunk(file, [&](Bytes bytes) {
		const Digest id = digest_of(bytes);
		items_.take(ItemKind::chunk, id, bytes);
		list.append_chunks(id, bytes.size(), 1);
	});
	list.finish();
}

void HealSources::look_into(const std::string &path, FileType type)
{
	try {
		if (type == FileType::symlink) {
			const std::string text = read_link_at(AT_FDCWD, path);
			if (const Digest id = digest_of(bytes_of(text)); items_.is_known_lost(ItemKind::chunk, id))
				items_.take(ItemKind::chunk, id, bytes_of(text));
			return;
		}
		const File file = File::open(path);
		options_.work->files.add();
		if (has_lost_part(file))
			take_parts(file);
	} catch (const SystemError &error) {
		if (options_.notice)
			options_.notice(error.what());
	}
}

} // namespace dig
