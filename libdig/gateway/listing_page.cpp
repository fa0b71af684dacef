// Names in a store are any bytes, and messages of commits are any text.  What is shown of them has gone
// through shown_text(), which makes bytes that are no UTF-8 and controls visible, and then through
// html_escaped() or json_string().  What a link points to is the exact bytes, percent-encoded.  In JSON,
// "href" is therefore the exact name, and "name" what a person reads.
//
// Links are relative, so that the pages work behind another path of a proxy, too.  A name may look as a
// scheme ("a:b"), and the encoding of ':' makes sure that it is none.
#include "libdig/gateway/listing_page.h"

#include "libdig/base/byte_size.h"
#include "libdig/base/error.h"
#include "libdig/fetch/url.h"
#include "libdig/gateway/http_conditions.h"
#include "libdig/os/clock.h"
#include "libdig/watch/progress.h"

namespace dig {

std::string html_escaped(std::string_view text)
{
	std::string escaped;
	escaped.reserve(text.size());
	for (const char c : text)
		switch (c) {
		case '&': escaped += "&amp;"; break;
		case '<': escaped += "&lt;"; break;
		case '>': escaped += "&gt;"; break;
		case '"': escaped += "&quot;"; break;
		case '\'': escaped += "&#39;"; break;
		default: escaped += c;
		}
	return escaped;
}

static std::string shown(std::string_view text) { return html_escaped(shown_text(text)); }

static std::string anchor(const std::string &href, std::string_view text)
{
	return "<a href=\"" + href + "\">" + shown(text) + "</a>";
}

// "2023-11-14 22:13:20" of a time in UTC.
static std::string shown_time(std::int64_t ns)
{
	std::string text = exact_time(ns).substr(0, 19);
	if (text.size() == 19)
		text[10] = ' ';
	return text;
}

static std::int64_t ns_of(std::int64_t seconds)
{
	constexpr std::int64_t most = last_time_ns / nanoseconds_a_second;
	return seconds < 0 || seconds > most ? last_time_ns : seconds * nanoseconds_a_second;
}

static std::string page_head(const std::string &title)
{
	return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n<style>\n"
		"body { font-family: sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }\n"
		"table { border-collapse: collapse; width: 100% }\n"
		"th, td { padding: .2em .8em .2em 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }\n"
		"th { border-bottom: 1px solid #888 }\n"
		".n { text-align: right; white-space: nowrap; overflow-wrap: normal }\n"
		"code { overflow-wrap: anywhere }\nfooter { color: #666; margin-top: 2em }\n"
		"@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } a { color: #8bf } }\n"
		"</style>\n</head>\n<body>\n";
}

static std::string cell(const std::string &text, bool is_number = false)
{
	return (is_number ? "<td class=\"n\">" : "<td>") + text + "</td>";
}

// --- states ---------------------------------------------------------------------------------

static std::string first_line(const std::string &message) { return message.substr(0, message.find('\n')); }

static std::string state_row(const ShownState &shown_state)
{
	const std::string number = "@" + std::to_string(shown_state.generation);
	const std::string root = to_hex(shown_state.root);
	const bool is_there = shown_state.state && !shown_state.is_dropped;
	std::string row = "<tr>" + cell(is_there ? anchor(root + "/", number) : number);
	if (!shown_state.state)
		return row + "<td colspan=\"5\">damaged: what is known of it cannot be read</td></tr>\n";
	const LayerState &state = *shown_state.state;
	row += cell(shown_time(ns_of(state.header.time_s)), true);
	row += cell(shown(first_line(state.message)) + (shown_state.is_dropped ? " (dropped)" : ""));
	row += cell(shown(state.author)) + cell(std::to_string(state.header.entries), true);
	return row + cell(size_text(static_cast<double>(state.header.bytes)), true) + "</tr>\n";
}

std::string states_html(const StatesPage &page)
{
	std::string html = page_head("dig store") + "<h1>States</h1>\n<p>" + anchor("HEAD/", "HEAD") +
		" is the newest one.</p>\n<table>\n<tr><th>state</th><th>time (UTC)</th><th>message</th><th>author</th>"
		"<th class=\"n\">entries</th><th class=\"n\">size</th></tr>\n";
	for (const ShownState &state : page.states)
		html += state_row(state);
	html += "</table>\n";
	if (page.states.empty())
		html += "<p>Nothing is committed yet.</p>\n";
	if (page.before > 0)
		html += "<p>" + anchor("?before=" + std::to_string(page.before), "older states") + "</p>\n";
	return html + "<footer>store <code>" + to_hex(page.store_id) + "</code> &middot; " +
		anchor("?format=json", "JSON") + "</footer>\n</body>\n</html>\n";
}

std::string states_json(const StatesPage &page)
{
	std::string json = "{\"schema\":1,\"store\":\"" + to_hex(page.store_id) + "\",\"states\":[";
	const char *before = "\n";
	for (const ShownState &shown_state : page.states) {
		const std::string root = to_hex(shown_state.root);
		json += before;
		before = ",\n";
		json += "{\"generation\":" + std::to_string(shown_state.generation) + ",\"root\":\"" + root +
			"\",\"dropped\":" + (shown_state.is_dropped ? "true" : "false");
		if (shown_state.state) {
			const LayerState &state = *shown_state.state;
			json += ",\"time\":\"" + exact_time(ns_of(state.header.time_s)) + "\",\"author\":" +
				json_string(state.author) + ",\"message\":" + json_string(state.message) + ",\"entries\":" +
				std::to_string(state.header.entries) + ",\"bytes\":" + std::to_string(state.header.bytes);
		}
		json += ",\"href\":\"" + root + "/\"}";
	}
	json += "\n]";
	if (page.before > 0)
		json += ",\"next\":\"?before=" + std::to_string(page.before) + "&format=json\"";
	return json + "}\n";
}

// --- directories ----------------------------------------------------------------------------

// Links to the store, the state and each directory on the way.
static std::string trail(const DirectoryPage &page)
{
	std::size_t depth = 0;
	for (const char c : page.path)
		depth += c == '/';
	const auto up = [](std::size_t levels) {
		std::string href = "./";
		for (; levels > 0; levels--)
			href += "../";
		return href;
	};
	std::string html = anchor(up(depth + 1), "states") + " / " + anchor(up(depth), page.state) + " / ";
	for (std::size_t start = 0; start < page.path.size();) {
		const std::size_t end = page.path.find('/', start);
		html += anchor(up(--depth), page.path.substr(start, end - start)) + " / ";
		start = end + 1;
	}
	return html;
}

static std::string entry_row(const ShownEntry &shown_entry)
{
	const bool is_directory = shown_entry.name.ends_with('/');
	const std::string_view kept = is_directory ? "/" : "";
	std::string row = "<tr>" + cell(anchor(percent_encoded(shown_entry.name, kept), shown_entry.name));
	if (!shown_entry.entry)
		return row + cell("") + cell("") + "</tr>\n";
	const Entry &entry = *shown_entry.entry;
	std::string size;
	if (entry.kind == EntryKind::symlink)
		size = "link";
	else if (!is_directory)
		size = size_text(static_cast<double>(entry.size));
	return row + cell(size, true) + cell(entry.mtime_ns ? shown_time(*entry.mtime_ns) : "", true) + "</tr>\n";
}

std::string directory_html(const DirectoryPage &page)
{
	const std::string title = shown(page.state + "/" + page.path);
	std::string html = page_head(title) + "<h1>" + trail(page) + "</h1>\n<table>\n"
		"<tr><th>name</th><th class=\"n\">size</th><th class=\"n\">time (UTC)</th></tr>\n";
	for (const ShownEntry &entry : page.entries)
		html += entry_row(entry);
	html += "</table>\n";
	if (page.entries.empty())
		html += "<p>Nothing is in it.</p>\n";
	if (!page.after.empty())
		html += "<p>" + anchor("?after=" + percent_encoded(page.after, ""), "more") + "</p>\n";
	return html + "<footer>@" + std::to_string(page.generation) + " <code>" + to_hex(page.root) + "</code> &middot; " +
		anchor("?format=json", "JSON") + "</footer>\n</body>\n</html>\n";
}

static std::string entry_json(const ShownEntry &shown_entry)
{
	const bool is_directory = shown_entry.name.ends_with('/');
	const std::string_view kept = is_directory ? "/" : "";
	const std::string_view name = std::string_view(shown_entry.name).substr(0, shown_entry.name.size() - is_directory);
	std::string json = "{\"name\":" + json_string(name) + ",\"href\":\"" +
		percent_encoded(shown_entry.name, kept) + "\",\"type\":\"";
	if (!shown_entry.entry)
		return json + "directory\"}";
	const Entry &entry = *shown_entry.entry;
	json += is_directory ? "directory" : entry.kind == EntryKind::symlink ? "symlink"
		: entry.kind == EntryKind::file ? "file" : "unknown";
	char mode[8];
	std::snprintf(mode, sizeof mode, "%04o", entry.mode & 07777U);
	json += std::string("\",\"mode\":\"") + mode + "\"";
	if (!is_directory)
		json += ",\"size\":" + std::to_string(entry.size) + ",\"root\":\"" + to_hex(entry.file_root()) + "\"";
	if (const std::string time = entry.mtime_ns ? exact_time(*entry.mtime_ns) : ""; !time.empty())
		json += ",\"time\":\"" + time + "\"";
	return json + "}";
}

std::string directory_json(const DirectoryPage &page)
{
	std::string json = "{\"schema\":1,\"generation\":" + std::to_string(page.generation) + ",\"root\":\"" +
		to_hex(page.root) + "\",\"path\":" + json_string(page.path) + ",\"entries\":[";
	const char *before = "\n";
	for (const ShownEntry &entry : page.entries) {
		json += before + entry_json(entry);
		before = ",\n";
	}
	json += "\n]";
	if (!page.after.empty())
		json += ",\"next\":\"?after=" + percent_encoded(page.after, "") + "&format=json\"";
	return json + "}\n";
}

} // namespace dig
