// dig add is dig-ls-work and dig-update-index in a pipe.
#include "libdig/fetch/url.h"
#include "libdig/store/store.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-add [-fn] [--by-reference] [--reread] [--changing=fail|store]\n"
	"        [--show-plumbing] [--explain] [--progress[=WHEN]]\n"
	"        [--metrics[=FILE]] PATH...\n"
	"dig-add -A [-fn] [--by-reference] [--reread] [--changing=fail|store]\n"
	"        [--show-plumbing] [--explain] [--progress[=WHEN]]\n"
	"        [--metrics[=FILE]] [PATH...]\n"
	"dig-add --stdin --path=PATH [--mode=MODE] [--mtime=T]\n"
	"        [--checkpoint-every=SIZE|SECONDSs] [--explain]\n"
	"        [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-add URL --path=PATH [--mode=MODE] [--mtime=T] [--show-plumbing]\n"
	"        [--explain] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-add [-z] --stdin [--mode=MODE] [--mtime=T] [--explain]\n"
	"        [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-add --from-command --path=PATH [--mode=MODE] [--mtime=T] [--explain]\n"
	"        [--progress[=WHEN]] [--metrics[=FILE]] -- COMMAND [ARGUMENT...]";

static std::string shell_word(const std::string &text)
{
	if (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
						     "0123456789-_./=:,+@%") == text.npos)
		return text;
	std::string word = "'";
	for (char c : text)
		if (c == '\'')
			word += "'\\''";
		else
			word += c;
	return word + "'";
}

static std::string shell_text(const std::vector<Command> &commands)
{
	std::string text;
	for (const Command &command : commands) {
		if (!text.empty())
			text += " | ";
		// In the words of a person, who has the tools behind dig.
		text += "dig " + command[0].substr(command[0].rfind("/dig-") + 5);
		for (std::size_t i = 1; i < command.size(); i++)
			text += ' ' + shell_word(command[i]);
	}
	return text;
}

struct AddWishes {
	bool all = false, force = false, by_reference = false, dry_run = false, show = false, from_stdin = false;
	bool from_command = false, reread = false, nul = false;
	std::optional<std::string> path, mode, mtime, checkpoint, changing;
	std::vector<std::string> paths;

	bool is_url() const { return !from_command && paths.size() == 1 && dig::is_url(paths[0]); }
	bool is_url_list() const { return from_stdin && !path && !checkpoint; }
};

static void add_options(Options &options, AddWishes &wishes)
{
	options.flag("all", 'A', wishes.all, "all files; files that are gone are removed")
		.flag("force", 'f', wishes.force, "also ignored paths")
		.flag("by-reference", 0, wishes.by_reference, "leave the content where it is until the commit")
		.flag("reread", 0, wishes.reread, "also read files that seem unchanged")
		.value("changing", 0, wishes.changing, "fail|store", "how to treat files that change while read")
		.flag("dry-run", 'n', wishes.dry_run, "only print what would be done")
		.flag("show-plumbing", 0, wishes.show, "print the commands and do nothing")
		.flag("stdin", 0, wishes.from_stdin, "add standard input as one file, or read URLs and paths")
		.flag("", 'z', wishes.nul, "lines with URL and path end with NUL")
		.flag("from-command", 0, wishes.from_command, "add the output of a command, if it succeeds")
		.value("path", 0, wishes.path, "PATH", "the path of that file")
		.value("mode", 0, wishes.mode, "MODE", "its mode, octal; 644 by default")
		.value("mtime", 0, wishes.mtime, "T", "its time, seconds since 1970; none by default")
		.value("checkpoint-every", 0, wishes.checkpoint, "SIZE|SECONDSs", "make the input received so far durable")
		.positional(wishes.paths);
}

// Of one stream: its content needs no list.
static std::vector<Command> stream_commands(const AddWishes &wishes, const Command &reported)
{
	if (!wishes.path || wishes.all || wishes.reread || wishes.changing || wishes.from_stdin == wishes.from_command ||
		wishes.from_stdin == !wishes.paths.empty() || wishes.nul)
		throw UsageError("--stdin needs --path=PATH and nothing else to add; --from-command needs --path=PATH "
			"and '-- COMMAND'");
	if (wishes.checkpoint && wishes.from_command)
		throw UsageError("--checkpoint-every goes with --stdin only: a command that fails must leave nothing staged");
	Command update = tool_command("update-index");
	update.insert(update.end(),
		{"--add", wishes.from_stdin ? "--stdin-content" : "--from-command", "--path=" + *wishes.path});
	if (wishes.checkpoint)
		update.push_back("--checkpoint-every=" + *wishes.checkpoint);
	if (wishes.mode)
		update.push_back("--mode=" + *wishes.mode);
	if (wishes.mtime)
		update.push_back("--mtime=" + *wishes.mtime);
	update.insert(update.end(), reported.begin(), reported.end());
	if (wishes.from_command)
		update.push_back("--");
	update.insert(update.end(), wishes.paths.begin(), wishes.paths.end());
	return {update};
}

