// A path may hold any byte but NUL, and a line can not.  A path that would break a line, or a terminal,
// is quoted as git and C do it: in double quotes, with a backslash and a letter or three octal digits.
// So a tool that reads lines knows from the first byte whether it has to unquote, and all other paths
// are the same bytes in every format.
//
// What is quoted goes beyond what breaks a line.  Bytes that are no UTF-8, control characters beyond
// ASCII, and characters that change the direction of writing could make a terminal show another path
// than the one that is meant.  Unquoting takes every escape that quoting writes, and nothing that is
// not quoted completely: a path that only begins with a quote was quoted by whoever wrote it.
#include "libdig/tool/records.h"

#include <algorithm>
#include <cerrno>

#include "libdig/base/utf8.h"
#include "libdig/os/connection.h"
#include "libdig/os/process.h"

namespace dig {

// The escapes of C that have a letter, and what they stand for, at equal places.
static constexpr std::string_view escape_letters = "abtnvfr\"\\";
static constexpr std::string_view escaped_bytes = "\a\b\t\n\v\f\r\"\\";

static bool needs_escape(char c)
{
	const auto byte = static_cast<unsigned char>(c);
	return byte < 0x20 || byte == 0x7f || c == '"' || c == '\\';
}

// The length of the character at path[at] if a terminal may get it as it is, else 0: bytes that are no
// UTF-8, controls beyond ASCII, and what turns the direction of writing are for no terminal.
static std::size_t plain_length(std::string_view path, std::size_t at)
{
	if (needs_escape(path[at]))
		return 0;
	const std::size_t length = utf8_at(path, at).length;
	const std::string_view character = path.substr(at, length);
	return length > 1 && shown_text(character) != character ? 0 : length;
}

static bool is_plain(std::string_view path)
{
	if (std::none_of(path.begin(), path.end(),
			[](char c) { return needs_escape(c) || static_cast<unsigned char>(c) >= 0x80; }))
		return true;
	for (std::size_t at = 0, length; at < path.size(); at += length)
		if ((length = plain_length(path, at)) == 0)
			return false;
	return true;
}

static void append_quoted(std::string &out, std::string_view path)
{
	out += '"';
	for (std::size_t at = 0; at < path.size(); at++) {
		if (const std::size_t length = plain_length(path, at)) {
			out += path.substr(at, length);
			at += length - 1;
			continue;
		}
		const char c = path[at];
		out += '\\';
		const std::size_t letter = escaped_bytes.find(c);
		if (letter != escaped_bytes.npos) {
			out += escape_letters[letter];
			continue;
		}
		const auto byte = static_cast<unsigned char>(c);
		for (int shift : {6, 3, 0})
			out += static_cast<char>('0' + (byte >> shift & 7));
	}
	out += '"';
}

std::string quoted_record(std::string_view path)
{
	if (is_plain(path))
		return std::string(path);
	std::string text;
	append_quoted(text, path);
	return text;
}

[[noreturn]] static void fail_unquoting(std::string_view text)
{
	throw Error("a record begins with '\"' and is not quoted as C does: " +
		quote(text.substr(0, 200)));
}

// The byte that the escape at text[at], behind its backslash, stands for; at moves behind it.
static char escaped_byte(std::string_view text, std::size_t &at)
{
	const char c = text[at];
	const std::size_t letter = escape_letters.find(c);
	if (letter != escape_letters.npos) {
		at++;
		return escaped_bytes[letter];
	}
	unsigned value = 0;
	for (int i = 0; i < 3; i++, at++) {
		if (at >= text.size() || text[at] < '0' || text[at] > '7')
			fail_unquoting(text);
		value = value * 8 + static_cast<unsigned>(text[at] - '0');
	}
	if (value > 255)
		fail_unquoting(text);
	return static_cast<char>(value);
}

std::string unquoted_record(std::string_view text)
{
	if (text.empty() || text[0] != '"')
		return std::string(text);
	// The closing quote stays outside, so that an escape never runs over it.
	if (text.size() < 2 || text.back() != '"')
		fail_unquoting(text);
	const std::string_view inner = text.substr(0, text.size() - 1);
	std::string path;
	for (std::size_t at = 1; at < inner.size();) {
		if (inner[at] == '"')
			fail_unquoting(text);
		if (inner[at] != '\\') {
			path += inner[at++];
			continue;
		}
		if (++at == inner.size())
			fail_unquoting(text);
		path += escaped_byte(inner, at);
	}
	return path;
}

static constexpr std::size_t read_size = 64 << 10;

RecordReader::RecordReader(File file, RecordEnd end) : file_(std::move(file)), end_(end) {}

RecordReader RecordReader::standard_input(RecordEnd end)
{
	return RecordReader(File::standard_input(), end);
}

// Reads more behind what is unread; false at the end.
bool RecordReader::fill()
{
	if (is_at_end_)
		return false;
	if (begin_ > 0) {
		std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), size_, buffer_.begin());
		begin_ = 0;
	}
	if (buffer_.size() < size_ + read_size)
		buffer_.resize(std::max(size_ + read_size, 2 * size_));
	wait_until_readable(file_.fd());
	const std::size_t more = file_.read_some(MutableBytes(buffer_).subspan(size_));
	// What ended it may be what is about to interrupt us.
	if (more == 0)
		check_interrupted();
	size_ += more;
	is_at_end_ = more == 0;
	return more > 0;
}

