#include <charconv>

#include "libdig/base/byte_size.h"
#include "libdig/base/path_walk.h"
#include "libdig/os/clock.h"
#include "libdig/staging/staged_items.h"
#include "libdig/tool/command.h"
#include "libdig/tool/interruption.h"
#include "libdig/tool/report.h"
#include "libdig/tool/tar_taker.h"
#include "libdig/tool/typed_path.h"
#include "libdig/tool/url_taker.h"
#include "libdig/verbs/near_paths.h"
#include "libdig/verbs/record_taker.h"
#include "libdig/watch/metrics.h"

using namespace dig;

static constexpr char usage[] =
	"dig-update-index --add [-An] [--by-reference] [--reread]\n"
	"                 [--changing=fail|store] [--explain]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]] --stdin\n"
	"dig-update-index --add [-nz] [--by-reference] [--reread]\n"
	"                 [--changing=fail|store] [--explain]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]] --stdin-paths\n"
	"dig-update-index --add --stdin-content --path=PATH [--mode=MODE] [--mtime=T]\n"
	"                 [--checkpoint-every=SIZE|SECONDSs] [--explain]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-update-index --add --from-command --path=PATH [--mode=MODE] [--mtime=T]\n"
	"                 [--explain] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"                 -- COMMAND [ARGUMENT...]\n"
	"dig-update-index --add [-z] --stdin-urls [--mode=MODE] [--mtime=T] [--explain]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-update-index --add --stdin-tar [--path=PATH] [--explain]\n"
	"                 [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"dig-update-index --remove [-z] --stdin-paths | PATH...\n"
	"dig-update-index --index-info [-z] [--replace]";

struct Wishes {
	bool add = false, remove = false, index_info = false, all = false, dry_run = false;
	bool by_reference = false, reread = false, nul = false;
	bool from_records = false, from_paths = false, from_content = false, from_urls = false;
	bool from_command = false, from_tar = false, replace = false;
	std::uint64_t taken = 0, refused = 0; // members of a tar archive
	std::optional<std::string> path, mode, mtime, checkpoint, changing;
	std::vector<std::string> paths;
};

// clock, if there is one, takes the time that is waited for records.
static void take_records(Stage &stage, const File &root, const Wishes &wishes, std::optional<StepClock> clock)
{
	const std::string &here = stage.writer().store().paths().prefix;
	RecordTakerOptions options;
	options.removes = wishes.all;
	options.skipped = [&](const WorkRecord &found) {
		warn(quote(relative_path(found.path, here)) + " is skipped: it is a " + found.kind);
	};
	options.aborted = [] { tell("no removal is staged; the content stored so far is kept for the next add"); };
	RecordTaker taker(stage, root, options);
	RecordReader reader = RecordReader::standard_input(RecordEnd::nul);
	WorkRecord record; // of each text in turn
	std::exception_ptr failure;
	try {
		while (const std::optional<std::string_view> text = reader.next()) {
			if (clock)
				clock->lap(Step::walk);
			parse_work_record(*text, record);
			taker.take(record);
			if (clock)
				clock->restart();
		}
		taker.finish();
	} catch (const Error &) {
		failure = std::current_exception();
	}
	if (!failure)
		return;
	// What arrived was really there: it is kept, without deletions.
	stage.finish();
	std::rethrow_exception(failure);
}

static void take_paths(Stage &stage, const File &root, const Wishes &wishes)
{
	const StorePaths &paths = stage.writer().store().paths();
	RecordReader list = RecordReader::standard_input(record_end(wishes.nul));
	while (const std::optional<std::string> typed = list.next_path()) {
		const std::string path = stored_path(paths, *typed);
		if (const std::string_view problem = path_problem(path); !problem.empty()) {
			stage.failed(path, quote(*typed) + " cannot be stored: " + std::string(problem));
			continue;
		}
		try {
			const std::optional<WorkRecord> record = find_work_record(root, path);
			if (!record)
				stage.failed(path, "cannot open " + quote(*typed) + ": No such file or directory");
			else if (record->type == WorkRecord::Type::skipped)
				warn(quote(*typed) + " is skipped: it is neither file, symlink nor directory");
			else if (record->type != WorkRecord::Type::directory)
				stage.present(*record);
		} catch (const SystemError &error) {
			stage.failed(path, error.what());
		}
	}
}

