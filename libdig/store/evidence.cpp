// What was verified is known by file and by block.  A file is known by id, size, inode and time of change: a
// copy of it lies in another place of a disk, and must be read again.  The whole is bound to the store's
// directory for the same reason.  Times are those at which reading began.  Losing the file costs only that
// everything counts as not verified.
#include "libdig/store/evidence.h"

#include <algorithm>

#include "libdig/base/cursor.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::string_view evidence_magic = "DIGEVIDE";
constexpr std::size_t max_evidence_size = 64_MiB;

void VerifiedParts::remove(std::uint64_t first, std::uint64_t end)
{
	std::vector<Part> rest;
	for (const Part &part : parts_) {
		if (part.first < first)
			rest.push_back({part.first, std::min(part.end, first), part.time_s});
		if (part.end > end)
			rest.push_back({std::max(part.first, end), part.end, part.time_s});
	}
	parts_ = std::move(rest);
}

void VerifiedParts::add(const Part &part)
{
	if (part.first >= part.end)
		return;
	remove(part.first, part.end);
	parts_.insert(std::upper_bound(parts_.begin(), parts_.end(), part,
		[](const Part &a, const Part &b) { return a.first < b.first; }), part);
	std::vector<Part> joined;
	for (const Part &next : parts_) {
		Part *const last = joined.empty() ? nullptr : &joined.back();
		if (last && last->end == next.first && std::abs(last->time_s - next.time_s) <= Evidence::near_s) {
			last->end = next.end;
			last->time_s = std::min(last->time_s, next.time_s);
		} else {
			joined.push_back(next);
		}
	}
	while (joined.size() > most)
		joined.erase(std::min_element(joined.begin(), joined.end(),
			[](const Part &a, const Part &b) { return a.end - a.first < b.end - b.first; }));
	parts_ = std::move(joined);
}

std::vector<VerifiedParts::Part> VerifiedParts::with_gaps(std::uint64_t end) const
{
	std::vector<Part> all;
	std::uint64_t at = 0;
	for (const Part &part : parts_) {
		if (part.first >= end)
			break;
		if (part.first > at)
			all.push_back({at, part.first, 0});
		all.push_back({part.first, std::min(part.end, end), part.time_s});
		at = all.back().end;
	}
	if (at < end)
		all.push_back({at, end, 0});
	return all;
}

static void put_parts(Buffer &out, const VerifiedParts &parts)
{
	put_u32(out, static_cast<std::uint32_t>(parts.parts().size()));
	for (const VerifiedParts::Part &part : parts.parts()) {
		put_u64(out, part.first);
		put_u64(out, part.end);
		put_u64(out, static_cast<std::uint64_t>(part.time_s));
	}
}

static VerifiedParts take_parts(Cursor &cursor)
{
	VerifiedParts parts;
	const std::size_t count = cursor.count(cursor.u32(), 24);
	if (count > VerifiedParts::most)
		cursor.fail("too many parts");
	for (std::size_t i = 0; i < count; i++) {
		const std::uint64_t first = cursor.u64(), end = cursor.u64();
		const std::int64_t time_s = cursor.i64();
		if (first >= end || time_s < 0)
			cursor.fail("a part is not as it should be");
		parts.add({first, end, time_s});
	}
	return parts;
}

VerifiedParts &Evidence::blocks(const LayerFile &file, std::uint64_t count)
{
	Blocks &blocks = files_[file];
	count = std::max<std::uint64_t>(count, 1);
	if (blocks.count != count)
		blocks.parts = {};
	blocks.count = count;
	return blocks.parts;
}

static std::uint64_t directory_of_store(const StorePaths &paths)
{
	const std::optional<FileStat> stat = find_stat(paths.store);
	return stat ? stat->inode : 0;
}

bool Evidence::is_kept(const StorePaths &paths) { return find_stat(paths.evidence()).has_value(); }

