// What a person, or a program, sees of long work while it lasts: on stderr.
//
//     Work work;
//     Progress progress(work, parse_progress(wish), {{"take", 95}, {"finish", 5, false}});
//     work.begin_stage("take");
//     ...
//     progress.finish();
//
// A thread of its own looks at the counters of the Work and draws; the work itself never waits
// for it.  On a terminal these are two lines, the whole and the stage,
//
//     [===========>            ]  45 %   0:12, 0:15 left
//     take: 9120 of 20000 files, 1.21 of 2.60 GiB, 22113 chunks, 104 MiB/s, 760 files/s
//
// which go away at the end, and make way for messages.  For programs it is a JSON object a line,
// when a stage begins and at least once a second, also when nothing moves:
//
//     {"schema":1,"type":"progress","stage":"take","files":9120,...}
//
// A percentage is told only where totals are known; dig(1) has the fields.
#ifndef DIG_PROGRESS_H
#define DIG_PROGRESS_H

#include <optional>

#include "libdig/os/thread.h"
#include "libdig/watch/metrics.h"

namespace dig {

// automatic: on a terminal, once the work has lasted half a second.
enum class ShowProgress : std::uint8_t { automatic, always, never, json };

// UsageError for what is none of "auto", "always", "never" and "json"; automatic where nothing is
// wished, always where the option came without a word.
ShowProgress parse_progress(const std::optional<std::string> &wish);

struct ProgressStage {
	const char *name;
	double weight;           // beside the others; any sum
	bool is_measured = true; // else its beginning is its place in the whole
	bool has_begun = false;  // what is passed over is no part of the whole
};

// --- computing: from counters to lines ------------------------------------------------------

struct ProgressState {
	std::string_view stage;
	std::uint64_t files = 0, bytes = 0, chunks = 0, seen = 0;
	std::optional<std::uint64_t> total_files, total_bytes; // of the stage
	std::uint64_t items_done = 0, items_total = 0;         // where the stage counts others
	std::optional<double> percent, stage_percent, eta_s;
	double elapsed_s = 0, bytes_per_s = 0, files_per_s = 0;
};

// Remembers how fast it went.
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

// Without ends of lines, and no longer than columns.
std::vector<std::string> terminal_lines(const ProgressState &state, int columns);
std::string one_line(const ProgressState &state);
// "type" is "progress", or "done" with an exit status.
std::string progress_json(const ProgressState &state, std::optional<int> status = {});
// {"schema":1,"type":"error","command":"dig add","message":...,"text":...,"status":128}: text is
// what a person would read, with the command in front of it; the type is "message", "warning",
// "error" or "summary".
std::string message_json(std::string_view type, std::string_view command, std::string_view message,
	std::string_view text, std::optional<int> status = {});

// --- showing --------------------------------------------------------------------------------

class Progress {
public:
	// work must outlive it.  At most one at a time.
	Progress(Work &work, ShowProgress show, std::vector<ProgressStage> stages);
	// finish(), for work that failed.
	~Progress();
	Progress(const Progress &) = delete;

	// Nothing is drawn any more.  What JSON ends with waits for end_progress().
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
	std::size_t drawn_ = 0; // columns of the dumb terminal, or lines of another
	bool is_ending_ = false;
	std::condition_variable changed_;
	std::thread thread_;
};

// While it lives, this thread may write to stderr and finds the line empty.  Every message goes
// through one.
class MessageTurn {
public:
	MessageTurn();
	~MessageTurn();
	MessageTurn(const MessageTurn &) = delete;

	// A program reads stderr: messages are JSON, too.
	bool is_json() const;

private:
	std::unique_lock<std::mutex> lock_;
};

// From here on everything on stderr is JSON, also what is said before there is a Progress.
void speak_json();

// What a module has to say that is no failure: shown as a warning once a command has said how.
void give_notice(const std::string &text);
void show_notices_by(void (*show)(std::string_view text));

// When all has been said: the last line of JSON, if there was any.
void end_progress(int status);

} // namespace dig

#endif
