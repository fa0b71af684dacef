#include "libdig/store/remotes.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/directory.h"
#include "libdig/os/publish.h"

namespace dig {

constexpr std::size_t max_url = 2000;
constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz0123456789";

static std::string directory_of_remotes(const StorePaths &paths) { return paths.store + "/remotes"; }

void require_remote_name(const std::string &name)
{
	const bool is_name = !name.empty() && name.size() <= 64 && plain.find(name[0]) != plain.npos &&
		std::all_of(name.begin(), name.end(),
			[](char c) { return plain.find(c) != plain.npos || c == '-' || c == '_'; });
	if (!is_name)
		throw UsageError(quote(name) + " is no name of a remote; it has small letters, digits, '-' and '_'");
}

std::string scheme_of(const std::string &url)
{
	const std::size_t end = url.find("://");
	const bool has_scheme = end != url.npos && end > 0 && end <= 20 && url.find_first_not_of(plain) == end;
	return has_scheme ? url.substr(0, end) : "file";
}

void require_remote_url(const std::string &url)
{
	const bool is_text =
		std::all_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) > ' '; });
	if (url.empty() || url.size() > max_url || url[0] == '-' || (!is_text && scheme_of(url) != "file") ||
		url.find_first_of(std::string("\n\r\0", 3)) != url.npos)
		throw UsageError(quote(url) + " is no URL of a remote; give SCHEME://..., or the path of a directory");
	const std::size_t begin = url.find("://");
	if (begin == url.npos)
		return;
	const std::string authority = url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
	const std::size_t at = authority.rfind('@');
	if (at != authority.npos && authority.substr(0, at).find(':') != authority.npos)
		throw UsageError("a URL of a remote has no password, since other users could see it; give it as the page of "
			"the transport says");
}

// The URL, "known N", and "checked" and "lazy" if it is; each ends with a newline.
static RemoteName read_remote(const StorePaths &paths, const std::string &name)
{
	const std::string path = directory_of_remotes(paths) + "/" + name;
	const Buffer file = read_whole_file(path, max_small_file);
	const auto damaged = [&] {
		return CorruptError("it is not as 'dig remote' writes it; 'dig remote remove " + name + "' forgets it",
			path, 0);
	};
	std::string text(text_of(file));
	const auto take_line = [&] {
		const std::size_t end = text.find('\n');
		if (end == text.npos)
			throw damaged();
		const std::string line = text.substr(0, end);
		text.erase(0, end + 1);
		return line;
	};
	RemoteName remote{name, take_line()};
	const std::string known = take_line();
	const std::string number = known.substr(0, 6) == "known " ? known.substr(6) : std::string();
	if (number.empty() || number.size() > 18 || number.find_first_not_of("0123456789") != number.npos)
		throw damaged();
	remote.known = std::stoull(number);
	const auto take_word = [&](const std::string &word) {
		const bool is_there = text.starts_with(word);
		text.erase(0, is_there ? word.size() : 0);
		return is_there;
	};
	remote.is_checked = take_word("checked\n");
	remote.is_lazy = take_word("lazy\n");
	if (!text.empty())
		throw damaged();
	try {
		require_remote_url(remote.url);
	} catch (const UsageError &) {
		throw damaged();
	}
	return remote;
}

std::vector<RemoteName> remotes_of(const StorePaths &paths, const std::function<void(const std::string &)> &problem)
{
	std::vector<RemoteName> remotes;
	if (!find_stat(directory_of_remotes(paths)))
		return remotes;
	std::vector<std::string> names = names_in(directory_of_remotes(paths));
	std::sort(names.begin(), names.end());
	for (const std::string &name : names)
		if (name.find('.') == name.npos)
			try {
				remotes.push_back(read_remote(paths, name));
			} catch (const CorruptError &error) {
				problem(error.what());
			}
	return remotes;
}

RemoteName find_remote(const StorePaths &paths, const std::string &name)
{
	require_remote_name(name);
	if (!find_stat(directory_of_remotes(paths) + "/" + name))
		throw Error("there is no remote " + quote(name) + "; 'dig remote add " + name + " URL' makes it known");
	return read_remote(paths, name);
}

void save_remote(const StorePaths &paths, const RemoteName &remote)
{
	require_remote_name(remote.name);
	require_remote_url(remote.url);
	make_directory(directory_of_remotes(paths));
	const std::string text = remote.url + "\nknown " + std::to_string(remote.known) + "\n" +
		(remote.is_checked ? "checked\n" : "") + (remote.is_lazy ? "lazy\n" : "");
	publish_file(directory_of_remotes(paths) + "/" + remote.name, bytes_of(text));
}

bool remove_remote(const StorePaths &paths, const std::string &name)
{
	require_remote_name(name);
	const std::string path = directory_of_remotes(paths) + "/" + name;
	if (!find_stat(path))
		return false;
	remove_file_if_there(path);
	sync_directory(directory_of_remotes(paths));
	return true;
}

std::uint64_t last_settled_state(const StorePaths &paths)
{
	bool has_damaged = false;
	const std::vector<RemoteName> remotes = remotes_of(paths, [&](const std::string &) { has_damaged = true; });
	if (remotes.empty() && !has_damaged)
		return ~std::uint64_t(0);
	std::uint64_t last = 0;
	for (const RemoteName &remote : remotes)
		last = std::max(last, remote.known);
	return last;
}

} // namespace dig
