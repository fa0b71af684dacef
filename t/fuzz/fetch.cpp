// Targets for what comes from servers, and for URLs.
#include "libdig/fetch/fetch_frames.h"
#include "libdig/fetch/object_judge.h"
#include "libdig/fetch/s3_listing.h"
#include "libdig/fetch/url.h"
#include "libdig/fetch/validator.h"
#include "t/fuzz/fuzz.h"

namespace dig {

static std::vector<Buffer> url_seeds()
{
	return {seed("https://me:pass%20word@host.example:8080/a/%C3%A4?b=c#d"), seed("s3://bucket/key with ? and #"),
		seed("ssh://me@[::1]/path%20here"), seed("file:///tmp/x"), seed("sftp://host/a%2Fb")};
}

static void run_url(Bytes input)
{
	const std::string_view text = text_of(input);
	if (const std::optional<std::string> decoded = percent_decoded(text))
		require(percent_decoded(percent_encoded(*decoded, "")) == decoded, "what is encoded is decoded to the same");
	const Url url = parse_url(text);
	require(is_url(text) && parse_url(url.object()).object() == url.object(), "an object's URL names the same object");
	require(url.object().find_first_of("\n\r\t") == std::string::npos, "a URL is one line");
	require(!url.host.starts_with('-') && (!url.user || url.scheme != Url::Scheme::ssh || !url.user->starts_with('-')),
		"no part is an option");
}

static std::vector<Buffer> head_seeds()
{
	return {seed("HTTP/1.1 206 Partial Content\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\nContent-Range: bytes 5-9/10\r\n"
		     "Content-Length: 5\r\nETag: \"x\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"),
		seed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 7\r\n\r\nHTTP/1.1 416 x\r\n"
		     "Content-Range: bytes */10\r\nx-amz-bucket-region: eu-1\r\n\r\n")};
}

static void run_head(Bytes input)
{
	ResponseHead head;
	for (std::string_view text = text_of(input); !text.empty();) {
		const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
		head.take_line(text.substr(0, end));
		text.remove_prefix(end);
	}
	require(head.validator().empty() || is_validator(head.validator()), "what an answer gives is a validator");
	require(head.validator().empty() || head.is_of(head.validator()), "an answer is of its own validator");
	ObjectJudge judge({"u", 5, {}, ""}, 0);
	const JudgedAnswer answer = judge.judge(head, {5, 10});
	if (answer.kind == JudgedAnswer::Kind::taken)
		require(judge.known()->offset == 5 && (answer.is_whole || *answer.end <= 10), "it is of the part that was asked for");
}

static std::vector<Buffer> reply_seeds()
{
	return {seed(std::string_view("object 7 2 etag:\"x\"\n\5\0\0\0hello\0\0\0\0done\n", 38)),
		seed("failed because\nchanged\n"), seed("0 7 date:Sun, 06 Nov 1994 08:49:37 GMT\tu")};
}

static void run_reply(Bytes input)
{
	if (const std::optional<FetchRequest> request = FetchRequest::parse(text_of(input)))
		require(FetchRequest::parse(request->text())->text() == request->text(), "a request is read as it is written");
	File file = file_of(input);
	FrameReader reader(file);
	Buffer frame;
	for (;;) {
		if (!reader.begin())
			continue;
		while (const std::uint64_t size = reader.next_frame()) {
			frame.resize(size);
			if (file.read(frame) < size)
				return;
		}
	}
}

static std::vector<Buffer> listing_seeds()
{
	return {seed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns='x'><Name>b</Name>"
		     "<Contents><Key>a/b&amp;&#xe9;</Key><Owner><ID>1</ID></Owner><Size>17</Size></Contents>"
		     "<Contents><Size>0</Size><Key>c</Key></Contents>"
		     "<IsTruncated>true</IsTruncated><NextContinuationToken>t&quot;</NextContinuationToken>"
		     "</ListBucketResult>"),
		seed("<ListBucketResult><IsTruncated>false</IsTruncated><a b=\"c\"/></ListBucketResult>\n")};
}

static void run_listing(Bytes input)
{
	const S3Listing listing = parse_s3_listing(text_of(input));
	require(!listing.is_truncated || !listing.next.empty(), "it is known how to go on");
	for (const S3Listing::Object &object : listing.objects)
		require(object.key.size() <= 1024 && object.key.find('\0') == std::string::npos, "keys have limits");
}

const std::vector<FuzzTarget> fetch_targets = {
	{"url", "", url_seeds, run_url, nullptr},
	{"response-head", "", head_seeds, run_head, nullptr},
	{"fetch-reply", "", reply_seeds, run_reply, nullptr},
	{"s3-listing", "", listing_seeds, run_listing, nullptr},
};

} // namespace dig
