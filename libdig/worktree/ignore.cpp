// How a rule is compiled.  Most rules are plain names ("build", "/doc/html") and go into hash
// tables: one look-up answers for all of them.  The others are a literal prefix, compared first,
// and a wildcard for what follows.  The usual wildcard, one '*' between two literal pieces
// ("*.o"), is two comparisons; the rest are matched token by token (Wildcard).
//
// Some of what git does is not in its manual, and is done here because the same files shall be
// left out.  It takes a line up to the first NUL; it takes off one CR before the line's end and
// only then the trailing blanks, so that a CR before blanks stays.  (An older git also took
// "a**/b" for "a" and then "**/b"; it no longer does, and neither does dig.)
#include "libdig/worktree/ignore.h"

#include <array>
#include <bitset>
#include <cassert>
#include <unordered_map>

#include "libdig/base/error.h"
#include "libdig/base/path.h"

namespace dig {

namespace {

constexpr std::size_t nowhere = std::string_view::npos;

using ByteSet = std::bitset<256>;

ByteSet range_of(unsigned char first, unsigned char last)
{
	ByteSet set;
	for (unsigned c = first; c <= last; ++c)
		set.set(c);
	return set;
}

// The bytes of a POSIX class such as "digit", in ASCII whatever the locale; nothing if there is
// no such class.
std::optional<ByteSet> find_class(std::string_view name)
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
	return std::nullopt;
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
				return std::nullopt;
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
		return parse_byte(range_start_) && (set_.set(range_start_), true);
	}

	bool parse_byte(unsigned char &byte)
	{
		if (peek() == '\\')
			++at_;
		byte = peek();
		++at_;
		return at_ <= pattern_.size();
	}

