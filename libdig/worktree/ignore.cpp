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

#include <cassert>
#include <unordered_map>

#include "libdig/base/error.h"
#include "libdig/base/path.h"
#include "libdig/worktree/wildcard.h"

namespace dig {

constexpr std::size_t nowhere = std::string_view::npos;

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
static std::string_view next_line(std::string_view &content)
{
	const std::size_t end = content.find('\n');
	std::string_view line = content.substr(0, end);
	content.remove_prefix(end == nowhere ? content.size() : end + 1);
	if (line.ends_with('\r'))
		line.remove_suffix(1);
	return line;
}

// Without blanks at the end; a backslash keeps the one behind it, and with it those before.
static std::string_view without_trailing_blanks(std::string_view line)
{
	std::size_t size = 0; // of what stays
	for (std::size_t at = 0; at < line.size(); at++) {
		if (line[at] == ' ')
			continue;
		if (line[at] == '\\' && ++at == line.size())
			return line;
		size = at + 1;
	}
	return line.substr(0, size);
}

// The rule's text on a line, empty if it has none.
static std::string_view pattern_of(std::string_view line)
{
	if (line.starts_with('#'))
		return {};
	return without_trailing_blanks(line.substr(0, line.find('\0')));
}

// The part below directory; nothing if path is not there.
static std::optional<std::string_view> relative_to(
	std::string_view directory, std::string_view path)
{
	if (directory.empty())
		return path;
	if (path.size() <= directory.size() || path[directory.size()] != '/' ||
		!path.starts_with(directory))
		return {};
	return path.substr(directory.size() + 1);
}

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
		throw Error(
			quote(name) + " is larger than " + std::to_string(max_ignore_bytes >> 20) + " MiB");
	for (std::size_t line = 1; !left.empty(); line++) {
		Rule rule;
		if (!rule.compile(pattern_of(next_line(left)), line))
			continue;
		if (rules.size() == max_ignore_rules)
			throw Error(
				quote(name) + " has more than " + std::to_string(max_ignore_rules) + " rules");
		rules.push_back(std::move(rule));
	}
	rules.shrink_to_fit();
	for (std::size_t i = 0; i < rules.size(); i++)
		if (rules[i].is_literal)
			(rules[i].is_anywhere ? anywhere : from_directory)[rules[i].prefix].push_back(i);
		else
			wildcards.push_back(i);
}

std::size_t IgnoreFile::Rules::look_up(
	const Table &table, std::string_view text, bool is_directory) const
{
	if (table.empty())
		return 0;
	const auto found = table.find(text);
	if (found == table.end())
		return 0;
	for (auto i = found->second.rbegin(); i != found->second.rend(); i++)
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
		return {};
	const std::string_view base = relative->substr(relative->rfind('/') + 1);
	std::size_t best = std::max(rules_->look_up(rules_->anywhere, base, is_directory),
		rules_->look_up(rules_->from_directory, *relative, is_directory));
	for (auto i = rules_->wildcards.rbegin(); i != rules_->wildcards.rend() && *i >= best; i++) {
		const Rule &rule = rules_->rules[*i];
		if (rule.only_directories && !is_directory)
			continue;
		if (rule.matches(rule.is_anywhere ? base : *relative)) {
			best = *i + 1;
			break;
		}
	}
	if (best == 0)
		return {};
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
	depth_++;
}

void IgnoreStack::pop()
{
	assert(depth_ > 0);
	if (!levels_.empty() && levels_.back().depth == depth_)
		levels_.pop_back();
	depth_--;
}

std::optional<IgnoreMatch> IgnoreStack::match(std::string_view path, bool is_directory) const
{
	for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
		if (const std::optional<IgnoreMatch> found = level->file->match(path, is_directory))
			return found;
	return {};
}

IgnoreLookup::IgnoreLookup(Reader reader, std::shared_ptr<const IgnoreFile> outermost)
	: reader_(std::move(reader)), stack_(std::move(outermost))
{
}

std::optional<IgnoreMatch> IgnoreLookup::match(std::string_view path, bool is_directory)
{
	if (path.empty())
		return {};
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
