// What waits, and why.
//
// The content of a link is that of another name, which may still be on its way through ingest.  So links are
// collected, all that came before them is published, and the index then has the names that they point to.  A
// member that comes in between under one of these names, or above or below it, would change what a link
// means; so the links are put before it.  In an archive as tar writes it that does not happen, and some
// thousand links cost one more publishing.
//
// A directory has an entry only if it is empty, and members below it may come at any time.  In most archives
// they come right behind it.  What is left is sorted, on disk if need be, and held against the index at the
// end.  In the sorted texts the components of a path end with NUL, so that what is below a directory follows
// it at once.
#include "libdig/tool/tar_taker.h"

#include <algorithm>
#include <unordered_map>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/base/path_walk.h"
#include "libdig/tool/command.h"

namespace dig {

constexpr std::size_t most_links = 4096;

TarTaker::TarTaker(Stage &stage, const File &input, std::string below)
	: stage_(stage), input_(input), below_(std::move(below)), archive_(input, stage.writer().directory()),
	  directories_(stage.writer().directory())
{
}

void TarTaker::take_all()
{
	TarMember member;
	while (archive_.next(member)) {
		member_++;
		take(member);
	}
	archive_.read_to_end();
}

void TarTaker::refuse(const std::string &shown, const std::string &why)
{
	refused_++;
	tell_error(shown + " is not staged: " + why);
}

std::optional<std::int64_t> TarTaker::mtime_of(const TarMember &member) const
{
	if (!stage_.writer().store().settings().core.record_mtime)
		return {};
	return member.mtime_ns;
}

// Without "." and empty components.  Nothing where it was told of; "" is the directory that members go to.
std::optional<std::string> TarTaker::stored(const std::string &name, const std::string &shown)
{
	if (name.starts_with('/') && !is_absolute_told_) {
		is_absolute_told_ = true;
		warn("the '/' in front of " + quote(name) + ", and of others, is left away");
	}
	std::string path;
	for (std::size_t begin = 0; begin < name.size();) {
		const std::size_t end = std::min(name.find('/', begin), name.size());
		const std::string_view component = std::string_view(name).substr(begin, end - begin);
		if (!component.empty() && component != ".") {
			path += path.empty() ? "" : "/";
			path += component;
		}
		begin = end + 1;
	}
	if (path.empty() && !name.empty())
		return below_;
	if (!below_.empty())
		path = below_ + '/' + path;
	if (const std::string_view problem = path_problem(path); !problem.empty()) {
		refuse(shown, std::string(problem));
		return {};
	}
	return path;
}

void TarTaker::take(const TarMember &member)
{
	using Kind = TarMember::Kind;
	if (member.kind == Kind::ignored)
		return;
	const std::string shown = quote(member.path);
	if (member.kind == Kind::special)
		return warn(shown + " is skipped: it is a " + member.what);
	if (member.kind == Kind::unreadable)
		return refuse(shown, "it is " + member.what);
	const std::optional<std::string> path = stored(member.path, shown);
	if (!path)
		return;
	if (member.kind == Kind::directory)
		return take_directory(member, *path);
	if (*path == below_)
		return refuse(shown, "it has no name");
	if (touches_links(*path))
		put_links();
	if (!directory_.empty() && is_within(*path, directory_))
		directory_.clear();
	else
		end_directory();
	if (member.kind == Kind::file)
		take_file(member, *path);
	else if (member.kind == Kind::symlink)
		take_symlink(member, *path);
	else
		take_link(member, *path);
}

void TarTaker::take_file(const TarMember &member, const std::string &path)
{
	if (member.size > stage_.largest_content())
		return take_large(member, path);
	Stage::Content content{path, EntryKind::file, member.mode, mtime_of(member), Buffer(member.size)};
	archive_.read_content(content.bytes);
	stage_.content(std::move(content));
}

void TarTaker::take_large(const TarMember &member, const std::string &path)
{
	Stage::Stream stream;
	stream.path = path;
	stream.mode = member.mode;
	stream.mtime_ns = mtime_of(member);
	stream.content = File::duplicate_of(input_.fd(), input_.name());
	stream.size = member.size;
	stream.keeps_same = true;
	is_whole_ = false;
	stream.next_frame = [this] {
		const TarExtent extent = archive_.next_extent();
		is_whole_ = extent.size == 0;
		return ContentFrame(extent.size, extent.is_hole);
	};
	stage_.stream(std::move(stream));
	stage_.wait_until_read();
	if (is_whole_)
		return;
	stage_.drain();
	stage_.take_stream_failure();
	archive_.fail_short(member.path);
}

void TarTaker::take_symlink(const TarMember &member, const std::string &path)
{
	if (member.target.empty() || member.target.size() > max_link_size || member.target.find('\0') != std::string::npos)
		return refuse(quote(member.path),
			"the text of a symbolic link has 1 to " + std::to_string(max_link_size) + " bytes");
	const Bytes text = bytes_of(member.target);
	stage_.content({path, EntryKind::symlink, 0777, mtime_of(member), Buffer(text.begin(), text.end())});
}

// --- hard links -------------------------------------------------------------------------------

static void each_above(std::string_view path, const std::function<void(std::string_view)> &each)
{
	for (std::size_t slash = path.rfind('/'); slash != path.npos; slash = path.rfind('/')) {
		path = path.substr(0, slash);
		each(path);
	}
}

bool TarTaker::touches_links(const std::string &path) const
{
	if (links_.empty())
		return false;
	bool touches = named_.contains(path) || above_.contains(path);
	each_above(path, [&](std::string_view above) { touches = touches || named_.contains(std::string(above)); });
	return touches;
}

void TarTaker::take_link(const TarMember &member, const std::string &path)
{
	const std::string shown = quote(member.path);
	const std::optional<std::string> target =
		stored(member.target, shown + ", a link to " + quote(member.target) + ",");
	if (!target || *target == path)
		return;
	for (const std::string &name : {path, *target}) {
		named_.insert(name);
		each_above(name, [&](std::string_view above) { above_.emplace(above); });
	}
	links_.push_back({path, *target, shown});
	if (links_.size() == most_links)
		put_links();
}

void TarTaker::put_links()
{
	if (links_.empty())
		return;
	stage_.publish();
	std::unordered_map<std::string, IndexRecord> put; // by this call: the index has them later
	for (const Link &link : links_) {
		const auto before = put.find(link.target);
		const std::optional<IndexRecord> found =
			before != put.end() ? before->second : stage_.index().find(link.target);
		if (!found || found->entry.kind == EntryKind::empty_directory) {
			refuse(link.shown, "it is a hard link to " + quote(link.target) + ", which has not come before it");
			continue;
		}
		IndexRecord record;
		record.entry = found->entry;
		record.entry.path = link.path;
		record.is_by_reference = found->is_by_reference;
		put[link.path] = record;
		stage_.put(std::move(record));
	}
	links_.clear();
	named_.clear();
	above_.clear();
}

// --- directories ------------------------------------------------------------------------------

static void append_big_endian(std::string &text, std::uint64_t value)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		text += static_cast<char>(value >> shift);
}

