// dig-cat: content, of a path in a state or of a chunk, whole or a range of it.
#include "libdig/base/path.h"
#include "libdig/staging/staged_items.h"
#include "libdig/store/read_pipeline.h"
#include "libdig/store/state_names.h"
#include "libdig/tool/command.h"
#include "libdig/tool/content_batch.h"
#include "libdig/tool/layer_at.h"
#include "libdig/tool/report.h"
#include "libdig/verbs/near_paths.h"

using namespace dig;

static constexpr char usage[] =
	"dig-cat [--range=a-b] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"        ROOT:PATH|LAYER:PATH|CHUNK-ID\n"
	"dig-cat [-z] [--progress[=WHEN]] [--metrics[=FILE]] --batch\n"
	"dig-cat [-z] [--buffer] [--progress[=WHEN]] [--metrics[=FILE]]\n"
	"        --batch-command|--batch-check";

// In a reply, "corrupt" can only be said before the first byte: content up to this size is held
// back until all of it is known to be good.
constexpr std::uint64_t held_back_size = 4_MiB;

// Why there is nothing to show; the second word of a reply.
class NotThere : public Error {
public:
	NotThere(const std::string &message, const char *reply) : Error(message), reply_(reply) {}
	const char *reply() const { return reply_; }

private:
	const char *reply_;
};

// What a request names: content by its entry, or the bytes of a chunk.
struct Content {
	Digest digest;
	std::uint64_t size = 0;
	Entry entry;
	std::optional<Buffer> chunk;
};

class Reader {
public:
	explicit Reader(Work &work, const std::shared_ptr<Layer> &alone = nullptr)
		: work_(work), store_(alone ? Store(alone) : Store(get_store())), pipeline_(store_, work)
	{
		if (alone)
			return;
		roots_ = roots_stat();
		store_.set_extra_items([this](ItemKind kind, const Digest &digest) {
			return find_staged_item(store_.paths(), kind, digest);
		});
	}

	Content find(std::string_view name)
	{
		if (const std::optional<StatePath> named = split_state_path(name))
			return find_path(named->state, named->path);
		const std::optional<Digest> digest = parse_digest(name);
		if (!digest)
			throw NotThere(quote(name) + " is neither ROOT:PATH nor the 64 digits of a chunk", "missing");
		Content content;
		content.digest = *digest;
		content.chunk = store_.find_item_anywhere(ItemKind::chunk, *digest);
		if (!content.chunk)
			throw NotThere("chunk " + std::string(name) + " is not in this store", "missing");
		content.size = content.chunk->size();
		return content;
	}

	void read(const Content &content, const ByteRange::Extent &extent, const ReadPipeline::Take &take)
	{
		if (!content.chunk)
			pipeline_.read(content.entry, extent, take);
		else if (extent.size > 0)
			take(Bytes(*content.chunk).subspan(extent.offset, extent.size));
		work_.files.add();
		work_.cache_hits.set(store_.cache().hits());
		work_.cache_misses.set(store_.cache().misses());
	}

	// For people: a request that finds nothing costs more then.
	void suggest() { suggests_ = true; }

	// HEAD is another one after a commit.
	void follow_commits()
	{
		const std::optional<FileStat> now = roots_stat();
		if (now && roots_ && is_same_content(*now, *roots_))
			return;
		roots_ = now;
		store_.reload();
	}

private:
	std::optional<FileStat> roots_stat() const { return find_stat(store_.paths().roots()); }

	RootName resolve(std::string_view root)
	{
		try {
			return store_.resolve(root);
		} catch (const AmbiguousRoot &error) {
			throw NotThere(error.what(), "ambiguous");
		} catch (const CorruptError &) {
			throw;
		} catch (const Error &error) {
			throw NotThere(error.what(), "missing");
		}
	}

	Content find_path(std::string_view root, std::string_view typed)
	{
		const std::string shown = quote(typed) + " is ";
		const TreeRoot manifest = store_.manifest(resolve(root).generation);
		std::string path;
		try {
			path = typed.empty() ? "" : normalised_path(typed, "", "/");
		} catch (const Error &error) {
			throw NotThere(error.what(), "missing");
		}
		if (path.empty())
			throw NotThere(shown + "the top directory of " + std::string(root), "missing");
		TreeCursor cursor(TreeKind::manifest, manifest, store_.nodes());
		cursor.seek(path);
		if (!cursor.at_end() && cursor.path() == path)
			return content_of(cursor.entry(), shown);
		cursor.seek(path + "/");
		if (!cursor.at_end() && is_within(cursor.path(), path))
			throw NotThere(shown + "a directory", "missing");
		throw NotThere(shown + "not in " + std::string(root) +
			(suggests_ ? did_you_mean_path(manifest, store_.nodes(), path) : ""), "missing");
	}

	static Content content_of(Entry entry, const std::string &shown)
	{
		if (entry.kind == EntryKind::empty_directory)
			throw NotThere(shown + "a directory", "missing");
		if (!entry.is_known_kind())
			throw NotThere(shown + "of a kind that this dig does not know", "missing");
		Content content;
		content.digest = entry.file_root();
		content.size = entry.size;
		content.entry = std::move(entry);
		return content;
	}

	Work &work_;
	Store store_;
	ReadPipeline pipeline_;
	std::optional<FileStat> roots_;
	bool suggests_ = false;
};

static ByteRange::Extent extent_of(const std::optional<ByteRange> &range, std::uint64_t size)
{
	try {
		return range ? range->resolve(size) : ByteRange::Extent{0, size};
	} catch (const Error &error) {
		throw NotThere(error.what(), "missing");
	}
}

