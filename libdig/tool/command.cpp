// A command ends in one of several ways, and each has an order that matters.
//
// Success is told only if the output has arrived: what is buffered is written, and standard output
// is closed, because some file systems report a full disk only then.  If that fails after something
// was done for good, a message says so ("committed @3; but its output is lost").
//
// A reader that has gone, as in "dig log | head", is no failure of ours.  The command ends by
// SIGPIPE without a word, as other programs do.  A signal ends it in the same way (process.cpp).
//
// What no handler catches, such as a failure in a thread, comes to end_uncaught().  Memory may be
// what is missing, so it writes its message from pieces and makes no string.
//
// A command may be made of tools, and a person knows only the command.  So its name goes to the
// tools in DIG_NAME, and their messages begin with it.  Each tool takes the variable out of its
// environment, since the programs that it starts are not parts of that command.
#include "libdig/tool/command.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "libdig/base/trace.h"
#include "libdig/format/settings.h"
#include "libdig/store/owner_check.h"
#include "libdig/tool/installation.h"
#include "libdig/tool/remote_command.h"
#include "libdig/watch/progress.h"

namespace dig {

static constexpr char name_variable[] = "DIG_NAME", messages_variable[] = "DIG_MESSAGES";
// A shell's status for a program that SIGPIPE has ended.
constexpr int reader_gone = 141;

// What is known of the command that runs here.
struct Running {
	// What people read at the beginning of messages: the tool, or the command that runs it.
	std::string name;
	// The tool itself.
	std::string tool;
	std::string last_record_of_failure;
	// What the command has done for good, whatever becomes of its output.
	std::string accomplished;
};

// Made at the first use: no object of ours is built before main() begins.  Never destroyed, since
// a thread may have something to say while the process ends.
static Running &running()
{
	static Running &running = *new Running;
	return running;
}

void end_failed_output_with(std::string record) { running().last_record_of_failure = std::move(record); }
void accomplished(const std::string &text) { running().accomplished = text; }

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

// Takes a variable out of the environment, so that what we run does not find it.
static std::string taken_variable(const char *name)
{
	const char *value = std::getenv(name);
	std::string text = value ? value : "";
	::unsetenv(name);
	return text;
}

static bool is_name(std::string_view text)
{
	return text.starts_with("dig") && text.size() < 100 &&
		text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789- ") == text.npos;
}

// Before the command line is understood, since what is wrong with it is told like all else.
static bool asks_for_json(int argc, char **argv)
{
	bool asks = false;
	for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; i++)
		if (std::string_view(argv[i]).starts_with("--progress"))
			asks = std::string_view(argv[i]) == "--progress=json";
	return asks;
}

static void take_name(int argc, char **argv, const char *usage)
{
	running().tool = name_in(usage);
	const std::string given = taken_variable(name_variable);
	running().name = is_name(given) ? given : running().tool;
	if (taken_variable(messages_variable) == "json" || asks_for_json(argc, argv))
		speak_json();
}

void name_tools(const std::string &name)
{
	::setenv(name_variable, name.c_str(), 1);
	if (const MessageTurn turn; turn.is_json())
		::setenv(messages_variable, "json", 1);
}

Command tool_command(std::string_view name)
{
	name_tools(running().name);
	return {tool_directory() + "/dig-" + std::string(name)};
}

std::string output_of(const Command &command, int &status)
{
	Child child(command, Child::inherit, Child::pipe);
	std::string text;
	const File output = File::duplicate_of(child.output(), command[0]);
	child.close_output();
	Buffer window(256);
	while (const std::size_t n = output.read_some(window))
		text += text_of(Bytes(window).first(n));
	status = child.wait_for_part();
	while (text.ends_with('\n'))
		text.pop_back();
	return text;
}

static void put_message(std::string_view text, std::string_view json)
{
	const MessageTurn turn;
	try {
		write_all(2, bytes_of(turn.is_json() ? json : text));
	} catch (const Error &) {
		// There is nobody left to be told.
	}
}

static void say(const char *type, const char *before, std::string_view message, std::optional<int> status = {})
{
	const std::string &name = running().name;
	std::string line = name.empty() ? "" : name + ": ";
	line += before;
	line += message;
	put_message(line + '\n', message_json(type, name, message, line, status));
}

void tell(std::string_view text) { say("message", "", text); }
void warn(std::string_view text) { say("warning", "warning: ", text); }
void tell_summary(std::string_view text)
{
	put_message(std::string(text) + '\n', message_json("summary", running().name, text, text));
}
void tell_error(std::string_view text, std::optional<int> status) { say("error", "", text, status); }

// The usage in the words that were typed: "dig add" where "dig-add" was run by dig.
static std::string as_typed(std::string usage)
{
	const std::string &name = running().name, &tool = running().tool;
	if (name.size() != tool.size() || name == tool)
		return usage;
	for (std::size_t at = 0; at < usage.size(); at = std::min(usage.find('\n', at), usage.size() - 1) + 1)
		if (usage.compare(at, tool.size(), tool) == 0)
			usage.replace(at, tool.size(), name);
	return usage;
}

