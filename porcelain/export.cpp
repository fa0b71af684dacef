// dig export is dig-export-states or, with --tar, dig-tar-root.
#include "libdig/os/output_file.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"

using namespace dig;

static constexpr char usage[] =
	"dig-export [-q] [--since=ROOT | --full] [--at=ROOT] [--progress[=WHEN]]\n"
	"           [--metrics[=FILE]] FILE|-\n"
	"dig-export --tar [-o FILE] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"           [ROOT [PATH...]]";

static int export_tar_to(const std::string &name, const Command &command)
{
	OutputFile output(name);
	Child child(command, Child::inherit, output.file().fd());
	const int status = child.wait_for_part();
	// What is not whole is no archive.
	if (status == exit_status::done || status == exit_status::partial)
		output.finish();
	return status;
}

static int export_command(Options &options)
{
	bool is_full = false, is_tar = false;
	std::string since, at;
	std::optional<std::string> output;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.value("since", 0, since, "ROOT", "only the states after this one")
		.flag("full", 0, is_full, "one state, laid out for readers of parts")
		.value("at", 0, at, "ROOT", "only the states up to this one")
		.flag("tar", 0, is_tar, "the files of one state, as a tar archive")
		.value("output", 'o', output, "FILE", "with --tar: write to FILE")
		.positional(names)
		.parse();
	Command command = tool_command(is_tar ? "tar-root" : "export-states");
	report.pass_on(command);
	if (is_tar) {
		if (is_full || !since.empty() || !at.empty())
			throw UsageError("--tar takes one state: 'dig export --tar [-o FILE] [ROOT [PATH...]]'");
		command.push_back("--");
		if (names.empty())
			names.emplace_back("HEAD");
		if (names[0] == "-")
			throw UsageError("--tar writes to standard output, or to the FILE of -o; the first word is a ROOT");
		command.insert(command.end(), names.begin(), names.end());
		if (output && *output != "-")
			return export_tar_to(*output, command);
		replace_process(command);
	}
	if (output)
		throw UsageError("-o goes with --tar; without it, the file is the last word");
	if (names.size() != 1)
		throw UsageError(names.empty() ? "no FILE given; '-' is standard output" : "more than one FILE given");
	if (!since.empty())
		command.push_back("--since=" + since);
	if (is_full)
		command.push_back("--full");
	if (!at.empty())
		command.push_back("--at=" + at);
	command.insert(command.end(), {"--", names[0]});
	replace_process(command);
}

int dig_export_main(int argc, char **argv) { return run(argc, argv, usage, export_command); }
