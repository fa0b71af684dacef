#include "libdig/base/byte_size.h"
#include "libdig/os/environment.h"
#include "libdig/os/output_file.h"
#include "libdig/tool/command.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/full_layer.h"

using namespace dig;

static constexpr char usage[] =
	"dig-export-states [-q] [--since=ROOT | --full] [--at=ROOT]\n"
	"                  [--progress[=WHEN]] [--metrics[=FILE]] FILE|-";

using Export = std::function<ExportResult(const File &file)>;

// A pipe gets the file when all of it is there, since its parts are not written in their order.
static ExportResult export_to_pipe(const File &to, const Export &make)
{
	const File scratch = File::temporary_in(temporary_directory());
	const ExportResult result = make(scratch);
	Buffer window(1_MiB);
	for (std::uint64_t at = 0; at < result.size; at += window.size()) {
		check_interrupted();
		window.resize(std::min<std::uint64_t>(window.size(), result.size - at));
		scratch.read_exactly_at(window, at);
		to.write(window);
	}
	return result;
}

static ExportResult export_to(const std::string &name, const Export &make)
{
	if (name == "-")
		return export_to_pipe(File::duplicate_of(1, "standard output"), make);
	OutputFile target(name);
	const ExportResult result = target.file().stat().type == FileType::regular
		? make(target.file()) : export_to_pipe(target.file(), make);
	target.finish();
	return result;
}

static int export_states_command(Options &options)
{
	bool quiet = false, is_full = false;
	std::optional<std::string> since, at;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.value("since", 0, since, "ROOT", "only the states after this one")
		.flag("full", 0, is_full, "one state, laid out for readers of parts")
		.value("at", 0, at, "ROOT", "only the states up to this one")
		.flag("quiet", 'q', quiet, "no summary")
		.positional(names, 1, 1)
		.parse();
	Store store(get_store());
	raise_file_limit();
	if (store.roots().size() == 0)
		throw NegativeAnswer("there is no state yet");
	if (is_full && since)
		throw UsageError("--full is for one state, and --since for several");
	GenerationRange range{since ? store.resolve(*since).generation + 1 : 1,
		at ? store.resolve(*at).generation : store.roots().size()};
	if (is_full)
		range.first = range.last;
	if (range.first > range.last)
		throw NegativeAnswer("there is no state after @" + std::to_string(range.first - 1) +
			(at ? " up to @" + std::to_string(range.last) : std::string()));
	Work &work = report.begin({{"export", 100}});
	const Export make = [&](const File &file) {
		return is_full ? export_full_layer(store, file, range.last, work) : export_states(store, file, range, work);
	};
	const ExportResult result = export_to(names[0], make);
	report.finish();
	if (!quiet)
		tell("@" + std::to_string(range.first) +
			(range.last > range.first ? " to @" + std::to_string(range.last) : "") + ", " +
			size_text(static_cast<double>(result.size)));
	return exit_status::done;
}

int dig_export_states_main(int argc, char **argv) { return run(argc, argv, usage, export_states_command); }
