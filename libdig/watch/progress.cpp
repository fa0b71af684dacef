// How the percentage and the remaining time are made.
//
// Work has stages, each with a weight that says which share of the time it usually takes.  The place in
// the whole is the weight of the stages before, and the fraction of the current one.  A stage that was
// left out gives its weight to the others.
//
// Within a stage, bytes alone would be wrong: 20,000 small files take as long as some hundred MB and
// have hardly any bytes.  So each file counts as file_cost bytes besides its own.  Without totals, as
// for a stream or while the walk goes on, there is no fraction and no percentage is shown.
//
// Rates and speed are exponential means over the last seconds.  Intervals between two looks differ, so
// the share of a new value depends on the length of its interval.  The mean over all of the time would
// not notice that a disk has become slow; the last interval alone jumps.  The remaining time comes from
// the speed of the whole, with a longer memory, and not from bytes a second, because stages differ.
//
// Drawing is a thread's.  The work only counts, so a terminal that is slow, or that was
// stopped, never holds up the work.
#include "libdig/watch/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "libdig/base/byte_size.h"
#include "libdig/os/file.h"

namespace dig {

// Beside its bytes, a file costs about as much as so many bytes: where small files and large ones
// mix, this keeps the bar even.
constexpr double file_cost = 16 << 10;
// Rates are those of about the last so many seconds.
constexpr double rate_memory_s = 3, eta_memory_s = 10;
constexpr double least_interval_s = 0.05; // below, a rate would be noise
constexpr double least_eta_s = 1;         // as long, the speed is a guess
constexpr double longest_eta_s = 100 * 3600;
constexpr double terminal_delay_s = 0.5;

ShowProgress parse_progress(const std::optional<std::string> &wish)
{
	if (!wish || *wish == "auto")
		return ShowProgress::automatic;
	if (wish->empty() || *wish == "always")
		return ShowProgress::always;
	if (*wish == "never")
		return ShowProgress::never;
	if (*wish == "json")
		return ShowProgress::json;
	throw UsageError("--progress takes auto, always, never or json, not " + quote(*wish));
}

// --- estimating -----------------------------------------------------------------------------

ProgressEstimate::ProgressEstimate(std::vector<ProgressStage> stages) : stages_(std::move(stages)) {}

// Of the stage; nothing where its total is not known.
static std::optional<double> fraction_of(const Work &work)
{
	double done, total;
	if (const std::uint64_t items = work.items_total.get()) {
		done = static_cast<double>(work.items_done.get());
		total = static_cast<double>(items);
	} else {
		if (!work.is_total_known)
			return {};
		const double files = static_cast<double>(work.total_files.get());
		const double bytes = static_cast<double>(work.total_bytes.get());
		total = bytes + file_cost * files;
		if (total == 0)
			return {};
		done = bytes > 0 ? static_cast<double>(work.bytes.get() - work.bytes_before()) : 0;
		if (files > 0)
			done += file_cost * static_cast<double>(work.files.get() - work.files_before());
	}
	return std::clamp(done / total, 0.0, 1.0);
}

ProgressState ProgressEstimate::look(const Work &work, double elapsed_s)
{
	ProgressState state;
	state.stage = work.stage() ? work.stage() : "start";
	state.files = work.files.get();
	state.bytes = std::max(work.bytes.get(), work.stream_bytes.get());
	state.chunks = work.chunks.get();
	state.seen = work.seen.get();
	state.elapsed_s = elapsed_s;
	state.items_done = work.items_done.get();
	state.items_total = work.items_total.get();
	const std::optional<double> in_stage = fraction_of(work);
	if (in_stage && !state.items_total && work.total_files.get())
		state.total_files = work.files_before() + work.total_files.get();
	if (in_stage && !state.items_total && work.total_bytes.get())
		state.total_bytes = work.bytes_before() + work.total_bytes.get();
	if (in_stage)
		state.stage_percent = 100 * *in_stage;

	const std::optional<double> fraction = place_in_whole(state, in_stage);
	if (fraction)
		state.percent = 100 * *fraction;
	update_rates(state);
	state.bytes_per_s = bytes_per_s_;
	state.files_per_s = files_per_s_;
	update_eta(state, fraction);
	return state;
}

// Of the stages that began, and of those that are still to come.
std::optional<double> ProgressEstimate::place_in_whole(const ProgressState &state, std::optional<double> in_stage)
{
	const auto current = std::find_if(stages_.begin(), stages_.end(),
		[&](const ProgressStage &stage) { return state.stage == stage.name; });
	if (current == stages_.end())
		return {};
	current->has_begun = true;
	if (!in_stage && current->is_measured)
		return {};
	double before = 0, all = 0;
	for (auto stage = stages_.begin(); stage != stages_.end(); ++stage) {
		if (stage < current && !stage->has_begun)
			continue;
		all += stage->weight;
		if (stage < current)
			before += stage->weight;
	}
	return all > 0 ? (before + current->weight * in_stage.value_or(0)) / all : 0;
}

// How much of a rate an interval renews, which fades with time.
static double renewal(double interval_s, double memory_s) { return 1 - std::exp(-interval_s / memory_s); }

void ProgressEstimate::update_rates(const ProgressState &state)
{
	const double interval_s = state.elapsed_s - last_s_;
	if (interval_s < least_interval_s)
		return;
	const double bytes = static_cast<double>(state.bytes), files = static_cast<double>(state.files);
	const double share = has_rates_ ? renewal(interval_s, rate_memory_s) : 1;
	bytes_per_s_ += share * ((bytes - last_bytes_) / interval_s - bytes_per_s_);
	files_per_s_ += share * ((files - last_files_) / interval_s - files_per_s_);
	has_rates_ = true;
	last_s_ = state.elapsed_s;
	last_bytes_ = bytes;
	last_files_ = files;
}

void ProgressEstimate::update_eta(ProgressState &state, std::optional<double> fraction)
{
	const double interval_s = state.elapsed_s - fraction_s_;
	// From one stage to the next the place may jump, and that is no speed.
	const bool is_new_stage = state.stage != last_stage_;
	last_stage_ = state.stage;
	if (!fraction || !last_fraction_ || is_new_stage || *fraction < *last_fraction_) {
		last_fraction_ = fraction;
		fraction_s_ = state.elapsed_s;
	} else if (interval_s >= least_interval_s) {
		const double speed = (*fraction - *last_fraction_) / interval_s;
		fraction_per_s_ = fraction_per_s_
			? *fraction_per_s_ + renewal(interval_s, eta_memory_s) * (speed - *fraction_per_s_)
			: speed;
		last_fraction_ = fraction;
		fraction_s_ = state.elapsed_s;
	}
	if (!fraction || !fraction_per_s_ || *fraction_per_s_ <= 0 || state.elapsed_s < least_eta_s)
		return;
	const double eta_s = (1 - *fraction) / *fraction_per_s_;
	if (eta_s < longest_eta_s)
		state.eta_s = eta_s;
}

// --- lines ----------------------------------------------------------------------------------

static std::string printed(const char *format, double value)
{
	char text[64];
	std::snprintf(text, sizeof text, format, value);
	return text;
}

// 0:12, 1:02:03
static std::string time_text(double seconds)
{
	const unsigned long s = static_cast<unsigned long>(std::lround(seconds));
	char text[48];
	if (s < 3600)
		std::snprintf(text, sizeof text, "%lu:%02lu", s / 60, s % 60);
	else
		std::snprintf(text, sizeof text, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	return text;
}

// Rounded down: 100 % is the end.
static std::string percent_text(double percent) { return printed("%.0f %%", std::floor(percent)); }

static std::string counts_text(const ProgressState &state)
{
	std::vector<std::string> words;
	if (state.items_total)
		words.push_back(std::to_string(state.items_done) + " of " + std::to_string(state.items_total));
	if (state.files || state.total_files)
		words.push_back(std::to_string(state.files) +
			(state.total_files ? " of " + std::to_string(*state.total_files) : "") +
			(state.files == 1 && !state.total_files ? " file" : " files"));
	if (state.seen > state.files && !state.total_files)
		words.push_back(std::to_string(state.seen) + " seen");
	if (state.bytes || state.total_bytes)
		words.push_back(size_text(static_cast<double>(state.bytes)) +
			(state.total_bytes ? " of " + size_text(static_cast<double>(*state.total_bytes)) : ""));
	if (state.chunks)
		words.push_back(std::to_string(state.chunks) + (state.chunks == 1 ? " chunk" : " chunks"));
	if (state.bytes_per_s >= 1)
		words.push_back(size_text(state.bytes_per_s) + "/s");
	if (state.files_per_s >= 1)
		words.push_back(printed("%.0f files/s", state.files_per_s));
	std::string text;
	for (const std::string &word : words)
		text += (text.empty() ? "" : ", ") + word;
	return text;
}

static std::string stage_text(const ProgressState &state)
{
	const std::string counts = counts_text(state);
	return std::string(state.stage) + (counts.empty() ? "" : ": " + counts);
}

static std::string times_text(const ProgressState &state)
{
	return time_text(state.elapsed_s) + (state.eta_s ? ", " + time_text(*state.eta_s) + " left" : "");
}

static std::string bar_text(double percent)
{
	constexpr std::size_t width = 24;
	const std::size_t filled = std::min<std::size_t>(width, static_cast<std::size_t>(percent / 100 * width));
	std::string bar(filled, '=');
	if (filled < width)
		bar += '>';
	bar.resize(width, ' ');
	return '[' + bar + ']';
}

std::vector<std::string> terminal_lines(const ProgressState &state, int columns)
{
	std::string whole = times_text(state);
	if (state.percent)
		whole = bar_text(*state.percent) + "  " + percent_text(*state.percent) + "   " + whole;
	std::vector<std::string> lines{whole, stage_text(state)};
	for (std::string &line : lines)
		line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(columns, 0))));
	return lines;
}

