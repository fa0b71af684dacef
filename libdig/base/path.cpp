// A state may be extracted on a file system that its author never saw.  There, a component that is
// not ".dig" may still name the store of the work tree, and content would be written into the
// store.  Case, trailing dots and short names do this on FAT and NTFS, streams
// (".dig::$INDEX_ALLOCATION") on NTFS, and code points without a glyph on HFS+.  git had each of
// these as a vulnerability (CVE-2014-9390, CVE-2019-1352).  So such names are refused when content
// is stored, on every system, and again when a manifest is read, since the manifest may be forged.
#include "libdig/base/path.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

#include "libdig/base/error.h"

namespace dig {

// HFS+ drops these code points when it compares names (Apple TN1150; git's CVE-2014-9390).
static std::string_view without_ignored_points(std::string_view name, std::array<char, max_component_size> &kept)
{
	assert(name.size() <= kept.size());
	std::size_t size = 0;
	for (std::size_t i = 0; i < name.size(); i++) {
		const auto at = [&](std::size_t k) {
			return i + k < name.size() ? static_cast<unsigned char>(name[i + k]) : 0u;
		};
		// U+200C to U+200F, U+202A to U+202E, U+206A to U+206F; then U+FEFF.
		const bool general = at(0) == 0xe2 &&
			((at(1) == 0x80 && ((at(2) >= 0x8c && at(2) <= 0x8f) || (at(2) >= 0xaa && at(2) <= 0xae))) ||
				(at(1) == 0x81 && at(2) >= 0xaa && at(2) <= 0xaf));
		const bool byte_order_mark = at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf;
		if (general || byte_order_mark)
			i += 2;
		else
			kept[size++] = name[i];
	}
	return {kept.data(), size};
}

static bool is_same_letters(std::string_view text, std::string_view lower)
{
	return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
		[](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

static bool is_store_name(std::string_view component)
{
	// Nearly every name ends here.  A byte from 0x80 on may begin a code point that is dropped.
	const char first = component[0];
	if (first != '.' && first != 'd' && first != 'D' && static_cast<unsigned char>(first) < 0x80)
		return false;
	// A walk asks for each path, so this takes nothing from the heap.
	std::array<char, max_component_size> kept;
	std::string_view name = without_ignored_points(component, kept);
	name = name.substr(0, name.find(':'));
	while (!name.empty() && (name.back() == '.' || name.back() == ' '))
		name.remove_suffix(1);
	if (is_same_letters(name, ".dig"))
		return true;
	// The short name that FAT and NTFS make of ".dig".
	return name.size() >= 5 && is_same_letters(name.substr(0, 4), "dig~") &&
		name.find_first_not_of("0123456789", 4) == name.npos;
}

std::string_view path_problem(std::string_view path)
{
	if (path.empty())
		return "it is empty";
	if (path.size() > max_path_size)
		return "it is longer than 65535 bytes";
	if (path.find('\0') != path.npos)
		return "it holds a NUL byte";
	for (std::size_t start = 0; start <= path.size();) {
		const std::size_t end = std::min(path.find('/', start), path.size());
		const std::string_view component = path.substr(start, end - start);
		if (component.empty())
			return "it has an empty component";
		if (component == "." || component == "..")
			return "it has a component '.' or '..'";
		if (component.size() > max_component_size)
			return "it has a component longer than 255 bytes";
		if (is_store_name(component))
			return "it has a component '.dig', which names a store";
		start = end + 1;
	}
	return {};
}

bool is_within(std::string_view path, std::string_view prefix)
{
	return prefix.empty() || path == prefix ||
		(path.size() > prefix.size() && path.compare(0, prefix.size(), prefix) == 0 &&
			path[prefix.size()] == '/');
}

static void append_components(std::vector<std::string_view> &components, std::string_view text,
	std::string_view typed)
{
	for (std::size_t start = 0; start <= text.size();) {
		const std::size_t end = std::min(text.find('/', start), text.size());
		const std::string_view component = text.substr(start, end - start);
		if (component == "..") {
			if (components.empty())
				throw Error(quote(typed) + " lies outside the work tree");
			components.pop_back();
		} else if (!component.empty() && component != ".") {
			components.push_back(component);
		}
		start = end + 1;
	}
}

// By text, without a look at the file system: the path may be in a state or in the index only, and
// a symbolic link inside of the work tree is an entry, through which no path leads.
std::string normalised_path(std::string_view typed, std::string_view directory,
	std::string_view work_tree)
{
	std::vector<std::string_view> components;
	if (typed.empty())
		throw Error("an empty path names nothing; use '.' for the directory itself");
	if (typed[0] == '/') {
		const std::string_view below =
			work_tree == "/" ? typed.substr(1)
			: is_within(typed, work_tree) ? typed.substr(work_tree.size())
						      : std::string_view();
		if (work_tree != "/" && !is_within(typed, work_tree))
			throw Error(quote(typed) + " lies outside the work tree " + quote(work_tree));
		append_components(components, below, typed);
	} else {
		append_components(components, directory, typed);
		append_components(components, typed, typed);
	}
	std::string path;
	for (std::string_view component : components) {
		if (!path.empty())
			path += '/';
		path += component;
	}
	return path;
}

} // namespace dig
