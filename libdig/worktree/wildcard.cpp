// How a text is matched without trying everything.
//
// There are three things to which the text may give more or less.  A Star takes bytes other than
// '/'.  Directories, from "**/", take nothing or all up to and with some '/'.  The Remainder,
// from a trailing "**", takes all.  The match tries the least first, and where it fails gives
// one byte more to the last Star, or one directory more to the last Directories; what stands
// before those is never tried again.  That is enough:
//
//   - A Star behind another in the same component may start as early as possible: what the later
//     start could reach, the early one reaches too.  For Stars in different components there
//     is no choice, since each '/' of the pattern meets the next '/' of the text.
//   - The same holds for Directories: an earlier start sees every '/' that a later one does.
//
// So nothing nests, and time is at most size of text squared times the number of tokens.  What
// stands behind the last Directories has as many '/' as it needs, so that its place is known at once.
#include "libdig/worktree/wildcard.h"

#include <algorithm>

namespace dig {

constexpr std::size_t nowhere = std::string_view::npos;

static ByteSet range_of(unsigned char first, unsigned char last)
{
	ByteSet set;
	for (unsigned c = first; c <= last; c++)
		set.set(c);
	return set;
}

// The bytes of a POSIX class such as "digit", in ASCII whatever the locale; nothing if there is
// no such class.
static std::optional<ByteSet> find_class(std::string_view name)
{
	const ByteSet lower = range_of('a', 'z'), upper = range_of('A', 'Z');
	const ByteSet digit = range_of('0', '9'), graph = range_of('!', '~');
	const ByteSet alnum = lower | upper | digit;
	const ByteSet blank = range_of(' ', ' ') | range_of('\t', '\t');
	const std::pair<std::string_view, ByteSet> classes[] = {
		{"alnum", alnum},
		{"alpha", lower | upper},
		{"blank", blank},
		{"cntrl", range_of(0, 0x1f) | range_of(0x7f, 0x7f)},
		{"digit", digit},
		{"graph", graph},
		{"lower", lower},
		{"print", graph | range_of(' ', ' ')},
		{"punct", graph & ~alnum},
		// git's own idea of white space: neither vertical tab nor form feed.
		{"space", blank | range_of('\n', '\n') | range_of('\r', '\r')},
		{"upper", upper},
		{"xdigit", digit | range_of('a', 'f') | range_of('A', 'F')},
	};
	for (const auto &[known, set] : classes)
		if (known == name)
			return set;
	return {};
}

// Reads a bracket expression: from the '[' at pattern[at] to its ']'.
class BracketParser {
public:
	BracketParser(std::string_view pattern, std::size_t at) : pattern_(pattern), at_(at + 1) {}

	// Nothing if the expression is malformed.  '/' is never in the set.
	std::optional<ByteSet> parse()
	{
		const bool is_negated = peek() == '!' || peek() == '^';
		at_ += is_negated;
		do {
			if (!parse_item())
				return {};
		} while (peek() != ']'); // the first item may be a ']'
		if (is_negated)
			set_.flip();
		set_.reset('/');
		return set_;
	}
	// Behind the ']', after parse().
	std::size_t end() const { return at_ + 1; }

private:
	unsigned char peek(std::size_t ahead = 0) const
	{
		return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : 0;
	}

	// One byte, range or class, false if there is none.
	bool parse_item()
	{
		if (at_ >= pattern_.size())
			return false;
		if (peek() == '-' && range_start_ && peek(1) && peek(1) != ']')
			return parse_range_end();
		if (peek() == '[' && peek(1) == ':') {
			const std::size_t close = pattern_.find(']', at_ + 2);
			if (close == nowhere)
				return false;
			if (close > at_ + 2 && pattern_[close - 1] == ':')
				return parse_class(close);
		}
		if (!parse_byte(range_start_))
			return false;
		set_.set(range_start_);
		return true;
	}

	bool parse_byte(unsigned char &byte)
	{
		if (peek() == '\\')
			at_++;
		byte = peek();
		at_++;
		return at_ <= pattern_.size();
	}

	bool parse_range_end()
	{
		unsigned char last;
		at_++;
		if (!parse_byte(last))
			return false;
		set_ |= range_of(range_start_, last);
		range_start_ = 0;
		return true;
	}

	bool parse_class(std::size_t close)
	{
		const std::size_t name = at_ + 2;
		const std::optional<ByteSet> found = find_class(pattern_.substr(name, close - 1 - name));
		if (!found)
			return false;
		set_ |= *found;
		range_start_ = 0;
		at_ = close + 1;
		return true;
	}