std::string one_line(const ProgressState &state)
{
	return (state.percent ? percent_text(*state.percent) + ", " : "") + times_text(state) + ", " +
		stage_text(state);
}

// --- JSON -----------------------------------------------------------------------------------

static std::string json_number(std::optional<double> value)
{
	return value && std::isfinite(*value) ? printed("%.3f", *value) : "null";
}

static std::string json_count(std::optional<std::uint64_t> value)
{
	return value ? std::to_string(*value) : "null";
}

std::string json_string(std::string_view text)
{
	std::string escaped;
	for (char c : shown_text(text)) {
		if (c == '"' || c == '\\')
			escaped += '\\';
		escaped += c;
	}
	return '"' + escaped + '"';
}

std::string progress_json(const ProgressState &state, std::optional<int> status)
{
	std::string text = "{\"schema\":1,\"type\":\"";
	text += status ? "done" : "progress";
	text += "\",\"stage\":" + json_string(state.stage);
	const auto add = [&](const char *name, const std::string &value) {
		text += std::string(",\"") + name + "\":" + value;
	};
	add("files", std::to_string(state.files));
	add("bytes", std::to_string(state.bytes));
	add("chunks", std::to_string(state.chunks));
	add("files_seen", std::to_string(state.seen));
	add("total_files", json_count(state.total_files));
	add("total_bytes", json_count(state.total_bytes));
	if (state.items_total) {
		add("items", std::to_string(state.items_done));
		add("total_items", std::to_string(state.items_total));
	}
	add("percent", json_number(state.percent));
	add("stage_percent", json_number(state.stage_percent));
	add("eta_s", json_number(state.eta_s));
	add("bytes_per_s", json_number(state.bytes_per_s));
	add("files_per_s", json_number(state.files_per_s));
	add("elapsed_s", json_number(state.elapsed_s));
	if (status)
		add("status", std::to_string(*status));
	return text + "}\n";
}