Evidence Evidence::load(const StorePaths &paths)
{
	Evidence evidence;
	try {
		const std::string path = paths.evidence();
		if (!find_stat(path))
			return {};
		const Buffer file = read_whole_file(path, max_evidence_size);
		Cursor cursor(open_sealed_file(file, evidence_magic, path), path, sizeof(Preamble));
		if (cursor.u64() != directory_of_store(paths))
			return {};
		evidence.states_ = take_parts(cursor);
		const std::size_t count = cursor.count(cursor.u32(), 68);
		for (std::size_t i = 0; i < count; i++) {
			LayerFile key{};
			key.id = cursor.digest();
			key.size = cursor.u64();
			key.inode = cursor.u64();
			key.mtime_ns = cursor.i64();
			const std::uint64_t blocks = std::max<std::uint64_t>(cursor.u64(), 1);
			evidence.files_[key] = {blocks, take_parts(cursor)};
		}
		cursor.expect_end();
	} catch (const Error &) {
		return {};
	}
	return evidence;
}

void each_layer_file(Store &store, const std::function<void(std::uint64_t, const FileStat &)> &take)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	const RootHistory roots = store.roots();
	for (std::uint64_t i = 1; i <= roots.size(); i = table->home(i) + 1) {
		const MergedLayer *const merged = table->find(i);
		const std::string path =
			merged ? store.paths().merged_layer(merged->pack_id) : store.paths().layer(roots.at(i).layer_id);
		if (const std::optional<FileStat> stat = find_stat(path))
			take(table->home(i), *stat);
	}
}

Evidence::LayerFile Evidence::layer_file(const Store &store, std::uint64_t generation, const FileStat &stat)
{
	const std::shared_ptr<const LayerTable> table = store.layer_table();
	const MergedLayer *const merged = table->find(generation);
	return {merged ? merged->pack_id : store.roots().at(generation).layer_id, stat.size, stat.inode, stat.mtime_ns};
}

bool Evidence::save(Store &store) const
{
	std::map<LayerFile, const Blocks *> kept;
	each_layer_file(store, [&](std::uint64_t home, const FileStat &stat) {
		const auto found = files_.find(layer_file(store, home, stat));
		if (found != files_.end() && !found->second.parts.parts().empty())
			kept[found->first] = &found->second;
	});
	Buffer body;
	put_u64(body, directory_of_store(store.paths()));
	put_parts(body, states_);
	put_u32(body, static_cast<std::uint32_t>(kept.size()));
	for (const auto &[key, blocks] : kept) {
		append(body, key.id);
		put_u64(body, key.size);
		put_u64(body, key.inode);
		put_u64(body, static_cast<std::uint64_t>(key.mtime_ns));
		put_u64(body, blocks->count);
		put_parts(body, blocks->parts);
	}
	try {
		PublishedFile file(store.paths().evidence());
		file.file().write_at(sealed_file(evidence_magic, body), 0);
		file.publish(PublishedFile::Durability::none);
	} catch (const SystemError &) {
		return false;
	}
	return true;
}

Evidence::Summary Evidence::summary(Store &store, std::int64_t now_s) const
{
	double all = 0, recent = 0;
	std::int64_t oldest_s = 0;
	bool is_complete = true;
	const auto see = [&](const VerifiedParts &parts, std::uint64_t end, double size) {
		for (const VerifiedParts::Part &part : parts.with_gaps(end)) {
			const std::int64_t age_s = std::max<std::int64_t>(now_s - part.time_s, 0);
			is_complete = is_complete && part.time_s > 0;
			oldest_s = std::max(oldest_s, age_s);
			if (part.time_s > 0 && age_s <= recent_s)
				recent += size * double(part.end - part.first) / double(end);
		}
		all += size;
	};
	each_layer_file(store, [&](std::uint64_t home, const FileStat &stat) {
		const auto found = files_.find(layer_file(store, home, stat));
		const Blocks blocks = found == files_.end() ? Blocks() : found->second;
		see(blocks.parts, blocks.count, double(stat.size));
	});
	see(states_, store.roots().size(), 0);
	Summary summary;
	summary.recent_percent = all > 0 ? static_cast<unsigned>(100 * recent / all + 1e-9) : 100;
	if (is_complete)
		summary.oldest_s = oldest_s;
	return summary;
}

std::string evidence_text(const Evidence::Summary &summary)
{
	std::string text = std::to_string(summary.recent_percent) + "% within 30 days, oldest ";
	if (!summary.oldest_s)
		return text + "never";
	const std::int64_t days = *summary.oldest_s / 86400;
	return text + std::to_string(days) + (days == 1 ? " day" : " days");
}

} // namespace dig
