#include "libdig/fetch/fetch_protocol.h"

#include "libdig/fetch/validator.h"

namespace dig {

static std::string_view take_word(std::string_view &text)
{
	const std::size_t end = std::min(text.find(' '), text.size());
	const std::string_view word = text.substr(0, end);
	text.remove_prefix(std::min(end + 1, text.size()));
	return word;
}

static bool take_number(std::string_view &text, std::uint64_t &number)
{
	const std::string_view word = take_word(text);
	if (word.empty() || word.size() > 18 || word.find_first_not_of("0123456789") != word.npos)
		return false;
	number = std::stoull(std::string(word));
	return true;
}

static bool take_optional_number(std::string_view &text, std::optional<std::uint64_t> &number)
{
	if (text.starts_with("- ")) {
		text.remove_prefix(2);
		return true;
	}
	return take_number(text, number.emplace());
}

static bool take_validator(std::string_view text, std::string &validator)
{
	if (text != "-")
		validator = text;
	return text == "-" || is_validator(text);
}

static std::string text_of_size(const std::optional<std::uint64_t> &size) { return size ? std::to_string(*size) : "-"; }
static std::string text_of_validator(const std::string &validator) { return validator.empty() ? "-" : validator; }

std::string FetchRequest::text() const
{
	return std::to_string(offset) + ' ' + text_of_size(size) + ' ' + text_of_validator(validator) + '\t' + url;
}

std::optional<FetchRequest> FetchRequest::parse(std::string_view text)
{
	FetchRequest request;
	const std::size_t tab = text.find('\t');
	if (tab == text.npos)
		return {};
	request.url = text.substr(tab + 1);
	text = text.substr(0, tab);
	if (!take_number(text, request.offset) || !take_optional_number(text, request.size) ||
		!take_validator(text, request.validator))
		return {};
	if (request.size && request.offset > *request.size)
		return {};
	return request;
}

static constexpr std::string_view object_word = "object ", failed_word = "failed ";

std::string FetchedObject::text() const
{
	return std::string(object_word) + text_of_size(size) + ' ' + std::to_string(offset) + ' ' +
		text_of_validator(validator);
}

std::optional<FetchedObject> FetchedObject::parse(std::string_view text)
{
	FetchedObject object;
	if (!text.starts_with(object_word))
		return {};
	text.remove_prefix(object_word.size());
	if (!take_optional_number(text, object.size) || !take_number(text, object.offset) ||
		!take_validator(text, object.validator))
		return {};
	if (object.size && object.offset > *object.size)
		return {};
	return object;
}

std::string FetchEnd::text() const
{
	return kind == Kind::done ? "done" : kind == Kind::changed ? "changed" : std::string(failed_word) + message;
}

std::optional<FetchEnd> FetchEnd::parse(std::string_view text)
{
	if (text == "done")
		return FetchEnd{Kind::done, ""};
	if (text == "changed")
		return FetchEnd{Kind::changed, ""};
	if (text.starts_with(failed_word))
		return FetchEnd{Kind::failed, std::string(text.substr(failed_word.size()))};
	return {};
}

} // namespace dig
