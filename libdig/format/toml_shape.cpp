// A descent along the grammar in the header.  Each function takes what it knows off the text and returns
// what is wrong, or null.  Depth is a parameter and is bounded, so a text of brackets cannot exhaust the
// stack.  Every step takes at least one byte, so the time is that of one pass.
//
// The check is stricter than TOML, for instance with the characters of bare values.  A text that passes
// may still be wrong, and then toml++ says so.  What must not happen is the other case: a text that
// passes and makes toml++ fail an assertion or recurse without end.  The fuzz target of settings looks for
// it.
#include "libdig/format/toml_shape.h"

#include <algorithm>
#include <cstdint>

#include "libdig/base/utf8.h"

namespace dig {

constexpr int most_key_parts = 8, most_depth = 16;

class TomlScan {
public:
	explicit TomlScan(std::string_view text) : text_(text) {}

	std::optional<TomlFault> find_fault()
	{
		if (const char *reason = fault_in_bytes())
			return at_line(reason);
		at_ = 0;
		take("\xef\xbb\xbf");
		while (skip_blank(true), at_ < text_.size())
			if (const char *reason = statement())
				return at_line(reason);
		return {};
	}

private:
	TomlFault at_line(const char *reason) const
	{
		const std::string_view before = text_.substr(0, at_);
		return {static_cast<unsigned>(1 + std::count(before.begin(), before.end(), '\n')), reason};
	}

	// All of these return what is wrong, or null.

	const char *fault_in_bytes()
	{
		for (at_ = 0; at_ < text_.size();) {
			const Utf8Point point = utf8_at(text_, at_);
			if (point.length == 0)
				return "it is no UTF-8";
			const bool is_line_end = point.value == '\n' || (point.value == '\r' && text_.substr(at_, 2) == "\r\n");
			if ((point.value < 0x20 && point.value != '\t' && !is_line_end) || point.value == 0x7f)
				return "a control character is not allowed";
			at_ += point.length;
		}
		return nullptr;
	}

	const char *statement()
	{
		const bool is_header = peek() == '[', is_array = text_.substr(at_, 2) == "[[";
		at_ += is_header + is_array;
		if (is_header)
			skip_blank(false);
		if (const char *reason = key())
			return reason;
		if (is_header) {
			if (!take(is_array ? "]]" : "]"))
				return "a ']' is missing";
		} else if (const char *reason = assigned(0)) {
			return reason;
		}
		skip_blank(false);
		return at_ == text_.size() || peek() == '\n' || peek() == '\r' ? nullptr : "the line should end here";
	}

	// "= value"
	const char *assigned(int depth)
	{
		if (!take("="))
			return "a '=' is missing";
		skip_blank(false);
		return value(depth);
	}

	const char *key()
	{
		for (int parts = 1;; parts++) {
			if (parts > most_key_parts)
				return "a key has too many parts";
			if (const char *reason = key_part())
				return reason;
			skip_blank(false);
			if (!take("."))
				return nullptr;
			skip_blank(false);
		}
	}

	const char *key_part()
	{
		if (peek() == '"' || peek() == '\'')
			return is_long_string() ? "a key is a string of one line" : string_of_a_line();
		const std::size_t start = at_;
		while (is_bare(peek()))
			at_++;
		return at_ > start ? nullptr : "a key is missing";
	}

	const char *value(int depth)
	{
		if (depth > most_depth)
			return "values are too deep in each other";
		switch (peek()) {
		case '"':
		case '\'':
			return is_long_string() ? long_string() : string_of_a_line();
		case '[':
			return list(depth, ']');
		case '{':
			return list(depth, '}');
		}
		const std::size_t start = at_;
		while (is_bare(peek()) || peek() == '+' || peek() == '.' || peek() == ':')
			at_++;
		return at_ > start ? nullptr : "a value is missing";
	}

	// An array, which may go on in other lines, or a table, which may not.
	const char *list(int depth, char end)
	{
		const bool is_array = end == ']';
		at_++;
		for (skip_blank(is_array); peek() != end; skip_blank(is_array)) {
			if (const char *reason = is_array ? value(depth + 1) : key())
				return reason;
			if (const char *reason = is_array ? nullptr : assigned(depth + 1))
				return reason;
			skip_blank(is_array);
			if (peek() != end && !take(","))
				return is_array ? "a ',' or ']' is missing" : "a ',' or '}' is missing";
		}
		at_++;
		return nullptr;
	}

	bool is_long_string() const
	{
		const std::string_view quotes = text_.substr(at_, 3);
		return quotes == "\"\"\"" || quotes == "'''";
	}

	const char *string_of_a_line()
	{
		const char quote = text_[at_++];
		for (; at_ < text_.size() && peek() != quote && peek() != '\n'; at_++)
			if (quote == '"' && peek() == '\\' && at_ + 1 < text_.size())
				at_++;
		return take(std::string_view(&quote, 1)) ? nullptr : "a string does not end";
	}

	const char *long_string()
	{
		const std::string_view quotes = text_.substr(at_, 3);
		for (at_ += 3; at_ < text_.size(); at_++)
			if (quotes[0] == '"' && peek() == '\\')
				at_++;
			else if (take(quotes)) {
				// Up to two quotes may stand before those that end it.
				for (int i = 0; i < 2 && peek() == quotes[0]; i++)
					at_++;
				return nullptr;
			}
		at_ = std::min(at_, text_.size());
		return "a string does not end";
	}

	static bool is_bare(char c)
	{
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
	}
	// NUL at the end; there is none in the text.
	char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
	bool take(std::string_view expected)
	{
		const bool is_there = text_.substr(std::min(at_, text_.size()), expected.size()) == expected;
		at_ += is_there ? expected.size() : 0;
		return is_there;
	}
	// Spaces, tabs and a comment; and lines, too.
	void skip_blank(bool over_lines)
	{
		for (; at_ < text_.size(); at_++) {
			if (peek() == '#')
				at_ = std::min(text_.find('\n', at_), text_.size());
			const bool is_line_end = peek() == '\n' || peek() == '\r';
			if (peek() != ' ' && peek() != '\t' && !(over_lines && is_line_end))
				return;
		}
	}

	std::string_view text_;
	std::size_t at_ = 0;
};

std::optional<TomlFault> find_toml_fault(std::string_view text) { return TomlScan(text).find_fault(); }

} // namespace dig