std::string message_json(std::string_view type, std::string_view command, std::string_view message,
	std::string_view text, std::optional<int> status)
{
	std::string json = "{\"schema\":1,\"type\":" + json_string(type);
	if (!command.empty())
		json += ",\"command\":" + json_string(command);
	json += ",\"message\":" + json_string(message) + ",\"text\":" + json_string(text);
	if (status)
		json += ",\"status\":" + std::to_string(*status);
	return json + "}\n";
}

// --- showing --------------------------------------------------------------------------------

// What this process has on stderr.
struct Screen {
	std::mutex mutex;
	Progress *shown = nullptr;
	bool is_json = false;
	std::optional<ProgressState> last; // that the end of JSON waits with
};

// Never destroyed: messages may come until the very end.
static Screen &screen()
{
	static Screen &the_screen = *new Screen;
	return the_screen;
}

static void put(const std::string &text)
{
	try {
		write_all(2, bytes_of(text));
	} catch (const Error &) {
		// Nobody looks; that is no reason to stop working.
	}
}

Progress::Progress(Work &work, ShowProgress show, std::vector<ProgressStage> stages)
	: work_(work), estimate_(std::move(stages))
{
	const bool is_shown_to_person = show != ShowProgress::never && show != ShowProgress::json;
	if (show == ShowProgress::json) {
		form_ = Form::json;
	} else if (is_shown_to_person && is_terminal(2)) {
		const char *kind = std::getenv("TERM");
		form_ = kind && *kind && std::string_view(kind) != "dumb" ? Form::terminal : Form::dumb_terminal;
		delay_s_ = show == ShowProgress::automatic ? terminal_delay_s : 0;
	} else if (show == ShowProgress::always) {
		form_ = Form::lines;
	}
	if (form_ == Form::none)
		return;
	{
		std::lock_guard guard(screen().mutex);
		screen().shown = this;
		screen().is_json |= form_ == Form::json;
	}
	work_.watch([this] { show_now(true); });
	// Without one, only what begins is shown.
	if (std::optional<std::thread> started = start_thread([this] { run(); }))
		thread_ = std::move(*started);
}

