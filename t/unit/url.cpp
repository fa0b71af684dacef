#include "libdig/fetch/url.h"

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(a_url_is_taken_apart)
{
	const Url url = parse_url("HTTPS://me:a%40b@[::1]:8080/x/%20?q=1#f");
	BOOST_TEST((url.scheme == Url::Scheme::https));
	BOOST_TEST(url.user.value() == "me");
	BOOST_TEST(url.password.value() == "a@b");
	BOOST_TEST(url.host == "[::1]");
	BOOST_TEST(url.port.value() == 8080);
	BOOST_TEST(url.path == "/x/%20?q=1");
	BOOST_TEST(url.object() == "https://[::1]:8080/x/%20?q=1");
	BOOST_TEST(url.shown() == "https://me@[::1]:8080/x/%20?...");
	BOOST_TEST(parse_url("http://host").path == "/");
	BOOST_TEST(parse_url("http://host?q").object() == "http://host/?q");
}

BOOST_AUTO_TEST_CASE(a_key_is_taken_to_the_letter)
{
	const Url url = parse_url("s3://bucket/a?b#c%20\xc3\xbc @");
	BOOST_TEST(url.host == "bucket");
	BOOST_TEST(url.path == "/a?b#c%20\xc3\xbc @");
	BOOST_TEST(url.shown() == "s3://bucket/a?b#c%20\xc3\xbc @");
}

BOOST_AUTO_TEST_CASE(what_is_no_path_is_a_url)
{
	BOOST_TEST(is_url("http://x"));
	BOOST_TEST(is_url("Any+thing://"));
	for (const char *path : {"a/b", "http:/x", "://x", "a b://x", "-x://y", "1a://x"})
		BOOST_TEST(!is_url(path), path);
}

BOOST_AUTO_TEST_CASE(what_parsers_disagree_about_is_refused)
{
	for (const char *text : {"http://a@b@c/", "http://a\\@b/", "http://-a/", "http://a b/", "http://a\tb/",
		"http://[::1/", "http://[::1]x/", "http://a:/", "http://a:0/", "http://a:65536/", "http://%61/",
		"http://u%00@a/", "http://u%4@a/", "ssh://-x@a/b", "ssh://a/b%00", "ssh://a/", "sftp://a/b/", "sftp://a/b?c",
		"s3:///k", "s3://b:80/k", "file://a/b", "data:x", "x"})
		BOOST_CHECK_THROW(parse_url(text), UsageError);
	BOOST_CHECK_THROW(parse_url("http://a/" + std::string(9000, 'x')), UsageError);
}

BOOST_AUTO_TEST_CASE(percent_encoding_has_a_way_back)
{
	std::string all;
	for (int byte = 1; byte < 256; byte++)
		all += static_cast<char>(byte);
	const std::string encoded = percent_encoded(all, "/");
	BOOST_TEST(encoded.find_first_of(" %\n\"'?#&+") == encoded.find('%'));
	BOOST_TEST(encoded.find('/') != encoded.npos);
	BOOST_TEST(percent_decoded(encoded).value() == all);
	for (const char *text : {"%", "%1", "%zz", "%00"})
		BOOST_TEST(!percent_decoded(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
