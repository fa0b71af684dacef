// Three reports are made of one Work that the library counts in: progress while it goes on, and
// metrics and explanation at its end.  The end may be a failure, and then the figures matter most:
// how far an add came, and at what.  So the destructor prints them, too.
//
// A command that starts a pipeline, such as dig add, does not report.  It passes the options on to
// the tool that does the work.
#include "libdig/tool/report.h"

#include <cstdio>
#include <utility>

#include "libdig/tool/command.h"

namespace dig {

Options &Report::add_to(Options &options)
{
	options_ = &options;
	return options.optional_value("progress", 0, progress_wish_, "WHEN", "auto, always, never or json")
		.optional_value("metrics", 0, metrics_, "FILE", "print figures at the end");
}

Options &Report::add_explain_to(Options &options)
{
	return options.flag("explain", 0, explains_, "at the end, name the limiting step");
}

Options &Report::add_summary_to(Options &options)
{
	return options.flag("summary", 0, has_summary_, "print a summary line at the end");
}

void Report::pass_on(Command &command) const
{
	parse_progress(progress_wish_);
	for (const auto &[name, value] : {std::pair("--progress", &progress_wish_), std::pair("--metrics", &metrics_)})
		if (*value)
			command.push_back((*value)->empty() ? name : std::string(name) + '=' + **value);
	if (explains_)
		command.push_back("--explain");
	if (options_->is_quiet())
		command.push_back("--quiet");
}

// "", "FILE", "FILE.json", "json:", "json:FILE".
void Report::open_metrics()
{
	std::string_view name = *metrics_;
	if (name.starts_with("json:")) {
		is_metrics_json_ = true;
		name.remove_prefix(5);
	} else if (name.ends_with(".json")) {
		is_metrics_json_ = true;
	}
	// Now, and not after an hour of work that it would have to be said of.
	if (!name.empty())
		metrics_file_ = File::open_named(std::string(name), O_WRONLY | O_CREAT | O_TRUNC);
}

Work &Report::begin(std::vector<ProgressStage> stages)
{
	ShowProgress show = parse_progress(progress_wish_);
	if (metrics_)
		open_metrics();
	const bool yields = yields_terminal_ && is_terminal(1);
	if (show == ShowProgress::automatic && (yields || options_->is_quiet()))
		show = ShowProgress::never;
	progress_ = std::make_unique<Progress>(work_, show, std::move(stages));
	return work_;
}

void Report::write_metrics()
{
	const std::vector<Metric> metrics = metrics_of(work_, work_.elapsed_s(), process_use());
	const MessageTurn turn;
	const bool is_json = is_metrics_json_ || (!metrics_file_.is_open() && turn.is_json());
	const std::string text = is_json ? metrics_json(metrics) : metrics_text(metrics);
	if (metrics_file_.is_open()) {
		metrics_file_.write(bytes_of(text));
		metrics_file_.close();
	} else {
		write_all(2, bytes_of(text));
	}
}

std::string counted(std::uint64_t count, const std::string &thing)
{
	return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s");
}

void Report::summarise(const std::string &done)
{
	char time[32];
	std::snprintf(time, sizeof time, ", %.1f s", work_.elapsed_s());
	if (has_summary_)
		tell_summary(done + time);
}

void Report::finish()
{
	if (!progress_)
		return;
	progress_->finish();
	progress_.reset();
	if (explains_)
		tell(limit_of(work_, work_.elapsed_s()));
	if (metrics_)
		write_metrics();
}

Report::~Report()
{
	try {
		finish();
	} catch (const Error &) {
		// The failure that led here is what has to be told.
	}
}

} // namespace dig
