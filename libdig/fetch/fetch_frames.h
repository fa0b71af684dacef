// An object on a pipe: its bytes, or frames of them, so that its end, and why it ended, stand behind it
// (fetch_protocol.h).
#ifndef DIG_FETCH_FRAMES_H
#define DIG_FETCH_FRAMES_H

#include <functional>

#include "libdig/fetch/fetch_sink.h"
#include "libdig/os/file.h"

namespace dig {

// The bytes, and nothing else.
class PlainWriter : public FetchSink {
public:
	explicit PlainWriter(std::function<void(Bytes)> write) : write_(std::move(write)) {}
	void begin(const FetchedObject &) override {}
	void take(Bytes bytes) override { write_(bytes); }

private:
	std::function<void(Bytes)> write_;
};

class FrameWriter : public FetchSink {
public:
	// write passes bytes on, and flush makes them leave.
	FrameWriter(std::function<void(Bytes)> write, std::function<void()> flush);
	void begin(const FetchedObject &object) override;
	void take(Bytes bytes) override;
	void end(const FetchEnd &end);

private:
	void put_length(std::uint32_t length);
	void put_line(const std::string &text);

	std::function<void(Bytes)> write_;
	std::function<void()> flush_;
	bool has_begun_ = false;
};

// Reads replies from a pipe.  What is no reply is an Error.
class FrameReader {
public:
	explicit FrameReader(File &from) : from_(from) {}

	// The object; or nothing, and why is in end().
	std::optional<FetchedObject> begin();
	// The bytes that follow before the next call; 0 behind the last, and then there is an end().
	std::uint64_t next_frame();
	const FetchEnd &end() const { return end_; }

private:
	std::string read_line();
	FetchEnd read_end(const std::string &line);

	File &from_;
	FetchEnd end_;
};

} // namespace dig

#endif
