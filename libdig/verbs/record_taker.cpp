// Additions go to the stage as they come.  Removals wait for the end record, and there may be a million
// of them; so their paths go to a temporary file in the staging area, and memory holds 64 KiB of them.
#include "libdig/verbs/record_taker.h"

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/verbs/near_paths.h"

namespace dig {

RecordTaker::RecordTaker(Stage &stage, const File &root, RecordTakerOptions options)
	: stage_(stage), root_(root), options_(std::move(options)), walk_(root, stage.index(), options_.removes, *this),
	  gone_(File::temporary_in(stage.writer().directory()))
{
}

void RecordTaker::take(const WorkRecord &record)
{
	if (has_ended_)
		throw Error("there are records after the end record");
	if (record.type == WorkRecord::Type::aborted) {
		if (count_ > walk_.scopes().size())
			options_.aborted();
		throw ToldElsewhere(exit_status::failed);
	}
	if (record.type == WorkRecord::Type::end) {
		if (record.count != count_)
			throw Error("the end record counts " + std::to_string(record.count) + " records, but " +
				std::to_string(count_) + " came");
		has_ended_ = true;
	}
	count_++;
	walk_.take(record);
}

void RecordTaker::finish()
{
	if (!has_ended_)
		throw Error("the end record is missing, because the listing of the work tree was ended; no removal "
			"is staged; the content stored so far is kept for the next add");
	for (const std::string &scope : walk_.scopes())
		stage_.looked_at(scope);
	flush_gone();
	std::string path;
	Buffer window(64_KiB);
	std::uint64_t offset = 0;
	for (std::size_t n; (n = gone_.read_at(window, offset)) > 0; offset += n)
		for (std::size_t i = 0; i < n; i++)
			if (window[i]) {
				path += static_cast<char>(window[i]);
			} else {
				stage_.remove(path);
				path.clear();
			}
}

void RecordTaker::absent(const IndexRecord &known, const WorkRecord *found)
{
	if (!options_.removes || known.has_no_file)
		return;
	// What is new in a directory displaces its entry; what is ignored there does not.
	if (found && found->type == WorkRecord::Type::directory && known.entry.kind == EntryKind::empty_directory)
		return;
	gone_buffer_ += known.entry.path;
	gone_buffer_ += '\0';
	if (gone_buffer_.size() >= 64_KiB)
		flush_gone();
}

void RecordTaker::flush_gone()
{
	gone_.write_at(bytes_of(gone_buffer_), gone_size_);
	gone_size_ += gone_buffer_.size();
	gone_buffer_.clear();
}

void RecordTaker::missing(const std::string &path)
{
	if (options_.removes && has_path(stage_.index(), path))
		return;
	const std::string link = link_above(path);
	stage_.failed(path, link.empty()
		? "cannot open " + quote(path) + ": No such file or directory" + did_you_mean_path(root_, path)
		: quote(path) + " lies behind the symbolic link " + quote(link) + "; add it where it is");
}

// The first directory of the path that is a symbolic link, or nothing.
std::string RecordTaker::link_above(const std::string &path) const
{
	for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
		const std::optional<FileStat> stat = find_stat_beneath(root_, path.substr(0, slash));
		if (!stat || stat->type != FileType::directory)
			return stat && stat->type == FileType::symlink ? path.substr(0, slash) : "";
	}
	return "";
}

} // namespace dig