// "256MB", or "30s".
static void take_checkpoint(const std::string &text, Stage::Stream &stream)
{
	const bool is_time = text.ends_with('s');
	const std::string number = is_time ? text.substr(0, text.size() - 1) : text;
	const bool is_number = !number.empty() && number.size() < 9 &&
		number.find_first_not_of("0123456789") == number.npos;
	if (is_time && is_number && std::stoull(number) > 0) {
		stream.checkpoint_ns = std::stoll(number) * 1000000000;
		return;
	}
	const std::optional<std::uint64_t> size = parse_size(text);
	if (is_time || !size || *size < 64_KiB)
		throw UsageError("--checkpoint-every takes a size from 64KB on, as 256MB, or a time, as 30s");
	stream.checkpoint_bytes = *size;
}

// Mode and time of what has no file.
static Stage::Stream stream_of(const Wishes &wishes)
{
	std::uint16_t mode = 0644;
	if (wishes.mode) {
		const unsigned long value = std::strtoul(wishes.mode->c_str(), nullptr, 8);
		if (wishes.mode->empty() || wishes.mode->find_first_not_of("01234567") != std::string::npos || value > 07777)
			throw UsageError("--mode takes an octal mode of at most 7777");
		mode = static_cast<std::uint16_t>(value);
	}
	std::optional<std::int64_t> mtime;
	if (wishes.mtime) {
		char *end;
		// Beyond its range it gives the nearest.
		const long long seconds = std::strtoll(wishes.mtime->c_str(), &end, 10);
		if (wishes.mtime->empty() || *end)
			throw UsageError("--mtime takes seconds since 1970");
		mtime = nanoseconds_of({static_cast<time_t>(seconds), 0});
	}
	Stage::Stream stream;
	stream.mode = mode;
	stream.mtime_ns = mtime;
	return stream;
}

static void take_content(Stage &stage, const Wishes &wishes)
{
	const StorePaths &paths = stage.writer().store().paths();
	Stage::Stream stream = stream_of(wishes);
	stream.path = stored_path(paths, *wishes.path);
	if (wishes.checkpoint)
		take_checkpoint(*wishes.checkpoint, stream);
	if (!wishes.from_command) {
		stream.content = File::standard_input();
		stage.stream(std::move(stream));
		return;
	}
	Child child(Command(wishes.paths.begin(), wishes.paths.end()), Child::inherit, Child::pipe);
	stream.content = File::duplicate_of(child.output(), wishes.paths[0]);
	child.close_output();
	stage.stream(std::move(stream));
	stage.drain();
	const int status = child.wait();
	check_interrupted();
	if (status == 0)
		return;
	stage.give_up();
	throw Error(quote(wishes.paths[0]) + " ended with status " + std::to_string(status) +
		"; nothing of " + quote(*wishes.path) + " is staged");
}

// Lines URL TAB PATH.
static void take_urls(Stage &stage, const Wishes &wishes)
{
	const StorePaths &paths = stage.writer().store().paths();
	Stage::Stream stream = stream_of(wishes);
	UrlTaker taker(stage);
	RecordReader list = RecordReader::standard_input(record_end(wishes.nul));
	while (const std::optional<std::string_view> line = list.next()) {
		const std::size_t tab = line->find('\t');
		if (tab == line->npos)
			throw Error("a line is not 'URL TAB PATH'; for one file on standard input give its --path=PATH");
		const std::string url(line->substr(0, tab)), path(line->substr(tab + 1));
		const std::string typed = wishes.nul ? path : unquoted_record(path);
		stream.path = stored_path(paths, typed);
		if (const std::string_view problem = path_problem(stream.path); !problem.empty())
			stage.failed(stream.path, quote(typed) + " cannot be stored: " + std::string(problem));
		else
			taker.take(url, stream);
	}
}

