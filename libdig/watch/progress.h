// Shows on stderr how long work goes on, to a person or to a program.
//
//     Work work;
//     Progress progress(work, parse_progress(wish), {{"take", 95}, {"finish", 5, false}});
//     work.begin_stage("take");
//     ...
//     progress.finish();
//
// A thread reads the counters of the Work and draws; the work itself never waits for it.  On a
// terminal it draws two lines, for the whole and for the stage:
//
//     [===========>            ]  45 %   0:12, 0:15 left
//     take: 9120 of 20000 files, 1.21 of 2.60 GiB, 22113 chunks, 104 MiB/s, 760 files/s
//
// They disappear at the end, and before each message.  A program gets a JSON object on a line of
// its own when a stage begins, and at least once a second, even if no counter changes:
//
//     {"schema":1,"type":"progress","stage":"take","files":9120,...}
//
// A percentage is shown only if the totals are known.  dig(1) has the fields.
#ifndef DIG_PROGRESS_H
#define DIG_PROGRESS_H

#include <optional>

#include "libdig/os/thread.h"
#include "libdig/watch/metrics.h"

namespace dig {

// automatic: on a terminal, once the work has lasted half a second.
enum class ShowProgress : std::uint8_t { automatic, always, never, json };

// wish is the value of the option: "auto", "always", "never" or "json"; others are a UsageError.
// No wish is automatic, and an empty one, the option without a value, is always.
ShowProgress parse_progress(const std::optional<std::string> &wish);

struct ProgressStage {
	const char *name;
	double weight;           // beside the others; any sum
	bool is_measured = true; // false: while it lasts, the whole stays where the stage began
	bool has_begun = false;  // stages that are passed over are no part of the whole
};

// --- computing: from counters to lines ------------------------------------------------------

struct ProgressState {
	std::string_view stage;
	std::uint64_t files = 0, bytes = 0, chunks = 0, seen = 0;
	std::optional<std::uint64_t> total_files, total_bytes; // of the stage
	std::uint64_t items_done = 0, items_total = 0;         // if the stage counts items
	std::optional<double> percent, stage_percent, eta_s;
	double elapsed_s = 0, bytes_per_s = 0, files_per_s = 0;
};

// Remembers the speed so far, for rates and for the time that is left.
class ProgressEstimate {
public:
	explicit ProgressEstimate(std::vector<ProgressStage> stages);
	// The times of calls must not decrease.  Each stage must be looked at once when it begins.
	ProgressState look(const Work &work, double elapsed_s);

private:
	std::optional<double> place_in_whole(const ProgressState &state, std::optional<double> in_stage);
	void update_rates(const ProgressState &state);
	void update_eta(ProgressState &state, std::optional<double> fraction);

	std::vector<ProgressStage> stages_;
	std::string_view last_stage_;
	bool has_rates_ = false;
	double last_s_ = 0, last_bytes_ = 0, last_files_ = 0;
	double bytes_per_s_ = 0, files_per_s_ = 0;
	std::optional<double> last_fraction_, fraction_per_s_;
	double fraction_s_ = 0;
};

// Lines without newlines, each of at most this many columns.
std::vector<std::string> terminal_lines(const ProgressState &state, int columns);
std::string one_line(const ProgressState &state);
// A text in double quotes.  Control bytes, and bytes that are no UTF-8, become octal escapes, as in all messages.
std::string json_string(std::string_view text);
// "type" is "progress", or "done" with an exit status.
std::string progress_json(const ProgressState &state, std::optional<int> status = {});
// {"schema":1,"type":"error","command":"dig add","message":...,"text":...,"status":128}.  text is
// the line that a person would read, which begins with the command.  type is "message", "warning",
// "error" or "summary".
std::string message_json(std::string_view type, std::string_view command, std::string_view message,
	std::string_view text, std::optional<int> status = {});

// --- showing --------------------------------------------------------------------------------

class Progress {
public:
	// work must outlive it.  At most one at a time.
	Progress(Work &work, ShowProgress show, std::vector<ProgressStage> stages);
	// Does finish() if the work failed before it.
	~Progress();
	Progress(const Progress &) = delete;

	// Ends drawing.  The last line of JSON is written by end_progress().
	void finish();

private:
	enum class Form : std::uint8_t { none, terminal, dumb_terminal, lines, json };

	void run();
	void show_now(bool is_new_stage);
	void show_locked(bool is_new_stage);
	void draw_locked(const std::vector<std::string> &lines);
	void erase_locked();
	friend class MessageTurn;

	Work &work_;
	Form form_ = Form::none;
	double delay_s_ = 0;
	ProgressEstimate estimate_;
	std::size_t drawn_ = 0; // columns on a dumb terminal, else lines
	bool is_ending_ = false;
	std::condition_variable changed_;
	std::thread thread_;
};

// While it lives, this thread may write to stderr and finds no progress on the line.  Every message
// is written under one.
class MessageTurn {
public:
	MessageTurn();
	~MessageTurn();
	MessageTurn(const MessageTurn &) = delete;

	// Whether a program reads stderr, so that messages are JSON, too.
	bool is_json() const;

private:
	std::unique_lock<std::mutex> lock_;
};

// From now on all output on stderr is JSON, even before there is a Progress.
void speak_json();

// A remark of a module that is no failure.  It is shown as a warning, by the function that the
// command has named.
void give_notice(const std::string &text);
void show_notices_by(void (*show)(std::string_view text));

// Writes the last line of JSON, if there was any.  Nothing may follow.
void end_progress(int status);

} // namespace dig

#endif