// The line for a URL that stands on the command line, where every user may see it.  The commands behind this
// one get it through a pipe.
static std::string url_line(const AddWishes &wishes, const std::string &url)
{
	return url + '\t' + quoted_record(*wishes.path) + '\n';
}

static Command url_command(const AddWishes &wishes, const Command &reported)
{
	if (wishes.is_url() != wishes.path.has_value() || (wishes.is_url() && (wishes.from_stdin || wishes.nul)))
		throw UsageError("a URL needs --path=PATH and nothing else to add");
	if (wishes.is_url_list() && !wishes.paths.empty())
		throw UsageError("--stdin takes no paths");
	if (wishes.all || wishes.force || wishes.by_reference || wishes.dry_run || wishes.reread || wishes.changing)
		throw UsageError("only --mode and --mtime go with URLs");
	Command update = tool_command("update-index");
	update.insert(update.end(), {"--add", "--stdin-urls"});
	if (wishes.nul)
		update.push_back("-z");
	if (wishes.mode)
		update.push_back("--mode=" + *wishes.mode);
	if (wishes.mtime)
		update.push_back("--mtime=" + *wishes.mtime);
	update.insert(update.end(), reported.begin(), reported.end());
	return update;
}

static int run_with_line(const Command &command, const std::string &line)
{
	Child child(command, Child::pipe);
	try {
		write_all(child.input(), bytes_of(line));
	} catch (const SystemError &) {
		// It has ended, and has said why.
	}
	return child.wait_for_part();
}

static std::vector<Command> tree_commands(const AddWishes &wishes, const Command &reported)
{
	if (wishes.nul || wishes.path || wishes.mode || wishes.mtime || wishes.checkpoint)
		throw UsageError("--path, --mode, --mtime, --checkpoint-every and -z go with --stdin");
	if (wishes.paths.empty() && !wishes.all)
		throw UsageError("no path given; '-A' adds everything");
	Command list = tool_command("ls-work"), update = tool_command("update-index");
	update.push_back("--add");
	if (wishes.force)
		list.push_back("-f");
	if (!wishes.paths.empty())
		list.push_back("--");
	list.insert(list.end(), wishes.paths.begin(), wishes.paths.end());
	if (wishes.all)
		update.push_back("-A");
	if (wishes.dry_run)
		update.push_back("-n");
	if (wishes.by_reference)
		update.push_back("--by-reference");
	if (wishes.reread)
		update.push_back("--reread");
	if (wishes.changing)
		update.push_back("--changing=" + *wishes.changing);
	update.insert(update.end(), reported.begin(), reported.end());
	update.push_back("--stdin");
	return {list, update};
}

static int add(Options &options)
{
	AddWishes wishes;
	Report report;
	add_options(options, wishes);
	report.add_to(options);
	report.add_explain_to(options);
	options.parse();
	Command reported;
	report.pass_on(reported);
	const bool has_urls = wishes.is_url() || wishes.is_url_list();
	std::vector<Command> commands = has_urls ? std::vector<Command>(1, url_command(wishes, reported))
		: wishes.from_stdin || wishes.from_command ? stream_commands(wishes, reported)
		: tree_commands(wishes, reported);
	const std::optional<Url> url = wishes.is_url() ? std::optional(parse_url(wishes.paths[0])) : std::nullopt;
	if (wishes.show && url) {
		standard_output().record("printf '%s\\t%s\\n' " + shell_word(url->shown()) + ' ' +
			shell_word(quoted_record(*wishes.path)) + " | " + shell_text(commands));
		return exit_status::done;
	}
	if (wishes.show) {
		standard_output().record(shell_text(commands));
		return exit_status::done;
	}
	if (!options.is_quiet() && !wishes.dry_run)
		commands.back().insert(commands.back().begin() + 1, "--summary");
	get_store(); // says so at once when there is none
	if (url)
		return run_with_line(commands[0], url_line(wishes, wishes.paths[0]));
	const std::vector<int> statuses = run_pipeline(commands);
	const int update = statuses.back();
	return update != exit_status::done ? update : statuses.front();
}

int dig_add_main(int argc, char **argv) { return run(argc, argv, usage, add); }