Progress::~Progress() { finish(); }

void Progress::run()
{
	const bool is_drawing = form_ == Form::terminal || form_ == Form::dumb_terminal;
	// JSON comes at least once a second on a busy machine, too.
	const auto interval = std::chrono::milliseconds(is_drawing ? 100 : form_ == Form::json ? 500 : 1000);
	std::unique_lock lock(screen().mutex);
	while (!changed_.wait_for(lock, interval, [this] { return is_ending_; }))
		show_locked(false);
}

void Progress::show_now(bool is_new_stage)
{
	std::lock_guard guard(screen().mutex);
	show_locked(is_new_stage);
}

void Progress::show_locked(bool is_new_stage)
{
	const double elapsed_s = work_.elapsed_s();
	const ProgressState state = estimate_.look(work_, elapsed_s);
	switch (form_) {
	case Form::none: return;
	case Form::json: put(progress_json(state)); return;
	case Form::lines: put(one_line(state) + '\n'); return;
	case Form::terminal:
	case Form::dumb_terminal: break;
	}
	// A short stage must not make it flicker.
	if (elapsed_s < delay_s_ || (is_new_stage && !drawn_) || !is_foreground(2))
		return;
	// A character in the last column would begin a new line on some terminals.
	const int columns = terminal_columns(2) - 1;
	draw_locked(form_ == Form::terminal
		? terminal_lines(state, columns)
		: std::vector<std::string>{one_line(state).substr(0, static_cast<std::size_t>(std::max(columns, 0)))});
}

// The cursor rests where the first line begins, so that what another program of the same pipeline
// writes pushes the lines away instead of following them.
void Progress::draw_locked(const std::vector<std::string> &lines)
{
	std::string text = "\r";
	if (form_ == Form::terminal) {
		for (std::size_t i = 0; i < lines.size(); i++)
			text += (i ? "\n" : "") + lines[i] + "\x1b[K";
		text += "\x1b[J\r";
		for (std::size_t i = 1; i < lines.size(); i++)
			text += "\x1b[A";
		drawn_ = lines.size();
	} else {
		const std::size_t size = lines[0].size();
		text += lines[0] + std::string(drawn_ > size ? drawn_ - size : 0, ' ') + '\r';
		drawn_ = size;
	}
	put(text);
}

void Progress::erase_locked()
{
	if (drawn_)
		put(form_ == Form::terminal ? "\r\x1b[J" : '\r' + std::string(drawn_, ' ') + '\r');
	drawn_ = 0;
}

void Progress::finish()
{
	if (form_ == Form::none || is_ending_)
		return;
	work_.watch(nullptr);
	{
		std::lock_guard guard(screen().mutex);
		is_ending_ = true;
	}
	changed_.notify_all();
	if (thread_.joinable())
		thread_.join();
	std::lock_guard guard(screen().mutex);
	erase_locked();
	screen().shown = nullptr;
	if (form_ != Form::json)
		return;
	ProgressState last = estimate_.look(work_, work_.elapsed_s());
	last.bytes_per_s = static_cast<double>(last.bytes) / last.elapsed_s;
	last.files_per_s = static_cast<double>(last.files) / last.elapsed_s;
	last.eta_s.reset();
	screen().last = last;
}

MessageTurn::MessageTurn() : lock_(screen().mutex)
{
	if (screen().shown)
		screen().shown->erase_locked();
}

MessageTurn::~MessageTurn() = default;

bool MessageTurn::is_json() const { return screen().is_json; }

void speak_json()
{
	std::lock_guard guard(screen().mutex);
	screen().is_json = true;
}

void end_progress(int status)
{
	std::lock_guard guard(screen().mutex);
	if (!screen().last)
		return;
	ProgressState &last = *screen().last;
	if (status == exit_status::done) {
		last.percent = last.stage_percent = 100;
		last.total_files = last.files;
		last.total_bytes = last.bytes;
	}
	put(progress_json(last, status));
	screen().last.reset();
}

static void (*notice_shower)(std::string_view) = nullptr;

void give_notice(const std::string &text)
{
	if (notice_shower)
		notice_shower(text);
}

void show_notices_by(void (*show)(std::string_view)) { notice_shower = show; }

} // namespace dig
