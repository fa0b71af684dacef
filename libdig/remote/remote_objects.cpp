#include "libdig/remote/remote_objects.h"

#include <algorithm>

#include "libdig/base/error.h"
#include "libdig/os/process.h"

namespace dig {

constexpr std::size_t max_line = 4096;
constexpr std::size_t copy_window = 1_MiB;
constexpr std::uint64_t most_in_one_get = 64_MiB;

bool is_object_key(std::string_view key)
{
	if (key.empty() || key.size() > 255 || key.front() == '-' || key.back() == '/')
		return false;
	char last = '/';
	for (const char c : key) {
		const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (!is_plain && c != '/' && c != '.')
			return false;
		if (last == '/' && (c == '/' || c == '.'))
			return false;
		last = c;
	}
	return true;
}

bool RemoteObjects::put_new(const std::string &key, Bytes bytes)
{
	std::size_t at = 0;
	return put_new(key, bytes.size(), [&](MutableBytes window) {
		std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), window.size(), window.begin());
		at += window.size();
	});
}

std::optional<Buffer> RemoteObjects::get_small(const std::string &key, std::size_t limit)
{
	std::optional<Part> part = get(key, 0, limit + 1);
	if (!part)
		return {};
	if (part->total > limit || part->bytes.size() != part->total)
		throw CorruptError("the object " + quote(key) + " has " + std::to_string(part->total) + " bytes, and not " +
			std::to_string(limit) + " at most");
	return std::move(part->bytes);
}

// Lines and bytes of one side of a pipe.
class LineReader {
public:
	explicit LineReader(const File &file) : file_(file), buffer_(64_KiB) {}

	// Without its newline; nothing at the end.
	std::optional<std::string> line()
	{
		std::string text;
		for (;;) {
			if (at_ == size_ && !fill()) {
				if (!text.empty())
					throw Error("a line has no end");
				return {};
			}
			const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
			const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(size_);
			const auto newline = std::find(begin, end, '\n');
			text.append(begin, newline);
			if (text.size() > max_line)
				throw Error("a line is longer than " + std::to_string(max_line) + " bytes");
			at_ = static_cast<std::size_t>(newline - buffer_.begin());
			if (newline != end) {
				at_++;
				return text;
			}
		}
	}

	void bytes(MutableBytes window)
	{
		for (std::size_t done = 0; done < window.size();) {
			if (at_ == size_ && !fill())
				throw Error("bytes end too early");
			const std::size_t n = std::min(size_ - at_, window.size() - done);
			std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), n,
				window.begin() + static_cast<std::ptrdiff_t>(done));
			at_ += n;
			done += n;
		}
	}

private:
	bool fill()
	{
		check_interrupted();
		size_ = file_.read_some(buffer_);
		at_ = 0;
		return size_ > 0;
	}

	const File &file_;
	Buffer buffer_;
	std::size_t at_ = 0, size_ = 0;
};

static std::vector<std::string> words_of(const std::string &line)
{
	std::vector<std::string> words;
	for (std::size_t at = 0; at <= line.size();) {
		const std::size_t end = std::min(line.find(' ', at), line.size());
		words.push_back(line.substr(at, end - at));
		at = end + 1;
	}
	return words;
}

static std::uint64_t number_of(const std::string &text)
{
	if (text.empty() || text.size() > 19 || text.find_first_not_of("0123456789") != text.npos)
		throw Error(quote(text) + " is no number");
	return std::stoull(text);
}

static const std::string &key_of(const std::string &text)
{
	if (!is_object_key(text))
		throw Error(quote(text) + " is no key");
	return text;
}

// --- the helper's side ------------------------------------------------------------------------

class Server {
public:
	Server(RemoteObjects &objects, const File &input, const File &output)
		: objects_(objects), reader_(input), output_(output)
	{
	}

	void run()
	{
		while (const std::optional<std::string> line = reader_.line()) {
			left_ = 0;
			try {
				answer(words_of(*line));
			} catch (const Interrupted &) {
				throw;
			} catch (const Error &error) {
				skip();
				std::string text = error.what();
				std::replace(text.begin(), text.end(), '\n', ' ');
				say("error " + text.substr(0, max_line - 100));
			}
		}
	}

private:
	void say(const std::string &text)
	{
		const std::string line = text + '\n';
		output_.write(bytes_of(line));
	}

	void answer(const std::vector<std::string> &words)
	{
		if (words[0] == "get" && words.size() == 4)
			get(key_of(words[1]), number_of(words[2]), number_of(words[3]));
		else if (words[0] == "put-new" && words.size() == 3)
			put_new(words[1], left_ = number_of(words[2]));
		else if (words[0] == "list" && words.size() == 3)
			list(words[1], words[2] == "-" ? std::string() : words[2]);
		else if (words[0] == "delete" && words.size() == 2)
			say(objects_.remove(key_of(words[1])) ? "ok" : "missing");
		else if (words[0] == "check" && words.size() == 1)
			say("ok " + objects_.check());
		else
			throw Error(quote(words[0]) + " is no request, or has other words behind it");
	}

