// A merge sort with runs on disk.  Texts are collected in memory; when the room is full they are
// sorted and written to a file as one run.  At the end, all runs and the texts still in memory are
// merged.
//
// Each run that is merged needs a window for reading, so the number of runs is bounded: when there
// would be more than 64, all of them are merged into one first.  With the room of 8 MiB this
// happens once for each 512 MiB of texts, and each text is then written again.
//
// Runs are temporary files without a name.  They vanish with the process, however it ends.
#include "libdig/format/sorted_texts.h"

#include <algorithm>
#include <cstdlib>
#include <queue>

#include "libdig/base/endian.h"
#include "libdig/base/error.h"

namespace dig {

constexpr std::size_t write_size = 256_KiB, read_size = 64_KiB;
// How many runs are merged at once, each with a window for reading.
constexpr std::size_t most_runs = 64;

// A run in a file: each text behind its length.
struct SortedTexts::Run {
	explicit Run(const File &from) : file(from) { next(); }

	void next()
	{
		std::uint32_t size;
		is_at_end = !take(4);
		if (is_at_end)
			return;
		std::memcpy(&size, window.data() + at, 4);
		at += 4;
		if (!take(size))
			throw CorruptError("it ends too early", file.name(), offset);
		text = text_of(Bytes(window).subspan(at, size));
		at += size;
	}

	// Makes size bytes available at `at`; false if there are not as many.
	bool take(std::size_t size)
	{
		if (window.size() - at >= size)
			return true;
		window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(at));
		at = 0;
		const std::size_t have = window.size();
		window.resize(std::max(read_size, size));
		const std::size_t n = file.read_at(MutableBytes(window).subspan(have), offset);
		offset += n;
		window.resize(have + n);
		return window.size() >= size;
	}

	const File &file;
	std::uint64_t offset = 0;
	Buffer window;
	std::size_t at = 0;
	std::string_view text;
	bool is_at_end = false;
};

namespace {

// Writes a run.
class RunWriter {
public:
	explicit RunWriter(const File &file) : file_(file) {}

	void put(std::string_view text)
	{
		put_u32(pending_, static_cast<std::uint32_t>(text.size()));
		append(pending_, bytes_of(text));
		if (pending_.size() >= write_size)
			flush();
	}
	void flush()
	{
		file_.write_at(pending_, offset_);
		offset_ += pending_.size();
		pending_.clear();
	}

private:
	const File &file_;
	Buffer pending_;
	std::uint64_t offset_ = 0;
};

} // namespace

void SortedTexts::add(std::string_view text)
{
	items_.push_back({static_cast<std::uint32_t>(heap_.size()), static_cast<std::uint32_t>(text.size())});
	heap_ += text;
	if (heap_.size() + items_.size() * sizeof(Item) >= room_)
		spill();
}

void SortedTexts::sort()
{
	std::sort(items_.begin(), items_.end(),
		[this](const Item &a, const Item &b) { return text_of_item(a) < text_of_item(b); });
}

File SortedTexts::new_file() const
{
	try {
		return File::temporary_in(directory_);
	} catch (const SystemError &) {
		const char *other = std::getenv("TMPDIR");
		return File::temporary_in(other && *other ? other : "/tmp");
	}
}

void SortedTexts::spill()
{
	File file = new_file();
	RunWriter writer(file);
	if (runs_.size() + 1 >= most_runs) {
		each([&](std::string_view text) { writer.put(text); });
		runs_.clear();
	} else {
		sort();
		for (const Item &item : items_)
			writer.put(text_of_item(item));
	}
	writer.flush();
	runs_.push_back(std::move(file));
	items_.clear();
	heap_.clear();
}

void SortedTexts::each(const std::function<void(std::string_view)> &take)
{
	sort();
	std::vector<Run> runs(runs_.begin(), runs_.end());
	const auto later = [&](std::size_t a, std::size_t b) { return runs[a].text > runs[b].text; };
	std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
	for (std::size_t i = 0; i < runs.size(); i++)
		if (!runs[i].is_at_end)
			next.push(i);
	auto item = items_.begin();
	while (!next.empty() || item != items_.end()) {
		if (next.empty() || (item != items_.end() && text_of_item(*item) <= runs[next.top()].text)) {
			take(text_of_item(*item++));
			continue;
		}
		const std::size_t first = next.top();
		next.pop();
		take(runs[first].text);
		runs[first].next();
		if (!runs[first].is_at_end)
			next.push(first);
	}
}

} // namespace dig