// The first form in one line; without its options where they make it too long.
static std::string short_usage(const std::string &usage)
{
	std::string line;
	for (std::size_t at = 0; at < usage.size(); at++) {
		if (usage[at] == '\n' && usage[at + 1] != ' ')
			break;
		if (usage[at] != '\n' && (usage[at] != ' ' || !line.ends_with(' ')))
			line += usage[at];
		else if (!line.ends_with(' '))
			line += ' ';
	}
	if (line.size() <= 72)
		return line;
	std::string shortened;
	bool has_options = false;
	for (std::size_t at = 0; at < line.size();) {
		const bool is_option = line.compare(at, 2, "[-") == 0;
		int depth = 0;
		std::string word;
		for (; at < line.size() && (line[at] != ' ' || depth > 0); at++) {
			depth += (line[at] == '[') - (line[at] == ']');
			word += line[at];
		}
		at++;
		if (is_option && std::exchange(has_options, true))
			continue;
		shortened += (shortened.empty() ? "" : " ") + (is_option ? "[OPTION...]" : word);
	}
	return shortened;
}

// A tool that another command runs has another usage than what was typed.
static void tell_usage(const std::string &usage)
{
	const std::string &name = running().name;
	const std::size_t word = name.find_first_of("- ");
	const std::string command = word == name.npos ? "" : name.substr(word + 1);
	std::string text;
	if (as_typed(usage) != usage || name == running().tool)
		text += "usage: " + short_usage(as_typed(usage)) + '\n';
	text += command.empty() ? "see 'dig help'\n" : "see 'dig help " + command + "'\n";
	put_message(text, "");
}

static int status_of_failure(const std::string &usage)
{
	try {
		throw;
	} catch (const InformationRequest &request) {
		standard_output().write(request.text);
		return exit_status::done;
	} catch (const Interrupted &interruption) {
		// Whoever sent the signal knows, and the shell tells it.
		return interruption.status();
	} catch (const ReaderGone &) {
		return reader_gone;
	} catch (const ToldElsewhere &told) {
		return told.status();
	} catch (const UsageError &error) {
		tell_error(error.what(), error.status());
		tell_usage(usage);
		return error.status();
	} catch (const SystemError &error) {
		tell_error(error.what() + advice_on_owner(error), error.status());
		return error.status();
	} catch (const Error &error) {
		tell_error(error.what(), error.status());
		return error.status();
	} catch (const std::bad_alloc &) {
		tell_error("out of memory", exit_status::failed);
		return exit_status::failed;
	} catch (const std::exception &error) {
		tell_error(error.what(), exit_status::failed);
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
	const std::string process = running().tool + '[' + std::to_string(process_id());
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
		const int fd = File::open_named(std::string(where), O_WRONLY | O_CREAT | O_APPEND).release();
		trace::start(process, [fd](std::string_view line) { put_trace(fd, line); });
	} catch (const Interrupted &) {
		throw;
	} catch (const Error &error) {
		warn(error.what());
		::unsetenv("DIG_TRACE"); // what we run need not say it again
	}
}

// Once, and not again by all that this command runs.
static void warn_of_unread_settings()
{
	constexpr char variable[] = "DIG_UNREAD_CONFIG";
	const std::string path = global_config_path();
	const char *told = std::getenv(variable);
	if (path.empty() || (told && path == told) || may_read(path))
		return;
	warn("cannot open " + quote(path) + ": Permission denied; go on without it");
	::setenv(variable, path.c_str(), 1);
}

static int run_to_status(int argc, char **argv, const char *usage, const std::function<int(Options &)> &command)
{
	int status = exit_status::failed;
	bool was_thrown = false;
	try {
		set_open_pack_ranges(open_packs_of_remotes);
		start_trace();
		const Region region("run");
		Options options(as_typed(usage), argc, argv);
		warn_of_unread_settings();
		status = command(options);
	} catch (...) {
		was_thrown = true;
		status = status_of_failure(usage);
	}
	// What an interrupted tool still had to say may never find a reader.
	if (status == exit_status::interrupted)
		return status;
	try {
		if (was_thrown && !running().last_record_of_failure.empty())
			standard_output().record(running().last_record_of_failure);
		finish_output();
	} catch (...) {
		if (!running().accomplished.empty())
			tell(running().accomplished + "; but its output is lost");
		return status_of_failure(usage);
	}
	return status;
}

// What nobody could catch, as a want of memory in a thread, is told, too, and no crash.
[[noreturn]] static void end_uncaught()
{
	const std::string_view name = running().name;
	try {
		if (const std::exception_ptr failure = std::current_exception())
			std::rethrow_exception(failure);
		end_at_once({name, ": this cannot go on\n"}, exit_status::failed);
	} catch (const std::bad_alloc &) {
		end_at_once({name, ": out of memory\n"}, exit_status::failed);
	} catch (const std::exception &error) {
		end_at_once({name, ": ", error.what(), "\n"}, exit_status::failed);
	} catch (...) {
		end_at_once({name, ": a failure of no known kind\n"}, exit_status::failed);
	}
}

int run(int argc, char **argv, const char *usage, int (*command)(Options &))
{
	return run(argc, argv, usage, std::function<int(Options &)>(command));
}

int run(int argc, char **argv, const char *usage, const std::function<int(Options &)> &command)
{
	std::set_terminate(end_uncaught);
	open_standard_streams();
	catch_signals();
	take_name(argc, argv, usage);
	show_notices_by(warn);
	const int status = run_to_status(argc, argv, usage, command);
	if (status == reader_gone) {
		end_progress(status);
		trace::finish();
		end_by_broken_pipe();
		tell(ReaderGone().what());
		return exit_status::failed;
	}
	end_progress(status);
	trace::finish();
	if (status == exit_status::interrupted && interrupted())
		end_interrupted();
	return status;
}

} // namespace dig
