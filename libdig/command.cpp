#include "libdig/command.h"

#include "libdig/progress.h"
#include "libdig/trace.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

namespace dig {

static std::string program_name;

// "dig-chunk", or "dig commit" where the usage begins with the dispatcher and a command.
static std::string name_in(std::string_view usage)
{
	const std::string_view line_ends = " \n";
	std::size_t end = usage.find_first_of(line_ends);
	if (usage.substr(0, end) == "dig" && end != usage.npos && end + 1 < usage.size() &&
		usage[end + 1] >= 'a' && usage[end + 1] <= 'z')
		end = usage.find_first_of(line_ends, end + 1);
	return std::string(usage.substr(0, end));
}

void tell(std::string_view text)
{
	std::string line = program_name.empty() ? "" : program_name + ": ";
	line += text;
	const MessageTurn turn;
	try {
		write_all(2, bytes_of(turn.is_json() ? message_json(line) : line + '\n'));
	} catch (const Error &) {
		// There is nobody left to be told.
	}
}

void warn(std::string_view text) { tell("warning: " + std::string(text)); }

// "usage: FIRST FORM", "   or: SECOND FORM"; lines that begin with a space continue a form.
static void tell_usage(const std::string &usage)
{
	std::string text = "usage: ";
	for (std::size_t at = 0; at < usage.size(); at++) {
		text += usage[at];
		if (usage[at] == '\n')
			text += at + 1 < usage.size() && usage[at + 1] == ' ' ? "       " : "   or: ";
	}
	text += '\n';
	try {
		write_all(2, bytes_of(text));
	} catch (const Error &) {
	}
}

static int status_of_failure(const std::string &usage)
{
	try {
		throw;
	} catch (const InformationRequest &request) {
		standard_output().write(request.text);
		return exit_status::done;
	} catch (const ReaderGone &gone) {
		return gone.status();
	} catch (const UsageError &error) {
		tell(error.what());
		tell_usage(usage);
		return error.status();
	} catch (const Error &error) {
		tell(error.what());
		return error.status();
	} catch (const std::bad_alloc &) {
		tell("out of memory");
		return exit_status::failed;
	} catch (const std::exception &error) {
		tell(error.what());
		return exit_status::failed;
	}
}

static void finish_output()
{
	standard_output().flush();
	if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
		if (errno == EPIPE)
			throw ReaderGone();
		throw SystemError("write", "standard output", errno);
	}
	if (standard_output().written() > 0)
		close_standard_output();
}

static void put_trace(int fd, std::string_view line)
{
	try {
		write_all(fd, bytes_of(line));
	} catch (const Error &) {
		// The work is worth more than its trace.
	}
}

// DIG_TRACE is 1 for standard error, or names a file that lines are appended to.
static void start_trace()
{
	const char *wish = std::getenv("DIG_TRACE");
	const std::string_view where = wish ? wish : "";
	if (where.empty() || where == "0")
		return;
	const std::string process = program_name + '[' + std::to_string(process_id());
	if (where == "1") {
		trace::start(process, [](std::string_view line) {
			const MessageTurn turn;
			if (!turn.is_json())
				put_trace(2, line);
		});
		return;
	}
	try {
		// Several processes may append to it: each line is one write.  Never closed.
		const int fd = File::open_with(std::string(where), O_WRONLY | O_CREAT | O_APPEND).release();
		trace::start(process, [fd](std::string_view line) { put_trace(fd, line); });
	} catch (const Error &error) {
		warn(error.what());
	}
}

static int run_to_status(int argc, char **argv, const char *usage, int (*command)(Options &))
{
	int status = exit_status::failed;
	try {
		const Region region("run");
		Options options(usage, argc, argv);
		status = command(options);
	} catch (...) {
		status = status_of_failure(usage);
	}
	// What an interrupted tool still had to say may never find a reader.
	if (status == exit_status::interrupted)
		return status;
	try {
		finish_output();
	} catch (...) {
		return status_of_failure(usage);
	}
	return status;
}

int run(int argc, char **argv, const char *usage, int (*command)(Options &))
{
	open_standard_streams();
	catch_signals();
	program_name = name_in(usage);
	start_trace();
	const int status = run_to_status(argc, argv, usage, command);
	end_progress(status);
	trace::finish();
	return status;
}

} // namespace dig
