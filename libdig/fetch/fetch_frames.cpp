#include "libdig/fetch/fetch_frames.h"

#include <utility>

#include "libdig/base/endian.h"
#include "libdig/base/error.h"
#include "libdig/os/process.h"

namespace dig {

FrameWriter::FrameWriter(std::function<void(Bytes)> write, std::function<void()> flush)
	: write_(std::move(write)), flush_(std::move(flush))
{
}

void FrameWriter::put_length(std::uint32_t length)
{
	Buffer bytes;
	put_u32(bytes, length);
	write_(bytes);
}

void FrameWriter::put_line(const std::string &text)
{
	write_(bytes_of(text + '\n'));
	flush_();
}

void FrameWriter::begin(const FetchedObject &object)
{
	put_line(object.text());
	has_begun_ = true;
}

void FrameWriter::take(Bytes bytes)
{
	while (!bytes.empty()) {
		const Bytes piece = bytes.first(std::min<std::size_t>(bytes.size(), max_frame));
		put_length(static_cast<std::uint32_t>(piece.size()));
		write_(piece);
		bytes = bytes.subspan(piece.size());
	}
}

void FrameWriter::end(const FetchEnd &end)
{
	if (std::exchange(has_begun_, false))
		put_length(0);
	put_line(end.text());
}

static Error no_reply() { return Error("dig-fetch-url has ended before its reply", exit_status::network); }

// A byte at a time, so that the bytes behind it stay in the pipe.
std::string FrameReader::read_line()
{
	std::string line;
	std::uint8_t byte = 0;
	while (line.size() < max_fetch_line) {
		wait_until_readable(from_.fd());
		if (from_.read_some({&byte, 1}) == 0)
			throw no_reply();
		if (byte == '\n')
			return line;
		line += static_cast<char>(byte);
	}
	throw Error("a line of dig-fetch-url is too long");
}

FetchEnd FrameReader::read_end(const std::string &line)
{
	const std::optional<FetchEnd> end = FetchEnd::parse(line);
	if (!end)
		throw Error("dig-fetch-url answers with what is no reply");
	return *end;
}

std::optional<FetchedObject> FrameReader::begin()
{
	const std::string line = read_line();
	end_ = {};
	std::optional<FetchedObject> object = FetchedObject::parse(line);
	if (!object)
		end_ = read_end(line);
	return object;
}

std::uint64_t FrameReader::next_frame()
{
	Buffer head(4);
	for (std::size_t have = 0; have < head.size();) {
		wait_until_readable(from_.fd());
		const std::size_t n = from_.read_some(MutableBytes(head).subspan(have));
		if (n == 0)
			throw no_reply();
		have += n;
	}
	const std::uint32_t length = load<std::uint32_t>(head.data());
	if (length > max_frame)
		throw Error("dig-fetch-url answers with what is no reply");
	if (length == 0)
		end_ = read_end(read_line());
	return length;
}

} // namespace dig