	void get(const std::string &key, std::uint64_t offset, std::uint64_t size)
	{
		const std::optional<RemoteObjects::Part> part = objects_.get(key, offset, std::min(size, most_in_one_get));
		if (!part)
			return say("missing");
		say("ok " + std::to_string(part->bytes.size()) + ' ' + std::to_string(part->total));
		output_.write(part->bytes);
	}

	void put_new(const std::string &key, std::uint64_t size)
	{
		key_of(key);
		const bool is_new = objects_.put_new(key, size, [&](MutableBytes window) {
			reader_.bytes(window);
			left_ -= window.size();
		});
		skip();
		say(is_new ? "ok" : "exists");
	}

	void list(const std::string &prefix, const std::string &after)
	{
		objects_.list(prefix, after, [&](const std::string &key, std::uint64_t size) {
			say(key + ' ' + std::to_string(size));
		});
		say("end");
	}

	// What follows a request that was not carried out.
	void skip()
	{
		Buffer window(64_KiB);
		while (left_ > 0) {
			const std::size_t n = std::min<std::uint64_t>(left_, window.size());
			reader_.bytes(MutableBytes(window).first(n));
			left_ -= n;
		}
	}

	RemoteObjects &objects_;
	LineReader reader_;
	const File &output_;
	std::uint64_t left_ = 0; // bytes that follow the request
};

void serve_objects(RemoteObjects &objects, const File &input, const File &output)
{
	Server(objects, input, output).run();
}

// --- the other side ---------------------------------------------------------------------------

class Helper : public RemoteObjects {
public:
	Helper(const Command &command, const std::string &first)
		: name_(command[0].substr(command[0].rfind('/') + 1)), child_(command, Child::pipe, Child::pipe),
		  to_(File::duplicate_of(child_.input(), name_)), from_(File::duplicate_of(child_.output(), name_)),
		  reader_(from_)
	{
		child_.close_input();
		child_.close_output();
		write(bytes_of(first));
	}

	std::optional<Part> get(const std::string &key, std::uint64_t offset, std::uint64_t size) override
	{
		size = std::min(size, most_in_one_get);
		ask("get " + key_of(key) + ' ' + std::to_string(offset) + ' ' + std::to_string(size));
		const std::vector<std::string> words = words_of(answer());
		if (words[0] == "missing" && words.size() == 1)
			return {};
		if (words[0] != "ok" || words.size() != 3)
			throw strange();
		Part part{{}, number_of(words[2])};
		const std::uint64_t n = number_of(words[1]);
		const std::uint64_t behind = part.total > offset ? part.total - offset : 0;
		if (n > size || n != std::min(size, behind))
			throw strange();
		part.bytes.resize(n);
		read(part.bytes);
		return part;
	}

	bool put_new(const std::string &key, std::uint64_t size, const Content &content) override
	{
		ask("put-new " + key_of(key) + ' ' + std::to_string(size));
		Buffer window(copy_window);
		for (std::uint64_t left = size; left > 0;) {
			check_interrupted();
			const MutableBytes part = MutableBytes(window).first(std::min<std::uint64_t>(left, window.size()));
			content(part);
			write(part);
			left -= part.size();
		}
		const std::string said = answer();
		if (said != "ok" && said != "exists")
			throw strange();
		return said == "ok";
	}

	void list(const std::string &prefix, const std::string &after, const Take &take) override
	{
		ask("list " + prefix + ' ' + (after.empty() ? "-" : after));
		std::string last = after;
		for (;;) {
			const std::string line = answer();
			if (line == "end")
				return;
			const std::vector<std::string> words = words_of(line);
			if (words.size() != 2 || !is_object_key(words[0]) || !words[0].starts_with(prefix) || words[0] <= last)
				throw strange();
			last = words[0];
			take(words[0], number_of(words[1]));
		}
	}

	bool remove(const std::string &key) override
	{
		ask("delete " + key_of(key));
		const std::string said = answer();
		if (said != "ok" && said != "missing")
			throw strange();
		return said == "ok";
	}

	std::string check() override
	{
		ask("check");
		const std::string said = answer();
		if (said != "ok" && !said.starts_with("ok "))
			throw strange();
		return said.substr(std::min<std::size_t>(3, said.size()));
	}

private:
	Error strange() const { return Error(quote(name_) + " has answered in a way that is not its protocol"); }

	void write(Bytes bytes)
	{
		try {
			to_.write(bytes);
		} catch (const SystemError &) {
			throw ended();
		}
	}
	void read(MutableBytes window)
	{
		try {
			reader_.bytes(window);
		} catch (const Interrupted &) {
			throw;
		} catch (const Error &) {
			throw ended();
		}
	}
	void ask(const std::string &request) { write(bytes_of(request + '\n')); }
	std::string answer()
	{
		std::optional<std::string> line = reader_.line();
		if (!line)
			throw ended();
		if (line->starts_with("error "))
			throw Error(line->substr(6));
		return *line;
	}
	// Its messages were on standard error.
	Error ended() { return Error(quote(name_) + " has ended before its work was done"); }

	std::string name_;
	Child child_;
	File to_, from_;
	LineReader reader_;
};

std::unique_ptr<RemoteObjects> start_helper(const std::vector<std::string> &command, const std::string &first)
{
	return std::make_unique<Helper>(command, first);
}

} // namespace dig
