#include "libdig/fetch/file_source.h"

#include "libdig/fetch/response_head.h"
#include "libdig/fetch/validator.h"
#include "libdig/os/file.h"

namespace dig {

constexpr std::size_t piece_size = 512 * 1024;

// What was asked for must be what is there.  0 where it begins anew.
static void check_request(const FetchRequest &request, const FetchedObject &object)
{
	if (!request.validator.empty() && request.validator != object.validator)
		throw ObjectChanged("it has changed since a part of it was taken");
	if ((request.size && request.size != object.size) || (object.size && request.offset > *object.size))
		throw ObjectChanged("its size is another than before");
}

static FetchedObject object_of(const FileStat &stat, std::uint64_t offset)
{
	FetchedObject object;
	object.size = stat.size;
	object.offset = offset;
	object.validator = "file:" + std::to_string(stat.mtime_ns) + '.' + std::to_string(stat.ctime_ns) + '.' +
		std::to_string(stat.inode) + '.' + std::to_string(stat.device);
	return object;
}

void fetch_file(const Url &url, const FetchRequest &request, FetchSink &sink)
{
	const std::string path = percent_decoded(url.path).value();
	const File file = File::open_with(path, O_RDONLY | O_NOCTTY);
	const FetchedObject object = object_of(file.stat(), request.offset);
	check_request(request, object);
	sink.begin(object);
	Buffer buffer(piece_size);
	for (std::uint64_t at = request.offset; at < *object.size;) {
		check_interrupted();
		const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), *object.size - at);
		const std::size_t n = file.read_at(MutableBytes(buffer).first(wanted), at);
		if (n == 0)
			throw ObjectChanged("it became shorter while it was read");
		sink.take(Bytes(buffer).first(n));
		at += n;
	}
	if (object_of(file.stat(), request.offset).text() != object.text())
		throw ObjectChanged("it changed while it was read");
}

static std::string shell_quoted(std::string_view text)
{
	std::string word = "'";
	for (const char c : text)
		if (c == '\'')
			word += "'\\''";
		else
			word += c;
	return word + "'";
}

// A line "dig SIZE TIME CHANGED INODE" or, where there is no stat(1) of GNU, "dig"; then the file from an
// offset on, as much as the line says; then the line again.
Command ssh_command(const Url &url, std::uint64_t offset)
{
	const std::string path = percent_decoded(url.path).value();
	const std::string from = std::to_string(offset + 1);
	const std::string script = "exec <" + shell_quoted(path) + " && "
		"facts() { stat -L -c 'dig %s %.9Y %.9Z %i' /dev/stdin 2>/dev/null || echo dig; } && "
		"a=$(facts) && echo \"$a\" && "
		"if test \"$a\" = dig; then tail -c +" + from + "; "
		"else s=${a#dig } && s=${s%% *} && tail -c +" + from + " | head -c $((s - " + std::to_string(offset) + ")) && "
		"facts; fi";
	Command command{"ssh", "-T", "-oBatchMode=yes", "-oConnectTimeout=30", "-oServerAliveInterval=15"};
	if (url.port)
		command.insert(command.end(), {"-p", std::to_string(*url.port)});
	if (url.user)
		command.insert(command.end(), {"-l", *url.user});
	std::string host = url.host;
	if (host.starts_with('['))
		host = host.substr(1, host.size() - 2);
	command.insert(command.end(), {"--", host, "sh -c " + shell_quoted(script)});
	return command;
}

class SshFetch {
public:
	SshFetch(const Url &url, const FetchRequest &request, FetchSink &sink)
		: request_(request), sink_(sink),
		  child_(ssh_command(url, request.offset), File::open_named("/dev/null", O_RDONLY).fd(), Child::pipe),
		  from_(File::duplicate_of(child_.output(), "the output of ssh"))
	{
		child_.close_output();
	}

	void run()
	{
		const std::optional<std::string> facts = read_line();
		if (!facts)
			end_failed();
		take_facts(*facts);
		check_request(request_, object_);
		sink_.begin(object_);
		pass_on();
		const std::optional<std::string> again = object_.size ? read_line() : std::nullopt;
		if (object_.size && !again)
			end_failed();
		const int status = child_.wait();
		check_interrupted();
		if (status != 0)
			throw FetchError("ssh ended with status " + std::to_string(status));
		if (object_.size && *again != *facts)
			throw ObjectChanged("it changed while it was read");
	}

private:
	// ssh, or the shell over there, has said why.
	[[noreturn]] void end_failed()
	{
		from_.close();
		const int status = child_.wait();
		check_interrupted();
		throw FetchError("ssh ended with status " + std::to_string(status) + " before the end", status == 255);
	}

	std::optional<std::string> read_line()
	{
		std::string line;
		std::uint8_t byte = 0;
		while (line.size() < 200) {
			wait_until_readable(from_.fd());
			if (from_.read_some({&byte, 1}) == 0)
				return {};
			if (byte == '\n')
				return line;
			line += static_cast<char>(byte);
		}
		throw FetchError("what comes by ssh is not what was asked for; does the shell there print something?");
	}

	void take_facts(const std::string &line)
	{
		object_.offset = request_.offset;
		if (line == "dig")
			return;
		const std::size_t blank = line.starts_with("dig ") ? line.find(' ', 4) : line.npos;
		const std::string size = blank == line.npos ? "" : line.substr(4, blank - 4);
		if (size.empty() || size.size() > 18 || size.find_first_not_of("0123456789") != size.npos)
			throw FetchError("what comes by ssh is not what was asked for; does the shell there print something?");
		object_.size = std::stoull(size);
		std::string validator = "file:" + line.substr(blank + 1);
		for (char &c : validator)
			if (c == ' ')
				c = '-';
		if (is_validator(validator))
			object_.validator = validator;
	}

	void pass_on()
	{
		Buffer buffer(piece_size);
		std::uint64_t left = object_.size ? *object_.size - object_.offset : ~std::uint64_t(0);
		while (left > 0) {
			wait_until_readable(from_.fd());
			const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), left);
			const std::size_t n = from_.read_some(MutableBytes(buffer).first(wanted));
			if (n == 0 && object_.size)
				end_failed();
			if (n == 0)
				return;
			sink_.take(Bytes(buffer).first(n));
			left -= n;
		}
	}

	const FetchRequest &request_;
	FetchSink &sink_;
	Child child_;
	File from_;
	FetchedObject object_;
};

void fetch_by_ssh(const Url &url, const FetchRequest &request, FetchSink &sink) { SshFetch(url, request, sink).run(); }

} // namespace dig
