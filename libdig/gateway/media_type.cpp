#include "libdig/gateway/media_type.h"

#include <algorithm>
#include <string>

namespace dig {

struct KnownType {
	std::string_view extension, type;
};

static constexpr std::string_view plain = "text/plain; charset=utf-8";

// In the order of extensions.
static constexpr KnownType types[] = {
	{"7z", "application/x-7z-compressed"}, {"avif", "image/avif"}, {"bmp", "image/bmp"}, {"bz2", "application/x-bzip2"},
	{"c", plain}, {"cc", plain}, {"cfg", plain}, {"conf", plain}, {"cpp", plain}, {"css", "text/css; charset=utf-8"},
	{"csv", "text/csv; charset=utf-8"}, {"diff", plain}, {"epub", "application/epub+zip"}, {"flac", "audio/flac"},
	{"gif", "image/gif"}, {"go", plain}, {"gz", "application/gzip"}, {"h", plain}, {"hpp", plain},
	{"htm", "text/html; charset=utf-8"}, {"html", "text/html; charset=utf-8"}, {"ico", "image/x-icon"}, {"ini", plain},
	{"java", plain}, {"jpeg", "image/jpeg"}, {"jpg", "image/jpeg"}, {"js", "text/javascript; charset=utf-8"},
	{"json", "application/json"}, {"log", plain}, {"lua", plain}, {"m4a", "audio/mp4"}, {"m4v", "video/mp4"},
	{"md", plain}, {"mjs", "text/javascript; charset=utf-8"}, {"mkv", "video/x-matroska"}, {"mov", "video/quicktime"},
	{"mp3", "audio/mpeg"}, {"mp4", "video/mp4"}, {"oga", "audio/ogg"}, {"ogg", "audio/ogg"}, {"ogv", "video/ogg"},
	{"opus", "audio/ogg"}, {"otf", "font/otf"}, {"patch", plain}, {"pdf", "application/pdf"}, {"pl", plain},
	{"png", "image/png"}, {"py", plain}, {"rb", plain}, {"rs", plain}, {"rst", plain}, {"sh", plain}, {"sql", plain},
	{"svg", "image/svg+xml"}, {"tar", "application/x-tar"}, {"tif", "image/tiff"}, {"tiff", "image/tiff"},
	{"toml", plain}, {"ts", plain}, {"ttf", "font/ttf"}, {"txt", plain}, {"wasm", "application/wasm"},
	{"wav", "audio/wav"}, {"webm", "video/webm"}, {"webp", "image/webp"}, {"woff", "font/woff"},
	{"woff2", "font/woff2"},
	{"xhtml", "application/xhtml+xml"}, {"xml", "application/xml"}, {"xz", "application/x-xz"}, {"yaml", plain},
	{"yml", plain}, {"zip", "application/zip"}, {"zst", "application/zstd"},
};

// Of files that are text by custom.
static constexpr std::string_view names[] = {"AUTHORS", "CHANGELOG", "COPYING", "Dockerfile", "HISTORY", "INSTALL",
	"LICENSE", "Makefile", "NEWS", "NOTICE", "README", "TODO", "VERSION"};

std::string_view media_type(std::string_view path)
{
	const std::string_view name = path.substr(path.rfind('/') + 1);
	if (std::find(std::begin(names), std::end(names), name) != std::end(names))
		return plain;
	const std::size_t dot = name.rfind('.');
	constexpr std::size_t longest = 5;
	if (dot != name.npos && name.size() - dot - 1 <= longest) {
		std::string extension(name.substr(dot + 1));
		for (char &c : extension)
			c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		const auto *const found = std::lower_bound(std::begin(types), std::end(types), extension,
			[](const KnownType &known, const std::string &wanted) { return known.extension < wanted; });
		if (found != std::end(types) && found->extension == extension)
			return found->type;
	}
	return "application/octet-stream";
}

} // namespace dig
