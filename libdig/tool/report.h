// --progress, --metrics and --explain, as every tool has them whose work may last:
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
	// finish() for work that failed: what cannot be written is passed over.
	~Report();
	Report(const Report &) = delete;

	// The options, and --explain where a tool can.
	Options &add_to(Options &options);
	Options &add_explain_to(Options &options);
	// --summary, for summarise().
	Options &add_summary_to(Options &options);
	// For porcelain: the same options for the tool that does the work.  UsageError as begin().
	void pass_on(Command &command) const;
	// Draw nothing unless it is asked for: for tools whose output may go to the terminal, too.
	void yield_terminal() { yields_terminal_ = true; }

	// UsageError for a wish that makes no sense; SystemError where the file of --metrics cannot
	// be made.
	Work &begin(std::vector<ProgressStage> stages);
	// Somebody wants to know where the time went.
	bool is_timed() const { return metrics_.has_value() || explains_; }
	// Nothing is drawn any more.
	void end_progress();
	// Where it was asked for, one line of what was done; the time is added.
	void summarise(const std::string &done);
	// Ends progress and gives the account of the work.
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