// Damage ends it; the members before are staged.
static void take_tar(Stage &stage, Wishes &wishes)
{
	const File input = File::standard_input();
	TarTaker taker(stage, input, stored_path(stage.writer().store().paths(), wishes.path.value_or(".")));
	std::exception_ptr failure;
	try {
		taker.take_all();
	} catch (const Error &error) {
		if (error.status() == exit_status::interrupted)
			throw;
		failure = std::current_exception();
	}
	taker.finish();
	wishes.taken = taker.taken_count();
	wishes.refused = taker.refused_count();
	if (!failure)
		return;
	stage.finish();
	if (wishes.taken > 0)
		tell("the members before the damage are staged; 'dig reset' drops them");
	std::rethrow_exception(failure);
}

static void remove_path(Stage &stage, const std::string &typed)
{
	const StorePaths &paths = stage.writer().store().paths();
	const std::string path = stored_path(paths, typed);
	bool is_tracked = false;
	each_within(stage.cursor(), path, [&](const IndexCursor &at) {
		if (at.current()->is_removed)
			return;
		is_tracked = true;
		stage.remove(at.current()->entry.path);
	});
	if (!is_tracked)
		stage.failed(path, quote(typed) + " is not in the index" + did_you_mean_path(stage.index(), path));
}

// mode SP size SP file-root [SP time] [SP sha256=digest] [SP changed] [SP blocks=digest] TAB path
class InfoLine {
public:
	InfoLine(std::string_view line, bool nul) : line_(line)
	{
		const std::size_t tab = line.find('\t');
		if (tab == line.npos)
			fail("a field is missing");
		fields_ = line.substr(0, tab);
		take_mode();
		take_size();
		take_root();
		while (!fields_.empty())
			take_more();
		const std::string_view path = line.substr(tab + 1);
		record_.entry.path = nul ? std::string(path) : unquoted_record(path);
		if (const std::string_view problem = path_problem(record_.entry.path); !problem.empty())
			fail(problem);
		check_kind();
	}

	void put_into(Stage &stage) { stage.put_known_root(std::move(record_), root_); }

private:
	[[noreturn]] void fail(std::string_view why) const
	{
		throw Error(quote(line_) + " is not 'mode SP size SP file-root [SP time] TAB path': " + std::string(why));
	}

	std::string take_field()
	{
		if (fields_.empty())
			fail("a field is missing");
		const std::size_t end = std::min(fields_.find(' '), fields_.size());
		std::string field(fields_.substr(0, end));
		fields_.remove_prefix(std::min(end + 1, fields_.size()));
		return field;
	}

	void take_mode()
	{
		const std::string mode = take_field();
		if (mode.empty() || mode.find_first_not_of("01234567") != mode.npos || mode.size() > 7)
			fail("the mode is not octal");
		const unsigned long bits = std::strtoul(mode.c_str(), nullptr, 8);
		record_.is_removed = bits == 0;
		record_.entry.mode = bits & 07777;
		switch (bits & 0170000) {
		case 0:
		case 0100000: record_.entry.kind = EntryKind::file; break;
		case 0120000: record_.entry.kind = EntryKind::symlink; break;
		case 0040000: record_.entry.kind = EntryKind::empty_directory; break;
		default: fail("the mode is that of no file, symlink or directory");
		}
	}

	void take_size()
	{
		const std::string size = take_field();
		if (size.empty() || size.find_first_not_of("0123456789") != size.npos || size.size() > 19)
			fail("the size is no number");
		record_.entry.size = std::stoull(size);
	}

	void take_root()
	{
		root_ = parse_digest(take_field());
		if (!root_)
			fail("the file root has not 64 digits");
	}

