#include "libdig/fetch/s3_listing.h"

#include <boost/test/unit_test.hpp>

#include "libdig/fetch/response_head.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(s3_listing)

static S3Listing with(const std::string &inside)
{
	return parse_s3_listing("<ListBucketResult>" + inside + "<IsTruncated>false</IsTruncated></ListBucketResult>");
}

BOOST_AUTO_TEST_CASE(a_page_has_names_sizes_and_a_token)
{
	const S3Listing page = parse_s3_listing(
		"\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<ListBucketResult xmlns='a' b=\">\">\n"
		"  <IsTruncated>true</IsTruncated>"
		"<NextContinuationToken>a&#61;&#x3D;&lt;&gt;&quot;&apos;</NextContinuationToken>\n"
		"  <Contents><Size>7</Size><Owner><Key>no</Key><Size>x</Size></Owner>"
		"<Key>a&amp;&#233;&#x20ac;&#x1F600;</Key></Contents>\n"
		"  <CommonPrefixes><Key>no</Key></CommonPrefixes>"
		"<Contents ><Key/><Size>0</Size ></Contents></ListBucketResult>\n");
	BOOST_TEST(page.is_truncated);
	BOOST_TEST(page.next == "a==<>\"'");
	BOOST_REQUIRE(page.objects.size() == 2u);
	BOOST_TEST(page.objects[0].key == "a&é€😀");
	BOOST_TEST(page.objects[0].size == 7u);
	BOOST_TEST(page.objects[1].key.empty());
	BOOST_TEST(with("").objects.empty());
}

BOOST_AUTO_TEST_CASE(whatever_is_no_such_page_is_refused)
{
	const std::string object = "<Contents><Key>a</Key><Size>5</Size></Contents>";
	BOOST_TEST(with(object).objects.size() == 1u);
	for (const char *key : {"&a;", "&#0;", "&#xd800;", "&#1114112;", "& a", "&;", "&#;", "a<b/>", "a</Key><Key>b"})
		BOOST_CHECK_THROW(with("<Contents><Key>" + std::string(key) + "</Key><Size>5</Size></Contents>"), FetchError);
	for (const char *size : {"", "-5", "5 ", "1234567890123456789", "5</Size><Size>5"})
		BOOST_CHECK_THROW(with("<Contents><Key>a</Key><Size>" + std::string(size) + "</Size></Contents>"), FetchError);
	for (const char *inside : {"<Contents><Key>a</Key></Contents>", "<Contents><Size>5</Size></Contents>",
			 "<Contents/>", "<IsTruncated>false</IsTruncated>", "<a>", "</a>", "<a></b>", "< a/>", "<a b/>", "<a b=c/>",
			 "<a b=\"<\"/>", "<a b='c'd='e'/>", "<!-- x -->", "<![CDATA[x]]>", "<?x?>", "<a", "<a b=\"",
			 "<a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a>"})
		BOOST_CHECK_THROW(with(inside), FetchError);
	for (const char *text : {"", "x", "<", "</a>", "<Error></Error>", "<ListBucketResult/>", "<ListBucketResult>",
			 "<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>",
			 "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
			 "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult><a/>",
			 "<!DOCTYPE a><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"})
		BOOST_CHECK_THROW(parse_s3_listing(text), FetchError);
	BOOST_CHECK_THROW(with("<Contents><Key>" + std::string(1025, 'a') + "</Key><Size>5</Size></Contents>"), FetchError);
	std::string many;
	for (int i = 0; i < 10001; i++)
		many += object;
	BOOST_CHECK_THROW(with(many), FetchError);
	BOOST_CHECK_THROW(with(std::string(max_s3_listing, ' ')), FetchError);
}

BOOST_AUTO_TEST_SUITE_END()