	std::string_view pattern_;
	std::size_t at_;
	ByteSet set_;
	unsigned char range_start_ = 0; // the item before, if a range may start with it
};

bool Wildcard::compile(std::string_view pattern, std::size_t from)
{
	for (std::size_t at = from; at < pattern.size();) {
		switch (pattern[at]) {
		case '*': at = compile_stars(pattern, at); break;
		case '?':
			tokens_.push_back({Kind::any_byte});
			at++;
			break;
		case '[': {
			BracketParser bracket(pattern, at);
			const std::optional<ByteSet> set = bracket.parse();
			if (!set)
				return false;
			tokens_.push_back({Kind::set, 0, static_cast<std::uint32_t>(sets_.size())});
			sets_.push_back(*set);
			at = bracket.end();
			break;
		}
		case '\\':
			if (++at == pattern.size())
				return false;
			[[fallthrough]];
		default: tokens_.push_back({Kind::byte, static_cast<unsigned char>(pattern[at++])});
		}
	}
	note_last_directories();
	tokens_.shrink_to_fit();
	sets_.shrink_to_fit();
	return true;
}

void Wildcard::note_last_directories()
{
	for (std::size_t i = 0; i < tokens_.size(); i++) {
		const Token &token = tokens_[i];
		if (token.kind == Kind::directories || token.kind == Kind::one_directory) {
			last_directories_ = i + 1;
			slashes_behind_ = 0;
		} else if (token.kind == Kind::remainder) {
			last_directories_ = 0;
		} else {
			slashes_behind_ += token.kind == Kind::byte && token.byte == '/';
		}
	}
}

// Two stars or more that fill a component are special; others count as one.  The position
// after all that was compiled.
std::size_t Wildcard::compile_stars(std::string_view pattern, std::size_t at)
{
	const std::size_t end = std::min(pattern.find_first_not_of('*', at), pattern.size());
	const std::string_view rest = pattern.substr(end);
	const bool is_special = end - at >= 2 && (at == 0 || pattern[at - 1] == '/');
	if (is_special && rest.empty()) {
		tokens_.push_back({Kind::remainder});
		return end;
	}
	if (is_special && rest.front() == '/') {
		tokens_.push_back({Kind::directories});
		return end + 1;
	}
	if (is_special && rest.starts_with("\\/")) {
		tokens_.push_back({Kind::one_directory});
		return end + 2;
	}
	tokens_.push_back({Kind::star});
	return end;
}

bool Wildcard::accepts(const Token &token, unsigned char c) const
{
	switch (token.kind) {
	case Kind::byte: return c == token.byte;
	case Kind::any_byte: return c != '/';
	case Kind::set: return sets_[token.set][c];
	default: return false;
	}
}

// Where the last components begin, with so many '/' between them; nowhere if there are fewer.
static std::size_t start_of_last(std::string_view text, std::size_t slashes)
{
	std::size_t start = text.size();
	for (std::size_t i = 0; i <= slashes; i++) {
		const std::size_t slash = start ? text.rfind('/', start - 1) : nowhere;
		if (slash == nowhere)
			return i == slashes ? 0 : nowhere;
		start = slash;
	}
	return start + 1;
}

bool Wildcard::matches(std::string_view text) const
{
	struct Retry {
		std::size_t token = 0; // the one behind the wildcard, which is never the first: 0 is none
		std::size_t at = 0;    // where the text was last tried against it
	};
	Retry star, directories;
	std::size_t token = 0, at = 0;
	for (;;) {
		const Kind kind = token < tokens_.size() ? tokens_[token].kind : Kind::byte;
		if (kind == Kind::remainder)
			return true;
		if (kind == Kind::star) {
			star = {++token, at};
			continue;
		}
		if (kind == Kind::directories || kind == Kind::one_directory) {
			directories = {++token, at};
			star = {};
			if (token == last_directories_) {
				const std::size_t start = start_of_last(text, slashes_behind_);
				if (start == nowhere || start < at || (start == at && kind == Kind::one_directory))
					return false;
				directories = {};
				at = start;
				continue;
			}
			if (kind == Kind::directories)
				continue;
		} else if (token == tokens_.size() && at == text.size()) {
			return true;
		} else if (token < tokens_.size() && at < text.size() &&
			accepts(tokens_[token], text[at])) {
			token++;
			at++;
			continue;
		}
		if (star.token && star.at < text.size() && text[star.at] != '/') {
			token = star.token;
			at = ++star.at;
			continue;
		}
		const std::size_t slash = directories.token ? text.find('/', directories.at) : nowhere;
		if (slash == nowhere)
			return false;
		star = {};
		token = directories.token;
		at = directories.at = slash + 1;
	}
}

std::optional<std::string> Wildcard::bytes_from(std::size_t first) const
{
	std::string bytes;
	for (std::size_t i = first; i < tokens_.size(); i++) {
		if (tokens_[i].kind != Kind::byte)
			return {};
		bytes += static_cast<char>(tokens_[i].byte);
	}
	return bytes;
}

std::optional<std::string> Wildcard::literal() const { return bytes_from(0); }

std::optional<std::string> Wildcard::tail_of_star() const
{
	if (tokens_.empty() || tokens_.front().kind != Kind::star)
		return {};
	return bytes_from(1);
}

} // namespace dig
