// Of XML it takes what servers of S3 write: elements, attributes, text, and the references that everybody knows.
// There are no declarations but the first line, no comments and no entities of a document, and so nothing that
// could grow.
#include "libdig/fetch/s3_listing.h"

#include <algorithm>

#include "libdig/fetch/response_head.h"

namespace dig {

constexpr std::size_t max_depth = 8, max_objects = 10000, max_key = 1024, max_token = 4096, max_name = 64;

[[noreturn]] static void refuse(const char *why)
{
	throw FetchError(std::string("the list that the server sends cannot be used: ") + why);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
		c == '-' || c == '.';
}

// "amp" or "#38" or "#x26".
static std::string referred(std::string_view name)
{
	if (name == "amp")
		return "&";
	if (name == "lt")
		return "<";
	if (name == "gt")
		return ">";
	if (name == "quot")
		return "\"";
	if (name == "apos")
		return "'";
	const bool is_hex = name.starts_with("#x");
	const std::string_view digits = name.substr(name.empty() ? 0 : is_hex ? 2 : 1);
	if (!name.starts_with('#') || digits.empty() || digits.size() > 7 ||
		digits.find_first_not_of(is_hex ? "0123456789abcdefABCDEF" : "0123456789") != digits.npos)
		refuse("it has a reference that nobody knows");
	const unsigned long point = std::stoul(std::string(digits), nullptr, is_hex ? 16 : 10);
	if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		refuse("it has a reference to no character");
	std::string text;
	if (point < 0x80) {
		text += static_cast<char>(point);
	} else if (point < 0x800) {
		text += {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
	} else if (point < 0x10000) {
		text += {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
			static_cast<char>(0x80 | (point & 63))};
	} else {
		text += {static_cast<char>(0xf0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 63)),
			static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
	}
	return text;
}

static std::string text_without_references(std::string_view raw)
{
	std::string text;
	for (std::size_t at = 0; at < raw.size();) {
		if (raw[at] == '\0')
			refuse("it has a NUL byte");
		if (raw[at] != '&') {
			text += raw[at++];
			continue;
		}
		const std::size_t end = raw.find(';', at);
		if (end == raw.npos || end - at > 12)
			refuse("it has a reference without an end");
		text += referred(raw.substr(at + 1, end - at - 1));
		at = end + 1;
	}
	return text;
}

class ListingParser {
public:
	explicit ListingParser(std::string_view xml) : rest_(xml) {}

	S3Listing parse()
	{
		if (rest_.size() > max_s3_listing)
			refuse("it is too long");
		if (rest_.starts_with("\xef\xbb\xbf"))
			rest_.remove_prefix(3);
		if (rest_.starts_with("<?xml"))
			take_until("?>");
		skip_blanks();
		do
			take_tag();
		while (!open_.empty());
		skip_blanks();
		if (!rest_.empty())
			refuse("something comes behind its end");
		if (!seen_truncated_)
			refuse("it does not say whether it is whole");
		if (listing_.is_truncated && listing_.next.empty())
			refuse("it does not say how to go on");
		return std::move(listing_);
	}

private:
	std::string_view take_until(std::string_view end)
	{
		const std::size_t at = rest_.find(end);
		if (at == rest_.npos)
			refuse("it ends too early");
		const std::string_view taken = rest_.substr(0, at);
		rest_.remove_prefix(at + end.size());
		return taken;
	}

	void skip_blanks()
	{
		while (!rest_.empty() && is_blank(rest_[0]))
			rest_.remove_prefix(1);
	}

	std::string_view take_name()
	{
		std::size_t size = 0;
		while (size < rest_.size() && is_name_byte(rest_[size]))
			size++;
		if (size == 0 || size > max_name)
			refuse("it is no XML of S3");
		const std::string_view name = rest_.substr(0, size);
		rest_.remove_prefix(size);
		return name;
	}

	// A tag, and the text behind it.
	void take_tag()
	{
		if (!rest_.starts_with('<'))
			refuse("it is no XML of S3");
		rest_.remove_prefix(1);
		if (rest_.starts_with('/')) {
			rest_.remove_prefix(1);
			if (open_.empty() || take_name() != open_.back())
				refuse("its elements do not fit");
			skip_blanks();
			if (!take_until(">").empty())
				refuse("it is no XML of S3");
			end();
		} else {
			begin();
		}
		if (open_.empty())
			return;
		const std::size_t size = std::min(rest_.find('<'), rest_.size());
		text_ = rest_.substr(0, size);
		rest_.remove_prefix(size);
	}

	void begin()
	{
		open_.emplace_back(take_name());
		has_children_ = false;
		if (open_.size() == 1 && open_[0] != "ListBucketResult")
			refuse("it is another answer");
		if (open_.size() > max_depth)
			refuse("its elements are too deep");
		for (;;) {
			const bool is_apart = !rest_.empty() && is_blank(rest_[0]);
			skip_blanks();
			if (rest_.starts_with('>')) {
				rest_.remove_prefix(1);
				break;
			}
			if (rest_.starts_with("/>")) {
				rest_.remove_prefix(2);
				text_ = {};
				begin_object();
				end();
				return;
			}
			if (!is_apart)
				refuse("it is no XML of S3");
			take_attribute();
		}
		begin_object();
	}

	void take_attribute()
	{
		take_name();
		const std::string_view quotation = rest_.substr(0, 2);
		if (quotation != "=\"" && quotation != "='")
			refuse("it is no XML of S3");
		rest_.remove_prefix(2);
		if (take_until(quotation.substr(1)).find('<') != rest_.npos)
			refuse("it is no XML of S3");
	}

	bool is_at(std::size_t depth, std::string_view parent) const
	{
		return open_.size() == depth && (depth < 3 || open_[1] == parent);
	}

	void begin_object()
	{
		if (!is_at(2, "") || open_.back() != "Contents")
			return;
		if (listing_.objects.size() == max_objects)
			refuse("it has too many names");
		listing_.objects.emplace_back();
		has_key_ = has_size_ = false;
	}

	void end()
	{
		const std::string_view name = open_.back();
		if (is_at(2, "") && name == "IsTruncated")
			take_truncated();
		else if (is_at(2, "") && name == "NextContinuationToken")
			listing_.next = value(max_token, !listing_.next.empty());
		else if (is_at(2, "") && name == "Contents" && (!has_key_ || !has_size_))
			refuse("an object has no name or no size");
		else if (is_at(3, "Contents") && name == "Key")
			take_key();
		else if (is_at(3, "Contents") && name == "Size")
			take_size();
		open_.pop_back();
		has_children_ = true;
	}

	std::string value(std::size_t most, bool is_there_already) const
	{
		if (is_there_already || has_children_)
			refuse("it says a thing twice");
		std::string text = text_without_references(text_);
		if (text.size() > most)
			refuse("a name in it is too long");
		return text;
	}

	void take_truncated()
	{
		const std::string text = value(max_name, seen_truncated_);
		if (text != "true" && text != "false")
			refuse("it does not say whether it is whole");
		seen_truncated_ = true;
		listing_.is_truncated = text == "true";
	}

	void take_key()
	{
		listing_.objects.back().key = value(max_key, has_key_);
		has_key_ = true;
	}

	void take_size()
	{
		const std::string text = value(max_name, has_size_);
		if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos)
			refuse("a size is no number");
		listing_.objects.back().size = std::stoull(text);
		has_size_ = true;
	}

	std::string_view rest_, text_; // text_: since the last tag
	std::vector<std::string> open_;
	S3Listing listing_;
	bool seen_truncated_ = false, has_key_ = false, has_size_ = false, has_children_ = false;
};

S3Listing parse_s3_listing(std::string_view xml) { return ListingParser(xml).parse(); }

} // namespace dig