static std::uint64_t big_endian(std::string_view text)
{
	std::uint64_t value = 0;
	for (const char byte : text.substr(0, 8))
		value = value << 8 | static_cast<std::uint8_t>(byte);
	return value;
}

// Path with NULs in the place of '/', two NULs, number of the member, mode, and its time if there is one.
void TarTaker::take_directory(const TarMember &member, const std::string &path)
{
	if (!directory_.empty() && !is_within(path, directory_))
		end_directory();
	if (path == below_)
		return directory_.clear();
	directory_ = path;
	directory_text_ = path;
	std::replace(directory_text_.begin(), directory_text_.end(), '/', '\0');
	directory_text_.append(2, '\0');
	append_big_endian(directory_text_, member_);
	append_big_endian(directory_text_, member.mode);
	if (const std::optional<std::int64_t> mtime = mtime_of(member))
		append_big_endian(directory_text_, static_cast<std::uint64_t>(*mtime));
}

// Nothing came right below it.
void TarTaker::end_directory()
{
	if (!directory_.empty())
		directories_.add(directory_text_);
	directory_.clear();
}

static std::string_view key_of(std::string_view text)
{
	return text.substr(0, text.find(std::string_view("\0\0", 2)));
}

void TarTaker::put_directories()
{
	if (directories_.is_empty())
		return;
	stage_.publish();
	std::string last;
	directories_.each([&](std::string_view text) {
		const std::string_view before = key_of(last), key = key_of(text);
		// Of one directory the last; and none that another one lies below.
		const bool is_below = key.starts_with(before) && (key.size() == before.size() || key[before.size()] == '\0');
		if (!last.empty() && !is_below)
			put_directory(last);
		last = text;
	});
	put_directory(last);
}

void TarTaker::put_directory(std::string_view text)
{
	const std::string_view key = key_of(text);
	const std::string_view rest = text.substr(key.size() + 2 + 8);
	IndexRecord record;
	Entry &entry = record.entry;
	entry.path = key;
	std::replace(entry.path.begin(), entry.path.end(), '\0', '/');
	entry.kind = EntryKind::empty_directory;
	entry.mode = static_cast<std::uint16_t>(big_endian(rest));
	if (rest.size() > 8)
		entry.mtime_ns = static_cast<std::int64_t>(big_endian(rest.substr(8)));
	std::optional<std::string> staged; // that has the place
	const Index &index = stage_.index();
	bool is_empty = true;
	each_within(index.cursor(), entry.path, [&](const IndexCursor &at) {
		const IndexRecord &other = *at.current();
		if (other.is_removed)
			return;
		if (other.entry.path != entry.path)
			is_empty = false;
		else if (other.entry.kind != EntryKind::empty_directory && index.is_staged(other))
			staged = entry.path;
	});
	each_above(entry.path, [&](std::string_view above) {
		const std::optional<IndexRecord> other = index.find(above);
		if (other && other->entry.kind != EntryKind::empty_directory && index.is_staged(*other))
			staged = above;
	});
	if (staged)
		return refuse(quote(entry.path + "/"), quote(*staged) + " is no directory");
	if (is_empty)
		stage_.put(std::move(record));
}

void TarTaker::finish()
{
	end_directory();
	put_links();
	put_directories();
}

} // namespace dig
