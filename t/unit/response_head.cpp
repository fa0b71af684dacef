#include "libdig/fetch/response_head.h"

#include <boost/test/unit_test.hpp>

using namespace dig;

namespace {

ResponseHead head_of(std::initializer_list<const char *> lines)
{
	ResponseHead head;
	for (const char *line : lines)
		head.take_line(std::string(line) + "\r\n");
	return head;
}

} // namespace

BOOST_AUTO_TEST_SUITE(response_head)

BOOST_AUTO_TEST_CASE(a_status_line_begins_anew)
{
	const ResponseHead head = head_of({"HTTP/1.1 302 Found", "Content-Length: 7", "ETag: \"a\"", "",
		"HTTP/1.1 206 Partial Content", "content-RANGE:  bytes 5-9/10 ", "Retry-After: 3", ""});
	BOOST_TEST(head.is_complete());
	BOOST_TEST(head.status() == 206);
	BOOST_TEST(!head.length().has_value());
	BOOST_TEST(head.validator() == "");
	BOOST_TEST(head.range()->first.value() == 5U);
	BOOST_TEST(head.range()->last.value() == 9U);
	BOOST_TEST(head.range()->total.value() == 10U);
	BOOST_TEST(head.retry_after().value() == 3U);
}

BOOST_AUTO_TEST_CASE(a_validator_is_the_etag_or_else_the_date)
{
	const char *modified = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT";
	const char *date = "Date: Mon, 07 Nov 1994 08:49:37 GMT";
	BOOST_TEST(head_of({"HTTP/1.1 200 OK", "ETag: \"x\"", modified, date}).validator() == "etag:\"x\"");
	const ResponseHead weak = head_of({"HTTP/1.1 200 OK", "ETag: W/\"x\"", modified, date});
	BOOST_TEST(weak.validator() == "date:Sun, 06 Nov 1994 08:49:37 GMT");
	BOOST_TEST(weak.is_of("date:Sun, 06 Nov 1994 08:49:37 GMT"));
	BOOST_TEST(!weak.is_of("etag:\"x\""));
	BOOST_TEST(head_of({"HTTP/1.1 200 OK", modified}).validator() == "");
}

BOOST_AUTO_TEST_CASE(ranges_are_checked)
{
	for (const char *text : {"bytes 0-0/1", "BYTES 0-4/*", "bytes */7"})
		BOOST_TEST(parse_content_range(text).has_value(), text);
	for (const char *text : {"", "bytes", "bytes 1-0/5", "bytes 0-5/5", "bytes -5/7", "bytes 0-/7", "bytes */*",
		"items 0-1/2", "bytes 0-1", "bytes 0-1/x", "bytes 0-9999999999999999999/99999999999999999999"})
		BOOST_TEST(!parse_content_range(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(contradictions_and_floods_are_refused)
{
	BOOST_CHECK_THROW(head_of({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6"}), FetchError);
	BOOST_CHECK_THROW(head_of({"HTTP/1.1 200 OK", "Content-Length: -5"}), FetchError);
	BOOST_CHECK_THROW(head_of({"HTTP/1.1 200 OK", "Content-Range: bytes 9-5/10"}), FetchError);
	BOOST_CHECK_THROW(head_of({"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"}), FetchError);
	BOOST_TEST(head_of({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"}).length().value() == 5U);
	ResponseHead head;
	const std::string line = "HTTP/1.1 103 Early\r\n";
	BOOST_CHECK_THROW(for (int i = 0; i < 100000; i++) head.take_line(line), FetchError);
}

BOOST_AUTO_TEST_SUITE_END()