	void take_digest(std::uint16_t type, std::string_view text)
	{
		const std::optional<Digest> digest = parse_digest(text);
		if (!digest)
			fail("the digest has not 64 digits");
		add_attribute(type, digest->bytes);
	}

	void add_attribute(std::uint16_t type, Bytes value)
	{
		if (type <= last_attribute_)
			fail("the fields are not in the order sha256=, changed, blocks=");
		last_attribute_ = type;
		record_.entry.add_attribute(type, value);
	}

	void take_more()
	{
		const std::string field = take_field();
		if (field.starts_with("sha256="))
			return take_digest(file_digest_attribute, field.substr(7));
		if (field.starts_with("blocks="))
			return take_digest(block_tree_attribute, field.substr(7));
		if (field == "changed")
			return add_attribute(changed_while_read_attribute, {});
		std::int64_t time = 0;
		const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), time);
		if (error != std::errc() || end != field.data() + field.size() || record_.entry.mtime_ns)
			fail("the time is no number of nanoseconds");
		record_.entry.mtime_ns = time;
	}

	void check_kind()
	{
		Entry &entry = record_.entry;
		if (record_.is_removed) {
			root_.reset();
			entry.size = 0;
			return;
		}
		if (entry.kind == EntryKind::symlink) {
			if (entry.mode != 0 && entry.mode != 0777)
				fail("a symbolic link has the mode 120777");
			if (entry.size == 0 || entry.size > max_link_size)
				fail("the text of a symbolic link has 1 to " + std::to_string(max_link_size) + " bytes");
			entry.mode = 0777;
		}
		if (entry.kind == EntryKind::empty_directory && entry.size > 0)
			fail("a directory has no content");
	}

	std::string_view line_, fields_;
	IndexRecord record_;
	std::uint16_t last_attribute_ = 0;
	std::optional<Digest> root_;
};

static void take_info(Stage &stage, const Wishes &wishes)
{
	if (wishes.replace)
		stage.replace_all();
	RecordReader list = RecordReader::standard_input(record_end(wishes.nul));
	while (const std::optional<std::string_view> line = list.next())
		InfoLine(*line, wishes.nul).put_into(stage);
}

static std::string interruption_text(const StorePaths &paths, const Wishes &wishes)
{
	std::string text = "interrupted";
	if (wishes.dry_run)
		return text;
	if (wishes.path && !wishes.from_tar)
		text += (wishes.checkpoint ? "; only the checkpoints of " : "; nothing of ") + quote(*wishes.path) +
			(wishes.checkpoint ? " are staged" : " is staged");
	const std::uint64_t bytes = find_unfinished_adds(paths.staging()).bytes;
	if (bytes > 0)
		text += "; " + size_text(static_cast<double>(bytes)) + " are kept, and the same command continues";
	return text;
}

static void add_options(Options &options, Wishes &wishes)
{
	options.flag("add", 0, wishes.add, "take content into the staging area")
		.flag("remove", 0, wishes.remove, "stage removals")
		.flag("index-info", 0, wishes.index_info, "stage content that is stored already")
		.flag("replace", 0, wishes.replace, "remove all paths that are not in the list")
		.flag("all", 'A', wishes.all, "stage the removal of files that are gone")
		.flag("dry-run", 'n', wishes.dry_run, "only print what would be done")
		.flag("by-reference", 0, wishes.by_reference, "leave the content where it is until the commit")
		.flag("reread", 0, wishes.reread, "also read files that seem unchanged")
		.value("changing", 0, wishes.changing, "fail|store", "how to treat files that change while read")
		.flag("stdin", 0, wishes.from_records, "read the records of dig-ls-work")
		.flag("stdin-paths", 0, wishes.from_paths, "read paths")
		.flag("stdin-content", 0, wishes.from_content, "read one file's content")
		.flag("stdin-urls", 0, wishes.from_urls, "read URLs and paths, and fetch their content")
		.flag("stdin-tar", 0, wishes.from_tar, "read a tar archive")
		.flag("", 'z', wishes.nul, "lines and paths end with NUL")
		.flag("from-command", 0, wishes.from_command, "the content is the output of a command")
		.value("path", 0, wishes.path, "PATH", "the path of that content, or that members of the archive go below")
		.value("mode", 0, wishes.mode, "MODE", "its mode, octal; 644 by default")
		.value("mtime", 0, wishes.mtime, "T", "its time, seconds since 1970; none by default")
		.value("checkpoint-every", 0, wishes.checkpoint, "SIZE|SECONDSs", "make the input received so far durable")
		.positional(wishes.paths);
}

