// Writes SIZE bytes to standard output, the same ones for the same SEED: random bytes, or with
// --text words in lines, which compress about fourfold.  A longer output begins with every
// shorter one.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// splitmix64: a counter and a mix, full period, good enough that nothing compresses.
class Stream {
public:
	explicit Stream(std::uint64_t seed) : state_(seed) {}

	std::uint64_t next()
	{
		std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		return z ^ z >> 31;
	}

private:
	std::uint64_t state_;
};

static void fill_random(Stream &stream, std::string &piece)
{
	for (std::size_t at = 0; at + 8 <= piece.size(); at += 8) {
		const std::uint64_t value = stream.next();
		std::memcpy(&piece[at], &value, sizeof value);
	}
}

static constexpr std::array<std::string_view, 64> words = {"the", "of", "layer", "and", "a", "to",
	"chunk", "in", "is", "root", "that", "store", "for", "it", "digest", "as", "was", "with", "be",
	"by", "on", "not", "he", "index", "his", "but", "at", "are", "this", "have", "from", "entry",
	"or", "had", "an", "they", "which", "one", "you", "were", "all", "her", "she", "there", "would",
	"their", "we", "him", "been", "has", "when", "who", "will", "no", "more", "if", "out", "so",
	"said", "what", "up", "its", "about", "than"};

// Each word carries one of 64 numbers now and then, so that no line repeats for long.
static void append_words(Stream &stream, std::string &text, std::size_t size)
{
	while (text.size() < size) {
		const std::uint64_t value = stream.next();
		for (int i = 0; i < 8; i++) {
			text += words[value >> 6 * i & 63];
			text += ' ';
		}
		text += std::to_string(value >> 52);
		text += '\n';
	}
}

// "4096", "64K", "1M", "2G"; nothing for any other text.
static std::optional<std::uint64_t> parse_size(const char *text)
{
	char *end;
	const std::uint64_t value = std::strtoull(text, &end, 10);
	const std::string_view suffix = end;
	if (end == text || *text == '-')
		return {};
	if (suffix.empty())
		return value;
	const std::size_t power = std::string_view("KMG").find(suffix[0]);
	if (suffix.size() != 1 || power == std::string_view::npos)
		return {};
	return value << 10 * (power + 1);
}

static bool write_stream(Stream stream, std::uint64_t size, bool text)
{
	constexpr std::size_t piece_size = 1 << 16;
	std::string piece;
	while (size > 0) {
		if (text) {
			append_words(stream, piece, piece_size);
		} else {
			piece.resize(piece_size);
			fill_random(stream, piece);
		}
		const std::size_t part = size < piece_size ? size : piece_size;
		if (std::fwrite(piece.data(), 1, part, stdout) != part)
			return false;
		piece.erase(0, part);
		size -= part;
	}
	return std::fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	const bool text = argc == 4 && std::string_view(argv[1]) == "--text";
	const auto size = argc >= 3 ? parse_size(argv[argc - 2]) : std::nullopt;
	if (!size || argc != 3 + text) {
		std::fputs("usage: seeded [--text] SIZE[K|M|G] SEED\n", stderr);
		return 129;
	}
	const Stream stream(std::strtoull(argv[argc - 1], nullptr, 10));
	if (!write_stream(stream, *size, text)) {
		std::perror("seeded: cannot write");
		return 128;
	}
	return 0;
}
