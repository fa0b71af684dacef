// dig export is dig-export-states or, with --tar, dig-tar-root.  Tiles of the history it writes itself.
#include "libdig/os/output_file.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/history_tiles.h"
#include "libdig/verbs/prover.h"

using namespace dig;

static constexpr char usage[] =
	"dig-export [-q] [--since=ROOT | --full] [--at=ROOT] [--progress[=WHEN]]\n"
	"           [--metrics[=FILE]] FILE|-\n"
	"dig-export --tar [-o FILE] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"           [ROOT [PATH...]]\n"
	"dig-export --tiles DIR";

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

// With the checkpoint that was signed last, if it is of this history; else with one of the newest state.
static int export_tiles(const std::string &directory)
{
	Store store(get_store());
	Prover prover(store);
	const RootHistory history = store.roots();
	if (history.size() == 0)
		throw NegativeAnswer("nothing is committed yet");
	SignedNote note{prover.checkpoint(history.size()).text(), {}};
	if (const std::optional<SignedNote> last = find_signed_checkpoint(store.paths())) {
		prover.set_note(*last);
		note = *last;
	}
	const std::uint64_t size = Checkpoint::parse(note.text).size;
	const std::uint64_t written = write_tiles(history, size, note.encoded(), directory);
	tell_summary(std::to_string(size) + " states, " + std::to_string(written) + " tiles written");
	return exit_status::done;
}

static int export_command(Options &options)
{
	bool is_full = false, is_tar = false;
	std::string since, at;
	std::optional<std::string> output, tiles;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.value("since", 0, since, "ROOT", "only the states after this one")
		.flag("full", 0, is_full, "one state, laid out for readers of parts")
		.value("at", 0, at, "ROOT", "only the states up to this one")
		.flag("tar", 0, is_tar, "the files of one state, as a tar archive")
		.value("output", 'o', output, "FILE", "with --tar: write to FILE")
		.value("tiles", 0, tiles, "DIR", "the history as tiles, for monitors")
		.positional(names)
		.parse();
	if (tiles) {
		if (is_tar || is_full || output || !since.empty() || !at.empty() || !names.empty())
			throw UsageError("--tiles takes a directory and nothing else");
		return export_tiles(*tiles);
	}
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
