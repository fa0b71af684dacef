// What dig-fetch-url --batch and whoever runs it say to each other.  dig-fetch-url(1) has it for other
// programs.
//
//     request      OFFSET SP SIZE SP VALIDATOR TAB URL LF      SIZE and VALIDATOR of what was begun before, or "-"
//     reply        "object" SP SIZE SP OFFSET SP VALIDATOR LF  SIZE "-" if it is not known, VALIDATOR "-" if there
//                                                              is none; OFFSET where the bytes begin
//                  frame...                                    u32 length, and as many bytes
//                  u32 0, end
//     end          "done" LF | "changed" LF | "failed" SP MESSAGE LF
//
// Without an object the reply is only the end, without the zero before it.
#ifndef DIG_FETCH_PROTOCOL_H
#define DIG_FETCH_PROTOCOL_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dig {

struct FetchRequest {
	std::string url;
	std::uint64_t offset = 0;
	std::optional<std::uint64_t> size;
	std::string validator; // may be empty

	std::string text() const; // without the LF
	// Nothing for what is no request.
	static std::optional<FetchRequest> parse(std::string_view text);
};

// What is told of an object before its bytes.
struct FetchedObject {
	std::optional<std::uint64_t> size;
	std::uint64_t offset = 0;
	std::string validator;

	std::string text() const;
	static std::optional<FetchedObject> parse(std::string_view text);
};

struct FetchEnd {
	enum class Kind : std::uint8_t { done, changed, failed } kind = Kind::done;
	std::string message;

	std::string text() const;
	static std::optional<FetchEnd> parse(std::string_view text);
};

constexpr std::size_t max_fetch_line = 16384;
constexpr std::uint32_t max_frame = 1 << 20;

} // namespace dig

#endif