std::optional<std::string_view> RecordReader::next()
{
	std::size_t searched = 0;
	for (;;) {
		const std::string_view unread = text_of(Bytes(buffer_).subspan(begin_, size_));
		const std::size_t end = unread.find(static_cast<char>(end_), searched);
		if (std::min(end, unread.size()) > max_record_size)
			throw Error("a record on " + file_.name() + " is longer than " +
				std::to_string(max_record_size) + " bytes");
		if (end != unread.npos) {
			begin_ += end + 1;
			size_ -= end + 1;
			return unread.substr(0, end);
		}
		searched = unread.size();
		if (fill())
			continue;
		if (size_ == 0)
			return {};
		if (end_ == RecordEnd::nul)
			throw Error("the last record on " + file_.name() + " does not end with NUL");
		// fill() may have moved it.
		const std::string_view last = text_of(Bytes(buffer_).subspan(begin_, size_));
		begin_ += size_;
		size_ = 0;
		return last;
	}
}

std::optional<std::string> RecordReader::next_path()
{
	const std::optional<std::string_view> record = next();
	if (!record)
		return {};
	return end_ == RecordEnd::nul ? std::string(*record) : unquoted_record(*record);
}

bool RecordReader::has_next() const
{
	return text_of(Bytes(buffer_).subspan(begin_, size_)).find(static_cast<char>(end_)) != std::string_view::npos;
}

static constexpr std::size_t output_size = 64 << 10;
// A piece that is shorter is copied in less time than it takes as a piece.
static constexpr std::size_t least_kept = 512;
// A system call takes 1,024 pieces: each of these, and the text before it.
static constexpr std::size_t most_kept = 500, most_kept_size = 2 << 20;

Output::Output(int fd, RecordEnd end) : fd_(fd), end_(end) { buffer_.reserve(output_size); }

template <typename Write> static void to_reader(int fd, const Write &write)
{
	try {
		write();
	} catch (const SystemError &failure) {
		if (failure.error() == EPIPE && fd == 1)
			throw ReaderGone();
		throw;
	}
}

void Output::pass_on(Bytes bytes)
{
	to_reader(fd_, [&] { write_all(fd_, bytes); });
}

void Output::pass_on_pieces(std::string_view text, std::span<const std::pair<std::size_t, Bytes>> kept)
{
	std::vector<iovec> pieces;
	pieces.reserve(2 * kept.size() + 1);
	const auto add = [&](Bytes bytes) { pieces.push_back({const_cast<std::uint8_t *>(bytes.data()), bytes.size()}); };
	std::size_t done = 0;
	for (const auto &[at, bytes] : kept) {
		add(bytes_of(text.substr(done, at - done)));
		add(bytes);
		done = at;
	}
	add(bytes_of(text.substr(done)));
	to_reader(fd_, [&] { write_pieces(fd_, pieces); });
}

void Output::flush()
{
	if (buffer_.empty() && kept_.empty())
		return;
	// Emptied first: what could not be written once is not tried again on the way out.
	std::string pending;
	pending.swap(buffer_);
	std::vector<std::pair<std::size_t, Bytes>> kept;
	kept.swap(kept_);
	kept_size_ = 0;
	if (kept.empty())
		pass_on(bytes_of(pending));
	else
		pass_on_pieces(pending, kept);
	pending.clear();
	buffer_.swap(pending);
	kept.clear();
	kept_.swap(kept);
}

void Output::write_kept(Bytes bytes)
{
	if (bytes.size() < least_kept) {
		write(bytes);
		return;
	}
	written_ += bytes.size();
	kept_.push_back({buffer_.size(), bytes});
	kept_size_ += bytes.size();
	if (kept_.size() >= most_kept || kept_size_ >= most_kept_size) {
		check_interrupted();
		flush();
	}
}

void Output::let_go()
{
	if (!kept_.empty())
		flush();
}

void Output::drop_kept() noexcept
{
	if (!kept_.empty())
		buffer_.resize(kept_.front().first);
	kept_.clear();
	kept_size_ = 0;
}

void Output::write(Bytes bytes)
{
	written_ += bytes.size();
	if (buffer_.size() + bytes.size() > output_size) {
		check_interrupted();
		flush();
	}
	if (bytes.size() >= output_size)
		pass_on(bytes);
	else
		buffer_ += text_of(bytes);
}

void Output::append_end()
{
	const char end = static_cast<char>(end_);
	write(std::string_view(&end, 1));
}

void Output::record(std::string_view text)
{
	write(text);
	append_end();
}

void Output::path(std::string_view path)
{
	if (end_ == RecordEnd::nul || is_plain(path))
		write(path);
	else
		write(quoted_record(path));
}

void Output::record_path(std::string_view path_text)
{
	path(path_text);
	append_end();
}

Output &standard_output()
{
	static Output output(1);
	return output;
}

} // namespace dig