static void check_wishes(const Wishes &wishes)
{
	if (wishes.add + wishes.remove + wishes.index_info != 1)
		throw UsageError("give one of --add, --remove and --index-info");
	const int inputs = wishes.from_records + wishes.from_paths + wishes.from_content + wishes.from_command +
		wishes.from_urls + wishes.from_tar;
	if (wishes.add && inputs != 1)
		throw UsageError("--add needs one of --stdin, --stdin-paths, --stdin-content, --from-command, "
			"--stdin-urls and --stdin-tar");
	if (wishes.from_tar && (wishes.all || wishes.dry_run || wishes.by_reference || wishes.nul || wishes.mode ||
		wishes.mtime))
		throw UsageError("only --path goes with --stdin-tar");
	if (wishes.from_urls && (!wishes.add || wishes.all || wishes.dry_run || wishes.by_reference))
		throw UsageError("--stdin-urls goes with --add, and without -A, -n and --by-reference");
	if (!wishes.from_tar && (wishes.from_content || wishes.from_command) != wishes.path.has_value())
		throw UsageError("--path=PATH is needed with --stdin-content and --from-command, and goes with these and "
			"--stdin-tar only");
	const bool takes_files = wishes.add && (wishes.from_records || wishes.from_paths);
	if ((wishes.reread || wishes.changing) && !takes_files)
		throw UsageError("--reread and --changing go with --add and --stdin or --stdin-paths");
	if (wishes.changing && *wishes.changing != "fail" && *wishes.changing != "store")
		throw UsageError("--changing is 'fail' or 'store'");
	if (wishes.by_reference && wishes.changing == "store")
		throw UsageError("--changing=store stores content, and --by-reference leaves it in the work tree");
	if (wishes.checkpoint && !wishes.from_content)
		throw UsageError("--checkpoint-every goes with --stdin-content only: a command that fails must leave "
			"nothing staged");
	if (wishes.from_command && wishes.paths.empty())
		throw UsageError("--from-command needs '-- COMMAND'");
	if ((wishes.add || wishes.index_info) && !wishes.from_command && !wishes.paths.empty())
		throw UsageError("paths come from standard input");
	if (wishes.replace && !wishes.index_info)
		throw UsageError("--replace goes with --index-info");
	if (wishes.remove && wishes.from_paths == !wishes.paths.empty())
		throw UsageError("--remove needs paths or --stdin-paths");
}

static StageOptions stage_options(const Wishes &wishes, const std::string &here, Work &work)
{
	StageOptions options;
	options.is_by_reference = wishes.by_reference;
	options.is_rereading = wishes.reread;
	options.takes_changing = wishes.changing == "store";
	options.is_dry_run = wishes.dry_run;
	options.tell = [&](std::string_view what, const std::string &path) {
		standard_output().write(what);
		standard_output().write(" ");
		standard_output().record_path(wishes.nul ? path : relative_path(path, here));
	};
	options.work = &work;
	return options;
}

