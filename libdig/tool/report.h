// The options --progress, --metrics and --explain of tools whose work may last:
//
//     Report report;
//     report.add_to(options).flag(...).parse();
//     Work &work = report.begin({{"take", 95}, {"finish", 5, false}});
//     ...                       // gives the Work to the library
//     report.finish();
#ifndef DIG_REPORT_H
#define DIG_REPORT_H

#include <memory>

#include "libdig/os/file.h"
#include "libdig/tool/options.h"
#include "libdig/watch/progress.h"

namespace dig {

class Report {
public:
	Report() = default;
	// Does finish() if the work failed before it, and ignores what cannot be written.
	~Report();
	Report(const Report &) = delete;

	// --progress and --metrics; a tool that can explain adds --explain, too.
	Options &add_to(Options &options);
	Options &add_explain_to(Options &options);
	// --summary, for summarise().
	Options &add_summary_to(Options &options);
	// Appends these options, as they were given, to the command of the tool that does the work.
	// Throws the same UsageError as begin().
	void pass_on(Command &command) const;
	// Draws only if it is asked for, because the tool's output may go to the terminal, too.
	void yield_terminal() { yields_terminal_ = true; }

	// Throws a UsageError for a value that is not allowed, and a SystemError if the file of
	// --metrics cannot be created.
	Work &begin(std::vector<ProgressStage> stages);
	// Whether the times of steps are asked for.
	bool is_timed() const { return metrics_.has_value() || explains_; }
	// If --summary was given: prints done, with the time that it took, on a line.
	void summarise(const std::string &done);
	// Ends progress, and prints metrics and explanation as they were asked for.
	void finish();

private:
	void write_metrics();
	void open_metrics();

	const Options *options_ = nullptr;
	std::optional<std::string> progress_wish_, metrics_;
	bool explains_ = false, yields_terminal_ = false, has_summary_ = false;
	Work work_;
	std::unique_ptr<Progress> progress_;
	bool is_metrics_json_ = false;
	File metrics_file_; // else standard error
};

// "1 file", "3 files".
std::string counted(std::uint64_t count, const std::string &thing);

} // namespace dig

#endif
