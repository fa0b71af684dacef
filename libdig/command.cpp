#include "libdig/command.h"

#include <cerrno>
#include <cstdio>
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
	line += '\n';
	try {
		write_all(2, bytes_of(line));
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

int run(int argc, char **argv, const char *usage, int (*command)(Options &))
{
	open_standard_streams();
	catch_signals();
	program_name = name_in(usage);
	int status = exit_status::failed;
	try {
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

} // namespace dig