	bool parse_range_end()
	{
		unsigned char last;
		++at_;
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

// A pattern with wildcards against a whole text.
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
class Wildcard {
public:
	Wildcard() = default;
	// Compiles what stands in the pattern from this position on.  False if it is malformed,
	// which no text matches.
	bool compile(std::string_view pattern, std::size_t from);
	bool matches(std::string_view text) const;

	// The text if there is one only that matches.
	std::optional<std::string> literal() const;
	// For a pattern of one Star and a literal tail: that tail.
	std::optional<std::string> tail_of_star() const;

private:
	// one_directory is for an escaped '/' behind "**": it takes not nothing.
	enum class Kind : std::uint8_t {
		byte, any_byte, set, star, directories, one_directory, remainder
	};
	struct Token {
		Kind kind;
		unsigned char byte = 0;
		std::uint32_t set = 0;
	};
	std::size_t compile_stars(std::string_view pattern, std::size_t at);
	bool accepts(const Token &token, unsigned char c) const;
	std::optional<std::string> bytes_from(std::size_t first) const;
	void note_last_directories();

	std::vector<Token> tokens_;
	std::vector<ByteSet> sets_;
	std::size_t last_directories_ = 0; // the token behind the last of them, if no Remainder follows
	std::size_t slashes_behind_ = 0;   // it
};

bool Wildcard::compile(std::string_view pattern, std::size_t from)
{
	for (std::size_t at = from; at < pattern.size();) {
		switch (pattern[at]) {
		case '*':
			at = compile_stars(pattern, at);
			break;
		case '?':
			tokens_.push_back({Kind::any_byte});
			++at;
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
		default:
			tokens_.push_back({Kind::byte, static_cast<unsigned char>(pattern[at++])});
		}
	}
	note_last_directories();
	tokens_.shrink_to_fit();
	sets_.shrink_to_fit();
	return true;
}

void Wildcard::note_last_directories()
{
	for (std::size_t i = 0; i < tokens_.size(); ++i) {
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
	case Kind::byte:
		return c == token.byte;
	case Kind::any_byte:
		return c != '/';
	case Kind::set:
		return sets_[token.set][c];
	default:
		return false;
	}
}

// Where the last components begin, with so many '/' between them; nowhere if there are fewer.
std::size_t start_of_last(std::string_view text, std::size_t slashes)
{
	std::size_t start = text.size();
	for (std::size_t i = 0; i <= slashes; ++i) {
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
			++token;
			++at;
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
	for (std::size_t i = first; i < tokens_.size(); ++i) {
		if (tokens_[i].kind != Kind::byte)
			return std::nullopt;
		bytes += static_cast<char>(tokens_[i].byte);
	}
	return bytes;
}

std::optional<std::string> Wildcard::literal() const { return bytes_from(0); }

std::optional<std::string> Wildcard::tail_of_star() const
{
	if (tokens_.empty() || tokens_.front().kind != Kind::star)
		return std::nullopt;
	return bytes_from(1);
}

struct Rule {
	std::size_t line = 0;
	std::string_view pattern;
	bool is_negated = false;
	bool only_directories = false;
	bool is_anywhere = false; // matches the last component; else the path from the directory on
	std::string prefix;       // all of it where is_literal
	bool is_literal = false;
	std::optional<std::string> tail; // for a prefix, one '*' and this
	Wildcard wildcard;               // otherwise

	// False if the line can match nothing.
	bool compile(std::string_view line_text, std::size_t line_number);
	// Not for literals, which are looked up.
	bool matches(std::string_view subject) const;
};

bool Rule::compile(std::string_view line_text, std::size_t line_number)
{
	line = line_number;
	pattern = line_text;
	std::string_view rest = pattern;
	if ((is_negated = rest.starts_with('!')))
		rest.remove_prefix(1);
	if ((only_directories = rest.ends_with('/')))
		rest.remove_suffix(1);
	if (rest.empty())
		return false;
	is_anywhere = rest.find('/') == nowhere;
	if (rest.front() == '/')
		rest.remove_prefix(1);
	const std::size_t literal_size = std::min(rest.find_first_of("*?[\\"), rest.size());
	prefix = rest.substr(0, literal_size);
	if (!wildcard.compile(rest, literal_size))
		return false;
	if (const std::optional<std::string> bytes = wildcard.literal()) {
		is_literal = true;
		prefix += *bytes; // escaped ones
	}
	tail = wildcard.tail_of_star();
	return true;
}

bool Rule::matches(std::string_view subject) const
{
	if (!subject.starts_with(prefix))
		return false;
	subject.remove_prefix(prefix.size());
	if (!tail)
		return wildcard.matches(subject);
	if (!subject.ends_with(*tail))
		return false;
	return is_anywhere || subject.substr(0, subject.size() - tail->size()).find('/') == nowhere;
}

// Takes the first line off content, without its line end.
std::string_view next_line(std::string_view &content)
{
	const std::size_t end = content.find('\n');
	std::string_view line = content.substr(0, end);
	content.remove_prefix(end == nowhere ? content.size() : end + 1);
	if (line.ends_with('\r'))
		line.remove_suffix(1);
	return line;
}

// Without blanks at the end; a backslash keeps the one behind it, and with it those before.
std::string_view without_trailing_blanks(std::string_view line)
{
	std::size_t size = 0; // of what stays
	for (std::size_t at = 0; at < line.size(); ++at) {
		if (line[at] == ' ')
			continue;
		if (line[at] == '\\' && ++at == line.size())
			return line;
		size = at + 1;
	}
	return line.substr(0, size);
}

// The rule's text on a line, empty if it has none.
std::string_view pattern_of(std::string_view line)
{
	if (line.starts_with('#'))
		return {};
	return without_trailing_blanks(line.substr(0, line.find('\0')));
}

// The part below directory; nothing if path is not there.
std::optional<std::string_view> relative_to(std::string_view directory, std::string_view path)
{
	if (directory.empty())
		return path;
	if (path.size() <= directory.size() || path[directory.size()] != '/' ||
		!path.starts_with(directory))
		return std::nullopt;
	return path.substr(directory.size() + 1);
}

} // namespace

struct IgnoreFile::Rules {
	// Numbers of literal rules by their text, those of the last rules last.
	using Table = std::unordered_map<std::string_view, std::vector<std::size_t>>;

	std::string name;
	std::string directory;
	std::string content; // the rules' patterns are parts of it
	std::vector<Rule> rules;
	Table anywhere, from_directory;
	std::vector<std::size_t> wildcards; // the numbers of the others

	Rules(std::string_view name, std::string_view directory, Bytes content);
	// The number of the last rule of the table that fits, plus 1; 0 if there is none.
	std::size_t look_up(const Table &table, std::string_view text, bool is_directory) const;
};

IgnoreFile::Rules::Rules(std::string_view name, std::string_view directory, Bytes content)
	: name(name), directory(directory), content(text_of(content))
{
	std::string_view left = this->content;
	if (left.starts_with("\xef\xbb\xbf")) // a byte order mark
		left.remove_prefix(3);
	if (content.size() > max_ignore_bytes)
		throw Error(quote(name) + " is larger than " + std::to_string(max_ignore_bytes >> 20) + " MiB");
	for (std::size_t line = 1; !left.empty(); ++line) {
		Rule rule;
		if (!rule.compile(pattern_of(next_line(left)), line))
			continue;
		if (rules.size() == max_ignore_rules)
			throw Error(quote(name) + " has more than " + std::to_string(max_ignore_rules) + " rules");
		rules.push_back(std::move(rule));
	}
	rules.shrink_to_fit();
	for (std::size_t i = 0; i < rules.size(); ++i)
		if (rules[i].is_literal)
			(rules[i].is_anywhere ? anywhere : from_directory)[rules[i].prefix].push_back(i);
		else
			wildcards.push_back(i);
}

std::size_t IgnoreFile::Rules::look_up(const Table &table, std::string_view text,
	bool is_directory) const
{
	if (table.empty())
		return 0;
	const auto found = table.find(text);
	if (found == table.end())
		return 0;
	for (auto i = found->second.rbegin(); i != found->second.rend(); ++i)
		if (is_directory || !rules[*i].only_directories)
			return *i + 1;
	return 0;
}

IgnoreFile::IgnoreFile(std::string_view name, std::string_view directory, Bytes content)
	: rules_(std::make_unique<const Rules>(name, directory, content))
{
}

IgnoreFile::IgnoreFile(IgnoreFile &&) noexcept = default;
IgnoreFile &IgnoreFile::operator=(IgnoreFile &&) noexcept = default;
IgnoreFile::~IgnoreFile() = default;

bool IgnoreFile::is_empty() const { return rules_->rules.empty(); }
std::size_t IgnoreFile::rule_count() const { return rules_->rules.size(); }
std::size_t IgnoreFile::byte_count() const { return rules_->content.size(); }

std::optional<IgnoreMatch> IgnoreFile::match(std::string_view path, bool is_directory) const
{
	const std::optional<std::string_view> relative = relative_to(rules_->directory, path);
	if (!relative)
		return std::nullopt;
	const std::string_view base = relative->substr(relative->rfind('/') + 1);
	std::size_t best = std::max(rules_->look_up(rules_->anywhere, base, is_directory),
		rules_->look_up(rules_->from_directory, *relative, is_directory));
	for (auto i = rules_->wildcards.rbegin(); i != rules_->wildcards.rend() && *i >= best; ++i) {
		const Rule &rule = rules_->rules[*i];
		if (rule.only_directories && !is_directory)
			continue;
		if (rule.matches(rule.is_anywhere ? base : *relative)) {
			best = *i + 1;
			break;
		}
	}
	if (best == 0)
		return std::nullopt;
	const Rule &rule = rules_->rules[best - 1];
	return IgnoreMatch{rules_->name, rule.line, rule.pattern, rule.is_negated};
}

IgnoreStack::IgnoreStack(std::shared_ptr<const IgnoreFile> outermost)
{
	if (outermost && !outermost->is_empty())
		levels_.push_back({0, std::move(outermost)});
}

void IgnoreStack::push(std::string_view directory, std::optional<Bytes> content)
{
	if (content) {
		std::string name(directory);
		if (!name.empty())
			name += '/';
		name += ignore_file_name;
		auto file = std::make_shared<const IgnoreFile>(name, directory, *content);
		if (!file->is_empty())
			levels_.push_back({depth_ + 1, std::move(file)});
		std::size_t rules = 0, bytes = 0;
		for (const Level &level : levels_) {
			rules += level.file->rule_count();
			bytes += level.file->byte_count();
		}
		if (rules > max_ignore_rules || bytes > max_ignore_bytes)
			throw Error(quote(name) + " and those of the directories above have more than " +
				std::to_string(max_ignore_rules) + " rules, or more than " +
				std::to_string(max_ignore_bytes >> 20) + " MiB");
	}
	++depth_;
}

void IgnoreStack::pop()
{
	assert(depth_ > 0);
	if (!levels_.empty() && levels_.back().depth == depth_)
		levels_.pop_back();
	--depth_;
}

std::optional<IgnoreMatch> IgnoreStack::match(std::string_view path, bool is_directory) const
{
	for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
		if (const std::optional<IgnoreMatch> found = level->file->match(path, is_directory))
			return found;
	return std::nullopt;
}

IgnoreLookup::IgnoreLookup(Reader reader, std::shared_ptr<const IgnoreFile> outermost)
	: reader_(std::move(reader)), stack_(std::move(outermost))
{
}

std::optional<IgnoreMatch> IgnoreLookup::match(std::string_view path, bool is_directory)
{
	if (path.empty())
		return std::nullopt;
	const std::size_t slash = path.rfind('/');
	enter(path.substr(0, slash == nowhere ? 0 : slash));
	return excluded_ ? excluded_ : stack_.match(path, is_directory);
}

void IgnoreLookup::enter(std::string_view directory)
{
	if (excluded_ && is_within(directory, excluded_directory_))
		return;
	excluded_.reset();
	while (!is_within(directory, directory_)) {
		stack_.pop();
		const std::size_t slash = directory_.rfind('/');
		directory_.resize(slash == nowhere ? 0 : slash);
	}
	const auto push = [this](const std::string &entered) {
		const std::optional<Buffer> content = reader_(entered);
		stack_.push(entered, content ? std::optional<Bytes>(*content) : std::nullopt);
		directory_ = entered;
	};
	if (stack_.depth() == 0)
		push({});
	while (directory_.size() < directory.size()) {
		const std::size_t start = directory_.empty() ? 0 : directory_.size() + 1;
		const std::string next(directory.substr(0, directory.find('/', start)));
		const std::optional<IgnoreMatch> found = stack_.match(next, true);
		if (found && !found->is_negated) {
			excluded_ = found;
			excluded_directory_ = next;
			return;
		}
		push(next);
	}
}

} // namespace dig
