// An index of a million paths takes more than 100 MB, and most adds change a few of them.  So it
// is two files.  The base has a record for each path; the changes have what was put since, and
// outrank it.  An add writes the changes anew, which are at most an eighth of the base.  Only when
// they exceed that, both are merged into a new base.  A reader walks both in step, and never has
// more than a block of each in memory.
//
// A removed path is a record, too, since it hides that of the base.  A sequence tells what is
// staged: each writer takes the next one, and a commit raises the number up to which all is
// committed.  So a commit of everything changes one number, and no record.
//
// Files take the place of others by rename, and readers take no lock.  A merge replaces the base
// first and removes the changes then.  A reader that comes between, or a crash there, finds
// changes of an older base; they name their base by a random id, and are ignored beside a newer
// one.  Beside an older base, or none, they are damage: somebody has put back one file without the
// other.
//
// An index that is damaged is a derived file as long as nothing is staged.  Then it can be made
// again from the newest state.  Journal and pack tell whether something can be staged; the index
// itself cannot, since it is what is damaged.
//
// Rejected: a database (a lock and a format of somebody else, memory that is hard to bound); one
// file that is written anew by each add (one path would cost what a million cost); a log of
// changes in the order in which they came (a look-up would read all of it).
#include "libdig/staging/index.h"

#include "libdig/base/path.h"
#include "libdig/os/publish.h"

namespace dig {

IndexCursor::IndexCursor(std::shared_ptr<IndexFile> base, std::shared_ptr<IndexFile> changes)
	: base_(std::make_unique<IndexFileCursor>(std::move(base))),
	  changes_(std::make_unique<IndexFileCursor>(std::move(changes)))
{
	settle();
}

IndexCursor::~IndexCursor() = default;
IndexCursor::IndexCursor(IndexCursor &&) noexcept = default;
IndexCursor &IndexCursor::operator=(IndexCursor &&) noexcept = default;

// Of two records of one path that of the changes counts.
void IndexCursor::settle()
{
	const IndexRecord *base = base_->current(), *changes = changes_->current();
	const bool takes_changes = changes && (!base || changes->entry.path <= base->entry.path);
	current_ = takes_changes ? changes : base;
}

const IndexRecord *IndexCursor::current() const { return current_; }

void IndexCursor::next()
{
	const IndexRecord *base = base_->current(), *changes = changes_->current();
	if (current_ && current_ == changes) {
		if (base && base->entry.path == changes->entry.path)
			base_->next();
		changes_->next();
	} else if (current_) {
		base_->next();
	}
	settle();
}

void IndexCursor::seek(std::string_view path)
{
	base_->seek(path);
	changes_->seek(path);
	settle();
}

void DisplacedRecords::find(const std::string &path,
	const std::function<void(const IndexRecord &)> &found)
{
	const std::size_t slash = path.rfind('/');
	const std::string directory = slash == path.npos ? "" : path.substr(0, slash);
	for (std::size_t end = path.find('/'); end != path.npos && directory != last_directory_;
		end = path.find('/', end + 1)) {
		const std::string above = path.substr(0, end);
		if (is_within(last_directory_, above))
			continue;
		at_.seek(above);
		if (at_.current() && at_.current()->entry.path == above && !at_.current()->is_removed)
			found(*at_.current());
	}
	last_directory_ = directory;
	for (at_.seek(path + "/"); at_.current() && is_within(at_.current()->entry.path, path); at_.next())
		if (!at_.current()->is_removed)
			found(*at_.current());
}

static std::shared_ptr<IndexFile> open_file(const std::string &path)
{
	std::optional<File> file = File::find(path);
	return file ? std::make_shared<IndexFile>(std::move(*file)) : nullptr;
}

Index Index::open(const std::string &directory)
{
	try {
		return open_whole(directory);
	} catch (const CorruptError &) {
		if (!is_unpromised(directory))
			throw;
	}
	Index index;
	index.directory_ = directory;
	index.is_lost_ = true;
	try {
		index.base_ = open_file(directory + "/index");
	} catch (const CorruptError &) {
	}
	if (index.base_)
		index.state_ = state_of(index.base_->tail());
	// What was staged in an old base is committed, and the state may have gone on since.
	if (!index.may_have_staged())
		return index;
	index.base_ = nullptr;
	index.state_ = {};
	return index;
}

void Index::remove_lost() const
{
	remove_file_if_there(directory_ + "/changes");
	if (!base_)
		remove_file_if_there(directory_ + "/index");
}

Index Index::open_whole(const std::string &directory)
{
	Index index;
	index.directory_ = directory;
	// A writer replaces the base first and removes the changes then, so the changes are read
	// first: those of an older base show as stale, newer ones make us look again.
	for (int attempt = 0;; attempt++) {
		index.changes_ = open_file(directory + "/changes");
		index.base_ = open_file(directory + "/index");
		const StagingId base_id = index.base_ ? index.base_->tail().id : StagingId();
		if (!index.changes_ || index.changes_->tail().base_id == base_id)
			break;
		// They were there before the base was, so a base that is older is another one's.
		const std::uint64_t base_sequence = index.base_ ? std::uint64_t(index.base_->tail().last_sequence) : 0;
		if (index.changes_->tail().last_sequence > base_sequence)
			throw CorruptError("the base that it belongs to is missing" + std::string(reset_advice),
				index.changes_->file().name(), 0);
		if (attempt == 3) {
			index.changes_ = nullptr;
			break;
		}
	}
	if (index.changes_)
		index.state_ = state_of(index.changes_->tail());
	else if (index.base_)
		index.state_ = state_of(index.base_->tail());
	return index;
}

std::optional<IndexRecord> Index::find(std::string_view path) const
{
	IndexCursor at = cursor();
	at.seek(path);
	if (!at.current() || at.current()->entry.path != path || at.current()->is_removed)
		return {};
	return *at.current();
}

bool Index::may_have_staged(const std::shared_ptr<IndexFile> &file) const
{
	return file && file->tail().records > 0 && file->tail().highest_sequence > state_.committed_sequence;
}

bool Index::may_have_staged() const { return may_have_staged(base_) || may_have_staged(changes_); }

// Whatever the base has of a path that was staged later, the changes have it, too, and it counts.
IndexCursor Index::staged_cursor() const
{
	return IndexCursor(may_have_staged(base_) ? base_ : nullptr, changes_);
}

void Index::check() const
{
	for (const auto &file : {base_, changes_}) {
		if (!file)
			continue;
		IndexCursor all(file, nullptr);
		std::string before;
		std::uint64_t count = 0;
		for (; all.current(); all.next(), count++) {
			if (count > 0 && all.current()->entry.path <= before)
				throw CorruptError("its paths are not in order", file->file().name(), 0);
			before = all.current()->entry.path;
		}
		if (count != file->tail().records)
			throw CorruptError("it holds another number of records than it says", file->file().name(), 0);
	}
}

} // namespace dig