static void take(Stage &stage, Wishes &wishes, std::optional<StepClock> clock)
{
	const File root = File::open_with(stage.writer().store().paths().get_work_tree(), O_RDONLY | O_DIRECTORY);
	if (wishes.from_records)
		take_records(stage, root, wishes, std::move(clock));
	else if (wishes.add && wishes.from_paths)
		take_paths(stage, root, wishes);
	else if (wishes.from_content || wishes.from_command)
		take_content(stage, wishes);
	else if (wishes.from_tar)
		take_tar(stage, wishes);
	else if (wishes.from_urls)
		take_urls(stage, wishes);
	else if (wishes.index_info)
		take_info(stage, wishes);
	for (const std::string &path : wishes.remove ? wishes.paths : std::vector<std::string>())
		remove_path(stage, path);
	if (wishes.remove && wishes.from_paths) {
		RecordReader list = RecordReader::standard_input(record_end(wishes.nul));
		while (const std::optional<std::string> path = list.next_path())
			remove_path(stage, *path);
	}
}

// What was staged otherwise than it may be expected, and what was not.
static void tell_exceptions(const Stage &stage, const std::vector<JournalFailure> &failures, const std::string &here)
{
	for (const std::string &path : stage.mixed())
		warn(quote(relative_path(path, here)) + " changed while it was read; it is stored as it was read, and marked");
	if (stage.clamped_times() > 0) {
		const std::string more = " and of " + std::to_string(stage.clamped_times() - 1) + " more";
		warn("the time of " + quote(relative_path(stage.first_clamped(), here)) +
			(stage.clamped_times() > 1 ? more : "") +
			" lies outside of the years 1677 to 2262; the nearest possible time is recorded");
	}
	for (const JournalFailure &failure : failures)
		tell_error(relative_message(failure.message, failure.path, here));
}

// Members of an archive that later ones leave no place for.
static void tell_displaced(const IndexUpdate::Displaced &displaced, const std::string &here)
{
	if (displaced.count == 0)
		return;
	const std::string more = " and " + std::to_string(displaced.count - 1) + " more are";
	warn(quote(relative_path(displaced.first, here)) + (displaced.count > 1 ? more : " is") +
		" not staged: what came later needs the place");
}

static std::string summary_of(const Stage &stage, const Work &work)
{
	const auto size = [](const Counter &bytes) { return size_text(static_cast<double>(bytes.get())); };
	return counted(work.files.get(), "file") + ", " + size(work.bytes) + ", " + size(work.new_bytes) + " new, " +
		size(work.stored_bytes) + " stored" +
		(stage.removed_count() ? ", " + std::to_string(stage.removed_count()) + " removed" : "");
}

static int update_index(Options &options)
{
	Wishes wishes;
	Report report;
	add_options(options, wishes);
	report.add_to(options);
	report.add_explain_to(options);
	report.add_summary_to(options);
	options.parse();
	check_wishes(wishes);
	standard_output().set_end(record_end(wishes.nul));
	Store store(get_store());
	raise_file_limit();
	if (wishes.dry_run)
		report.yield_terminal();
	Work &work = report.begin({{"take", 95}, {"finish", 5, false}});
	Stage stage(store, stage_options(wishes, store.paths().prefix, work));
	const InterruptionNotice notice([&] { return interruption_text(store.paths(), wishes); });
	take(stage, wishes, report.is_timed() ? std::optional<StepClock>(work) : std::nullopt);
	const std::vector<JournalFailure> &failures = stage.finish();
	report.finish();
	tell_exceptions(stage, failures, store.paths().prefix);
	if (wishes.from_tar)
		tell_displaced(stage.displaced(), store.paths().prefix);
	const bool took_any = stage.staged_count() + stage.unchanged_count() > 0;
	// Of a work tree, what did not change was taken before; a name that is wrong was never there.
	const bool is_partial = took_any || (wishes.from_records && stage.recorded_failure_count() > 0);
	if (wishes.refused > 0 && wishes.taken == 0)
		return exit_status::failed;
	if (!failures.empty() && !is_partial)
		return wishes.from_urls ? exit_status::network : exit_status::failed;
	report.summarise(summary_of(stage, work));
	const bool is_whole = failures.empty() && wishes.refused == 0 && !(wishes.from_tar && stage.displaced().count > 0);
	return is_whole ? exit_status::done : exit_status::partial;
}

int dig_update_index_main(int argc, char **argv) { return run(argc, argv, usage, update_index); }
