// The syntax is that of RFC 8141, with namespace "dig" and method "chia" in front.  The range
// stands in the fragment, which that RFC has for a region of the named resource.
//
// A URN comes from outside, so the parser refuses what it does not know, and says which part is
// wrong.  '%' is decoded once, and after the text was divided, so "%23" cannot begin a fragment.
// The decoded path must be one that can be stored: "%2e%2e" is no way out of a state.
//
// One thing has one spelling in what dig prints, so URNs can be compared as texts.
#include "libdig/format/urn.h"

#include "libdig/base/error.h"
#include "libdig/base/path.h"

namespace dig {

static constexpr std::string_view prefix = "urn:dig:chia:";
static constexpr std::string_view fragment_prefix = "bytes=";
static constexpr std::size_t digest_length = 64;

static char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

static bool begins_with(std::string_view text, std::string_view lower_case_prefix)
{
	if (text.size() < lower_case_prefix.size())
		return false;
	for (std::size_t i = 0; i < lower_case_prefix.size(); i++)
		if (lowered(text[i]) != lower_case_prefix[i])
			return false;
	return true;
}

bool looks_like_urn(std::string_view text) { return begins_with(text, "urn:dig:"); }

// Takes text apart from left to right.
class UrnParser {
public:
	explicit UrnParser(std::string_view text) : text_(text), rest_(text) {}

	Urn parse()
	{
		Urn urn;
		take_fragment(urn);
		if (looks_like_urn(text_))
			take_store(urn);
		else if (rest_.empty() || rest_[0] != '/')
			fail("it begins neither with 'urn:dig:chia:' nor with '/'");
		if (!rest_.empty())
			take_path(urn);
		return urn;
	}

private:
	[[noreturn]] void fail(const std::string &why) const
	{
		throw Error(quote(text_) + " is no URN of dig: " + why);
	}

	// A '#' in a path is written "%23", so the first one ends the path.
	void take_fragment(Urn &urn)
	{
		const std::size_t hash = rest_.find('#');
		if (hash == rest_.npos)
			return;
		const std::string_view fragment = rest_.substr(hash + 1);
		if (fragment.substr(0, fragment_prefix.size()) != fragment_prefix)
			fail("after '#' only 'bytes=' and a range may stand");
		urn.range = parse_byte_range(fragment.substr(fragment_prefix.size()));
		if (!urn.range)
			fail("its range is none of a-b, a- and -n");
		rest_ = rest_.substr(0, hash);
	}

	void take_store(Urn &urn)
	{
		if (!begins_with(rest_, prefix))
			fail("after 'urn:dig:' only the method 'chia:' is known");
		rest_.remove_prefix(prefix.size());
		urn.has_store = true;
		urn.store_id = take_digest("store id");
		if (!rest_.empty() && rest_[0] == ':') {
			rest_.remove_prefix(1);
			urn.root = take_digest("root");
		}
		if (!rest_.empty() && rest_[0] != '/')
			fail("a digest has 64 hexadecimal digits, and ':', '/' or '#' may follow it");
	}

	Digest take_digest(const std::string &what)
	{
		const std::optional<Digest> digest = parse_digest(rest_.substr(0, digest_length));
		if (!digest)
			fail("its " + what + " is not 64 hexadecimal digits");
		rest_.remove_prefix(digest_length);
		return *digest;
	}

	void take_path(Urn &urn)
	{
		urn.path = decoded(rest_.substr(1));
		// "urn:…:<root>/" is the root itself, as a directory of its paths.
		if (urn.path.empty())
			return;
		if (const std::string_view problem = path_problem(urn.path); !problem.empty())
			fail("its path cannot be stored: " + std::string(problem));
	}

	std::string decoded(std::string_view encoded) const
	{
		std::string path;
		for (std::size_t at = 0; at < encoded.size(); at++) {
			if (encoded[at] != '%') {
				path += encoded[at];
				continue;
			}
			std::uint8_t byte = 0;
			if (!from_hex(encoded.substr(at + 1, 2), {&byte, 1}))
				fail("'%' is not followed by two hexadecimal digits");
			path += static_cast<char>(byte);
			at += 2;
		}
		return path;
	}

	std::string_view text_, rest_;
};

Urn parse_urn(std::string_view text) { return UrnParser(text).parse(); }

// What RFC 3986 allows in the path of a URN without encoding: pchar and '/'.
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

static std::string encoded(std::string_view path)
{
	static constexpr char digits[] = "0123456789ABCDEF";
	std::string text;
	for (char c : path) {
		if (is_plain(c)) {
			text += c;
			continue;
		}
		const auto byte = static_cast<unsigned char>(c);
		text += '%';
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text;
}

std::string to_text(const Urn &urn)
{
	std::string text;
	if (urn.has_store) {
		text += prefix;
		text += to_hex(urn.store_id);
		if (urn.root)
			text += ":" + to_hex(*urn.root);
	}
	if (!urn.path.empty() || !urn.has_store)
		text += "/" + encoded(urn.path);
	if (urn.range) {
		text += '#';
		text += fragment_prefix;
		text += to_text(*urn.range);
	}
	return text;
}

} // namespace dig
