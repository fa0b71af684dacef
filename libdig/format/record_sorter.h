// Sorts any number of records in bounded memory: sorted pieces go to a file without a name, and are
// merged when they are read.
#ifndef DIG_RECORD_SORTER_H
#define DIG_RECORD_SORTER_H

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libdig/os/file.h"

namespace dig {

// Record is a struct of bytes with an order.  Equal records stay.
template <typename Record> class RecordSorter {
public:
	// Takes about `memory` bytes while records are put, and the same while they are read.
	RecordSorter(std::string directory, std::size_t memory) : directory_(std::move(directory)), memory_(memory) {}

	void put(const Record &record)
	{
		pending_.push_back(record);
		count_++;
		if (pending_.size() * sizeof(Record) >= memory_)
			spill();
	}
	std::uint64_t count() const { return count_; }

	using Records = std::function<std::optional<Record>()>;
	// All records in order, as often as it is called.  Nothing may be put after the first call.  The
	// sorter must outlive the result.
	Records sorted()
	{
		if (pieces_.empty()) {
			if (!is_sorted_)
				std::sort(pending_.begin(), pending_.end());
			is_sorted_ = true;
			return [this, next = std::size_t(0)]() mutable -> std::optional<Record> {
				return next < pending_.size() ? std::optional<Record>(pending_[next++]) : std::nullopt;
			};
		}
		if (!pending_.empty())
			spill();
		pending_.shrink_to_fit();
		while (pieces_.size() > most_pieces)
			merge_pieces();
		auto merge = std::make_shared<Merge>(file_, pieces_, memory_);
		return [merge] { return merge->next(); };
	}

private:
	static constexpr std::size_t most_pieces = 400;
	struct Piece {
		std::uint64_t offset, count;
	};

	// Of sorted pieces, the smallest record first.
	class Merge {
	public:
		Merge(const File &file, const std::vector<Piece> &pieces, std::size_t memory) : file_(file)
		{
			window_ = std::max<std::size_t>(memory / sizeof(Record) / std::max<std::size_t>(pieces.size(), 1), 16);
			for (const Piece &piece : pieces) {
				Source source{piece.offset, piece.count, 0, {}};
				if (!fill(source))
					continue;
				heads_.push_back({source.window[0], static_cast<std::uint32_t>(sources_.size())});
				sources_.push_back(std::move(source));
			}
			for (std::size_t i = heads_.size() / 2; i-- > 0;)
				sink(i);
		}
		std::optional<Record> next()
		{
			if (heads_.empty())
				return {};
			Head &first = heads_[0];
			const Record record = first.record;
			Source &source = sources_[first.source];
			if (++source.at < source.window.size() || fill(source)) {
				first.record = source.window[source.at];
			} else {
				first = heads_.back();
				heads_.pop_back();
			}
			sink(0);
			return record;
		}

	private:
		struct Source {
			std::uint64_t offset, left;
			std::size_t at;
			std::vector<Record> window;
		};
		// A heap, the smallest on top: the first record of each source.
		struct Head {
			Record record;
			std::uint32_t source;
		};
		void sink(std::size_t at)
		{
			if (at >= heads_.size())
				return;
			const Head head = heads_[at];
			for (std::size_t child; (child = 2 * at + 1) < heads_.size(); at = child) {
				if (child + 1 < heads_.size() && heads_[child + 1].record < heads_[child].record)
					child++;
				if (!(heads_[child].record < head.record))
					break;
				heads_[at] = heads_[child];
			}
			heads_[at] = head;
		}
		bool fill(Source &source) const
		{
			if (source.left == 0)
				return false;
			source.window.resize(std::min<std::uint64_t>(source.left, window_));
			const std::size_t size = source.window.size() * sizeof(Record);
			file_.read_exactly_at({reinterpret_cast<std::uint8_t *>(source.window.data()), size}, source.offset);
			source.offset += size;
			source.left -= source.window.size();
			source.at = 0;
			return true;
		}

		const File &file_;
		std::size_t window_;
		std::vector<Source> sources_;
		std::vector<Head> heads_;
	};

	void spill()
	{
		std::sort(pending_.begin(), pending_.end());
		write_piece();
	}
	void begin_piece()
	{
		if (!file_.is_open())
			file_ = File::temporary_in(directory_);
		pieces_.push_back({end_, 0});
	}
	void write_pending()
	{
		const std::size_t size = pending_.size() * sizeof(Record);
		file_.write_at({reinterpret_cast<const std::uint8_t *>(pending_.data()), size}, end_);
		end_ += size;
		pieces_.back().count += pending_.size();
		pending_.clear();
	}
	void write_piece()
	{
		begin_piece();
		write_pending();
	}
	// The first pieces become one.
	void merge_pieces()
	{
		const std::vector<Piece> first(pieces_.begin(), pieces_.begin() + most_pieces);
		pieces_.erase(pieces_.begin(), pieces_.begin() + most_pieces);
		Merge merge(file_, first, memory_ / 2);
		begin_piece();
		while (const std::optional<Record> record = merge.next()) {
			pending_.push_back(*record);
			if (pending_.size() * sizeof(Record) >= memory_ / 2)
				write_pending();
		}
		write_pending();
		pending_ = {};
	}

	std::string directory_;
	std::size_t memory_;
	std::vector<Record> pending_;
	std::uint64_t count_ = 0, end_ = 0;
	std::vector<Piece> pieces_;
	File file_;
	bool is_sorted_ = false;
};

} // namespace dig

#endif
