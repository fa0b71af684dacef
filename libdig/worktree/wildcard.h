// The patterns of gitignore: '*', '?', brackets, "**" and escapes, against the text of a path.
#ifndef DIG_WILDCARD_H
#define DIG_WILDCARD_H

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dig {

using ByteSet = std::bitset<256>;

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

} // namespace dig

#endif
