// How an object is gone on with.  While it comes, the journal notes how far it came, and its origin: the
// digest of the URL, the size and the validator.  The next add of that URL at that path asks dig-fetch-url
// for the rest, on condition of size and validator.  The digest is that of the URL without user and password,
// so that no secret comes into a store and another password makes no other object.
//
// Where the object has changed, or nothing proves that it has not, it is taken from its beginning, some times.
#include "libdig/tool/url_taker.h"

#include "libdig/base/digest.h"
#include "libdig/base/error.h"
#include "libdig/fetch/fetch_frames.h"
#include "libdig/fetch/response_head.h"
#include "libdig/fetch/url.h"
#include "libdig/tool/command.h"

namespace dig {

constexpr int most_beginnings = 5; // an object that changes more often is never whole
constexpr int pipe_size = 1 << 20; // what the system gives without asking

// dig-fetch-url --batch.  The URL goes through a pipe, since anyone can read arguments.
class UrlTaker::Process {
public:
	Process() : child_(command(), Child::pipe, Child::pipe), output_(take_output(child_)), reader_(output_) {}

	void send(const FetchRequest &request) const { write_all(child_.input(), bytes_of(request.text() + '\n')); }
	FrameReader &reader() { return reader_; }
	File output() const { return File::duplicate_of(output_.fd(), output_.name()); }

private:
	static Command command()
	{
		Command words = tool_command("fetch-url");
		if (!find_stat(words[0]))
			throw Error("a URL cannot be added, since this dig was built without libcurl and has no dig-fetch-url");
		words.push_back("--batch");
		return words;
	}
	static File take_output(Child &child)
	{
		child.widen_output(pipe_size);
		File output = File::duplicate_of(child.output(), "the output of dig-fetch-url");
		child.close_output();
		return output;
	}

	Child child_;
	File output_;
	FrameReader reader_;
};

UrlTaker::UrlTaker(Stage &stage) : stage_(stage) {}
UrlTaker::~UrlTaker() = default;

UrlTaker::Process &UrlTaker::process()
{
	if (!process_)
		process_ = std::make_unique<Process>();
	return *process_;
}

void UrlTaker::fail(const std::string &path, const std::string &message)
{
	stage_.failed(path, message);
	stage_.keep_begun();
}

void UrlTaker::take(const std::string &url, const Stage::Stream &stream)
{
	Url parsed;
	try {
		parsed = parse_url(url);
	} catch (const UsageError &error) {
		return fail(stream.path, error.what());
	}
	for (int i = 0; i < most_beginnings; i++) {
		if (take_once(url, parsed.object(), stream))
			return;
		stage_.forget_begun(stream.path);
	}
	stage_.failed(stream.path, "cannot fetch " + quote(parsed.shown()) + ": it has changed at each of " +
		std::to_string(most_beginnings) + " attempts, or was cut without proof that it has not");
}

// Of this object, if it is where the stage has begun.
static FetchRequest request_of(const std::string &url, const std::string &name,
	const std::optional<Stage::BegunStream> &begun)
{
	FetchRequest request;
	request.url = url;
	if (!begun || !begun->origin.starts_with(name))
		return request;
	const std::string rest = begun->origin.substr(name.size()) + '\t' + url;
	return FetchRequest::parse(std::to_string(begun->offset) + ' ' + rest).value_or(request);
}

// False when it has changed meanwhile, so that it has to be taken from its beginning.
bool UrlTaker::take_once(const std::string &url, const std::string &object, const Stage::Stream &stream)
{
	const std::string name = to_hex(digest_of(bytes_of(object))) + ' ';
	const FetchRequest request = request_of(url, name, stage_.find_begun(stream.path));
	std::optional<FetchedObject> fetched;
	try {
		process().send(request);
		fetched = process().reader().begin();
	} catch (const Error &error) {
		check_interrupted();
		process_.reset();
		fail(stream.path, error.what());
		return true;
	}
	if (fetched && fetched->offset != request.offset)
		throw Error("dig-fetch-url begins elsewhere than it was asked to");
	if (fetched)
		return take_object(*fetched, name, stream);
	const FetchEnd &end = process().reader().end();
	if (end.kind == FetchEnd::Kind::changed)
		return false;
	fail(stream.path, end.message);
	return true;
}

bool UrlTaker::take_object(FetchedObject object, const std::string &name, const Stage::Stream &stream)
{
	FrameReader &reader = process().reader();
	bool is_broken = true; // unless a reply has come to its end
	Stage::Stream content;
	content.path = stream.path;
	content.mode = stream.mode;
	content.mtime_ns = stream.mtime_ns;
	content.content = process().output();
	content.size = object.size;
	content.is_resumed = object.offset > 0;
	if (!object.validator.empty())
		content.origin = name + (object.size ? std::to_string(*object.size) : "-") + ' ' + object.validator;
	std::uint64_t left = object.size ? *object.size - object.offset : ~std::uint64_t(0);
	content.next_frame = [&reader, &is_broken, left, object]() mutable -> std::uint64_t {
		const std::uint64_t size = reader.next_frame();
		if (size > left)
			throw Error("dig-fetch-url sends more than it has announced");
		left -= size;
		if (size > 0)
			return size;
		is_broken = false;
		const FetchEnd &end = reader.end();
		if (end.kind == FetchEnd::Kind::changed)
			throw StreamChanged("it has changed");
		if (end.kind == FetchEnd::Kind::failed)
			throw Error(end.message);
		if (object.size && left > 0)
			throw Error("dig-fetch-url sends less than it has announced");
		return size;
	};
	stage_.stream(std::move(content));
	stage_.drain();
	const std::optional<Stage::StreamFailure> failure = stage_.take_stream_failure();
	if (failure && is_broken)
		process_.reset();
	if (failure && failure->has_changed)
		return false;
	if (failure)
		fail(stream.path, failure->message);
	return true;
}

} // namespace dig