static void write_out(Bytes bytes) { standard_output().write(bytes); }

// Somebody may wait for each reply, but not in a file.
static bool output_is_awaited()
{
	File output(1, "standard output");
	const FileType type = output.stat().type;
	output.release();
	return type != FileType::regular;
}

// A request of --batch: a name and, behind a TAB, a range.
class Batch {
public:
	Batch(bool nul, Work &work) : reader_(work), nul_(nul) { standard_output().set_end(record_end(nul)); }

	void answer_all()
	{
		RecordReader requests = RecordReader::standard_input(record_end(nul_));
		while (const std::optional<std::string_view> request = requests.next()) {
			answer(*request);
			if (is_awaited_)
				standard_output().flush();
		}
	}

private:
	struct Request {
		std::string name;
		std::optional<ByteRange> range;
	};

	Request parse(std::string_view text) const
	{
		Request request;
		// With -z, a path may end in this way.
		const std::size_t tab = nul_ ? text.npos : text.rfind('\t');
		if (tab != text.npos && (request.range = parse_byte_range(text.substr(tab + 1))))
			text = text.substr(0, tab);
		try {
			request.name = nul_ ? std::string(text) : unquoted_record(text);
		} catch (const Error &error) {
			throw NotThere(error.what(), "missing");
		}
		return request;
	}

	void answer(std::string_view text)
	{
		const char *reply;
		try {
			reader_.follow_commits();
			const Request request = parse(text);
			const Content content = reader_.find(request.name);
			send(content, extent_of(request.range, content.size));
			return;
		} catch (const NotThere &error) {
			reply = error.reply();
		} catch (const Error &error) {
			// Behind the head of a reply, nothing but its bytes could be said.
			if (has_begun_ || error.status() != exit_status::corrupt)
				throw;
			reply = "corrupt";
		}
		standard_output().record(std::string(text) + ' ' + reply);
	}

	void send(const Content &content, const ByteRange::Extent &extent)
	{
		has_begun_ = false;
		const std::string head = to_hex(content.digest) + ' ' + std::to_string(extent.size);
		if (extent.size <= held_back_size) {
			held_.clear();
			reader_.read(content, extent, [&](Bytes bytes) { append(held_, bytes); });
			standard_output().record(head);
			write_out(held_);
		} else {
			has_begun_ = true;
			standard_output().record(head);
			reader_.read(content, extent, write_out);
			has_begun_ = false;
		}
		standard_output().record("");
	}

	Reader reader_;
	bool nul_, is_awaited_ = output_is_awaited();
	bool has_begun_ = false;
	Buffer held_;
};

// --batch-command and --batch-check.
static int answer_requests(Report &report, const BatchOptions &options)
{
	Work &work = report.begin({{"read", 1}});
	work.begin_stage("read");
	Store store(get_store());
	store.set_extra_items([&store](ItemKind kind, const Digest &digest) {
		return find_staged_item(store.paths(), kind, digest);
	});
	RecordReader requests = RecordReader::standard_input(record_end(options.nul));
	ContentBatch(store, work, options).answer(requests, standard_output());
	report.finish();
	return exit_status::done;
}

static int cat(Options &options)
{
	bool is_batch = false, is_command = false, nul = false;
	BatchOptions batch;
	std::optional<ByteRange> range;
	std::vector<std::string> names;
	Report report;
	report.add_to(options)
		.flag("batch", 0, is_batch, "answer the requests on standard input")
		.flag("batch-command", 0, is_command, "obey the commands on standard input")
		.flag("batch-check", 0, batch.is_check, "print kind and size of the names on standard input")
		.flag("buffer", 0, batch.is_buffered, "with these two: replies may wait for \"flush\"")
		.flag("", 'z', nul, "with --batch...: requests and replies end with NUL")
		.value("range", 0, range, "a-b", "only these bytes: a-b, a- or -n")
		.positional(names, 0, 1)
		.parse();
	if (is_batch + is_command + batch.is_check > 1)
		throw UsageError("only one of --batch, --batch-command and --batch-check can be given");
	if ((is_batch || is_command || batch.is_check) && (!names.empty() || range))
		throw UsageError("--batch takes names and ranges from standard input");
	batch.nul = nul;
	if (is_command || batch.is_check)
		return answer_requests(report, batch);
	if (batch.is_buffered)
		throw UsageError("--buffer goes with --batch-command and --batch-check only");
	if (is_batch) {
		Work &work = report.begin({{"read", 1}});
		work.begin_stage("read");
		work.has_cache = true;
		Batch(nul, work).answer_all();
		report.finish();
		return exit_status::done;
	}
	if (names.empty())
		throw UsageError("no content named");
	if (nul)
		throw UsageError("-z goes with --batch only");
	report.yield_terminal();
	Work &work = report.begin({{"find", 1, false}, {"read", 99}});
	work.has_cache = true;
	work.begin_stage("find");
	const std::optional<LayerName> layer = layer_in(names[0]);
	Reader reader(work, layer ? open_layer_at(layer->place) : nullptr);
	reader.suggest();
	const Content content = reader.find(layer ? "HEAD:" + layer->path : names[0]);
	const ByteRange::Extent extent = extent_of(range, content.size);
	work.begin_stage("read", {.bytes = extent.size});
	reader.read(content, extent, write_out);
	report.finish();
	return exit_status::done;
}

int dig_cat_main(int argc, char **argv) { return run(argc, argv, usage, cat); }
