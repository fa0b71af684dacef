#include "libdig/fetch/response_head.h"

#include <algorithm>

#include "libdig/fetch/validator.h"

namespace dig {

// A number as RFC 9110 has it: digits, and no sign.
static std::optional<std::uint64_t> parse_number(std::string_view text)
{
	if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != text.npos)
		return {};
	return std::stoull(std::string(text));
}

static std::string lower(std::string_view text)
{
	std::string result(text);
	for (char &c : result)
		if (c >= 'A' && c <= 'Z')
			c = static_cast<char>(c - 'A' + 'a');
	return result;
}

static std::string_view trimmed(std::string_view text)
{
	const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
	text.remove_prefix(begin);
	return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

std::optional<ContentRange> parse_content_range(std::string_view text)
{
	if (lower(text.substr(0, 6)) != "bytes ")
		return {};
	text = trimmed(text.substr(6));
	const std::size_t slash = text.find('/');
	if (slash == text.npos)
		return {};
	ContentRange range;
	const std::string_view part = text.substr(0, slash), total = text.substr(slash + 1);
	if (total != "*" && !(range.total = parse_number(total)))
		return {};
	if (part == "*")
		return range.total ? std::optional(range) : std::nullopt;
	const std::size_t dash = part.find('-');
	if (dash == part.npos)
		return {};
	range.first = parse_number(part.substr(0, dash));
	range.last = parse_number(part.substr(dash + 1));
	if (!range.first || !range.last || *range.first > *range.last || (range.total && *range.last >= *range.total))
		return {};
	return range;
}

void ResponseHead::take_line(std::string_view line)
{
	size_ += line.size();
	if (size_ > max_size)
		throw FetchError("the server sends more than " + std::to_string(max_size / 1024) + " KB of headers");
	if (line.starts_with("HTTP/"))
		return begin(line);
	if (is_complete_) // a trailer behind a chunked body
		return;
	if (trimmed(line).empty()) {
		is_complete_ = true;
		return;
	}
	const std::size_t colon = line.find(':');
	if (colon != line.npos)
		take_field(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
}

void ResponseHead::begin(std::string_view line)
{
	const std::size_t size = size_;
	*this = ResponseHead();
	size_ = size;
	const std::size_t blank = line.find(' ');
	const std::string_view status = blank == line.npos ? "" : line.substr(blank + 1, 3);
	status_ = static_cast<int>(parse_number(status).value_or(0));
}

void ResponseHead::take_field(std::string_view name, std::string_view value)
{
	if (name == "content-length") {
		const std::optional<std::uint64_t> length = parse_number(value);
		if (!length || (length_ && *length_ != *length))
			throw FetchError("the server sends a Content-Length that is no number, or two of them");
		length_ = length;
	} else if (name == "content-range") {
		const std::optional<ContentRange> range = parse_content_range(value);
		if (!range || range_)
			throw FetchError("the server sends a Content-Range that is malformed");
		range_ = range;
	} else if (name == "transfer-encoding") {
		// Decoding anything else could make any number of bytes out of few.
		if (lower(value) != "chunked")
			throw FetchError("the server encodes what it was not asked to encode (Transfer-Encoding)");
		is_chunked_ = true;
	} else if (name == "etag") {
		etag_ = value.substr(0, max_validator_size);
	} else if (name == "last-modified") {
		modified_ = value.substr(0, max_validator_size);
	} else if (name == "date") {
		date_ = value.substr(0, max_validator_size);
	} else if (name == "retry-after") {
		retry_after_ = parse_number(value);
	} else if (name == "x-amz-bucket-region") {
		const bool is_name = !value.empty() && value.size() < 40 &&
			value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == value.npos;
		region_ = is_name ? value : "";
	}
}

std::string ResponseHead::validator() const
{
	if (!made_validator_.empty())
		return made_validator_;
	if (const auto etag = validator_of_etag(etag_))
		return *etag;
	return validator_of_date(modified_, date_).value_or("");
}

bool ResponseHead::is_of(std::string_view validator) const
{
	if (!made_validator_.empty())
		return validator == made_validator_;
	if (const auto etag = validator_value(validator, "etag"))
		return etag_ == *etag;
	if (const auto date = validator_value(validator, "date"))
		return modified_ == *date;
	return false;
}

ResponseHead ResponseHead::made_of(std::uint64_t first, std::uint64_t total, const std::string &validator)
{
	ResponseHead head;
	head.status_ = first < total ? 206 : 200;
	head.is_complete_ = true;
	head.length_ = total - first;
	if (first < total)
		head.range_ = ContentRange{first, total - 1, total};
	head.made_validator_ = validator;
	return head;
}

} // namespace dig
