// Parsers of URLs differ, and where two of them disagree about which part is the host, a request goes to
// somebody else.  So this one takes less than others do: one '@', no backslash, no blank or control byte,
// and a host of letters, digits, '-', '.' and '_' that does not begin with '-'.  libcurl and ssh get the
// parts and never the text, so that there is one parser.
#include "libdig/fetch/url.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libdig/base/error.h"

namespace dig {

constexpr std::size_t max_url_size = 8192; // what servers and libcurl take without question

static constexpr std::array<std::pair<std::string_view, Url::Scheme>, 6> schemes = {{
	{"http", Url::Scheme::http},
	{"https", Url::Scheme::https},
	{"s3", Url::Scheme::s3},
	{"sftp", Url::Scheme::sftp},
	{"ssh", Url::Scheme::ssh},
	{"file", Url::Scheme::file},
}};

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where "://" begins behind a scheme; npos for what is no URL.
static std::size_t scheme_end(std::string_view text)
{
	const std::size_t end = text.find("://");
	if (end == text.npos || end == 0 || !is_letter(text[0]))
		return text.npos;
	const bool is_name = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
		[](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
	return is_name ? end : text.npos;
}

bool is_url(std::string_view text) { return scheme_end(text) != text.npos; }

std::optional<std::string> percent_decoded(std::string_view text)
{
	const auto digit = [](char c) {
		return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
	};
	std::string decoded;
	for (std::size_t i = 0; i < text.size(); i++) {
		if (text[i] == '\0')
			return {};
		if (text[i] != '%') {
			decoded += text[i];
			continue;
		}
		const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
		const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return {};
		decoded += static_cast<char>(high * 16 + low);
		i += 2;
	}
	return decoded;
}

std::string percent_encoded(std::string_view text, std::string_view kept)
{
	static constexpr char digits[] = "0123456789ABCDEF";
	std::string encoded;
	for (const char c : text) {
		const auto byte = static_cast<unsigned char>(c);
		if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~' || kept.find(c) != kept.npos)
			encoded += c;
		else
			encoded += {'%', digits[byte >> 4], digits[byte & 15]};
	}
	return encoded;
}

// The text is not in the message: a secret may stand anywhere in what nobody can parse.
[[noreturn]] static void refuse(std::string_view scheme, std::string_view why)
{
	throw UsageError("a URL of " + std::string(scheme) + " cannot be used: " + std::string(why));
}

class UrlParser {
public:
	explicit UrlParser(std::string_view text) : rest_(text)
	{
		const std::size_t end = scheme_end(text);
		if (end == text.npos)
			throw UsageError("this is no URL: it does not begin as https://");
		url_.scheme_name = std::string(text.substr(0, end));
		for (char &c : url_.scheme_name)
			if (c >= 'A' && c <= 'Z')
				c = static_cast<char>(c - 'A' + 'a');
		const auto *found = std::find_if(schemes.begin(), schemes.end(),
			[&](const auto &scheme) { return scheme.first == url_.scheme_name; });
		if (found == schemes.end())
			throw UsageError("URLs of " + quote(url_.scheme_name) + " cannot be used; there are http, https, s3, sftp, "
				"ssh and file");
		url_.scheme = found->second;
		rest_.remove_prefix(end + 3);
		check_bytes();
		parse_authority();
		parse_path();
	}
	Url take() { return std::move(url_); }

private:
	[[noreturn]] void refuse(std::string_view why) const { dig::refuse(url_.scheme_name, why); }
	bool is_http() const { return url_.scheme == Url::Scheme::http || url_.scheme == Url::Scheme::https; }

	void check_bytes() const
	{
		if (rest_.size() > max_url_size)
			refuse("it is longer than " + std::to_string(max_url_size) + " bytes");
		for (const char c : rest_) {
			const auto byte = static_cast<unsigned char>(c);
			if (byte < 0x20 || byte == 0x7f)
				refuse("it has a control byte");
			if (url_.scheme == Url::Scheme::s3)
				continue;
			if (byte == ' ' || byte >= 0x80)
				refuse("blanks, and letters that are not ASCII, have to be written as %20");
			if (c == '\\')
				refuse("it has a backslash");
		}
	}

	void parse_authority()
	{
		std::string_view authority = rest_.substr(0, std::min(rest_.find_first_of(
			url_.scheme == Url::Scheme::s3 ? "/" : "/?#"), rest_.size()));
		rest_.remove_prefix(authority.size());
		if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
			parse_user(authority.substr(0, at));
			authority.remove_prefix(at + 1);
		}
		const bool has_brackets = authority.starts_with('[');
		const std::size_t bracket = has_brackets ? authority.find(']') : 0;
		if (bracket == authority.npos)
			refuse("its host is not well-formed");
		if (const std::size_t colon = authority.find(':', bracket); colon != authority.npos) {
			parse_port(authority.substr(colon + 1));
			authority = authority.substr(0, colon);
		}
		if (has_brackets && authority.size() != bracket + 1)
			refuse("its host is not well-formed");
		url_.host = std::string(authority);
		check_host(has_brackets);
	}

	void parse_user(std::string_view text)
	{
		if (url_.scheme == Url::Scheme::s3 || url_.scheme == Url::Scheme::file)
			refuse("it names a user");
		const std::size_t colon = text.find(':');
		url_.user = percent_decoded(text.substr(0, colon));
		if (colon != text.npos)
			url_.password = percent_decoded(text.substr(colon + 1));
		const bool is_encoded = url_.user && (colon == text.npos || url_.password);
		if (text.find('@') != text.npos || !is_encoded || url_.user->empty())
			refuse("its user is not well-formed; '@' and '%' in it have to be written as %40 and %25");
		const auto is_plain = [](char c) {
			return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
		};
		if (url_.scheme == Url::Scheme::ssh && (url_.user->starts_with('-') ||
			!std::all_of(url_.user->begin(), url_.user->end(), is_plain)))
			refuse("its user is no name");
		if (url_.scheme == Url::Scheme::ssh && url_.password)
			refuse("ssh takes no password from a URL; use a key");
	}

	void parse_port(std::string_view text)
	{
		if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit))
			refuse("its port is no number");
		const unsigned long port = std::stoul(std::string(text));
		if (port == 0 || port > 65535 || url_.scheme == Url::Scheme::s3 || url_.scheme == Url::Scheme::file)
			refuse("it cannot have that port");
		url_.port = static_cast<std::uint16_t>(port);
	}

	void check_host(bool has_brackets) const
	{
		std::string_view name = url_.host;
		if (url_.scheme == Url::Scheme::file) {
			if (!name.empty() && name != "localhost")
				refuse("the file has to be of this machine, as in file:///path");
			return;
		}
		if (has_brackets)
			name = name.substr(1, name.size() - 2);
		const bool is_good = std::all_of(name.begin(), name.end(), [&](char c) {
			return is_letter(c) || is_digit(c) || c == '.' || (has_brackets ? c == ':' : c == '-' || c == '_');
		});
		if (name.empty() || !is_good || name.starts_with('-') || name.starts_with('.') || name.size() > 253)
			refuse(std::string("its ") + (url_.scheme == Url::Scheme::s3 ? "bucket" : "host") + " is no name of one");
	}

	void parse_path()
	{
		// A key may have any of these characters.
		url_.path = std::string(rest_.substr(0, url_.scheme == Url::Scheme::s3 ? rest_.npos : rest_.find('#')));
		if (is_http()) {
			if (!url_.path.starts_with('/'))
				url_.path.insert(0, "/");
			return;
		}
		if (url_.path.size() < 2 || !url_.path.starts_with('/'))
			refuse(url_.scheme == Url::Scheme::s3 ? "it names no key" : "it names no file");
		if (url_.scheme == Url::Scheme::s3)
			return;
		if (url_.path.ends_with('/'))
			refuse("it names a directory");
		if (url_.path.find('?') != url_.path.npos)
			refuse("a '?' in the path has to be written as %3F");
		if (!percent_decoded(url_.path))
			refuse("a '%' in the path has to be written as %25");
	}

	Url url_;
	std::string_view rest_;
};

Url parse_url(std::string_view text) { return UrlParser(text).take(); }

std::string Url::place() const
{
	return scheme_name + "://" + host + (port ? ":" + std::to_string(*port) : "");
}

std::string Url::object() const { return place() + path; }

std::string Url::shown() const
{
	const bool is_http = scheme == Scheme::http || scheme == Scheme::https;
	const std::size_t query = is_http ? path.find('?') : path.npos;
	std::string text = scheme_name + "://";
	if (user)
		text += *user + "@";
	text += host + (port ? ":" + std::to_string(*port) : "");
	text += path.substr(0, query);
	return query == path.npos ? text : text + "?...";
}

} // namespace dig
