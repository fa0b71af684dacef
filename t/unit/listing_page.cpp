#include "libdig/gateway/listing_page.h"

#include <boost/test/unit_test.hpp>

#include "libdig/gateway/media_type.h"
#include "libdig/gateway/url_query.h"

using namespace dig;

BOOST_AUTO_TEST_SUITE(listing_page)

static DirectoryPage page_with(const std::string &name)
{
	DirectoryPage page{"HEAD", 3, Digest(), "a/b/", {}, {}};
	Entry entry;
	entry.path = "a/b/" + name;
	page.entries.push_back({name, entry});
	return page;
}

BOOST_AUTO_TEST_CASE(what_is_stored_is_no_markup)
{
	BOOST_TEST(html_escaped("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
	const std::string html = directory_html(page_with("<script>\"x'&\n\xff"));
	BOOST_TEST(html.find("<script") == html.npos);
	BOOST_TEST(html.find("href=\"%3Cscript%3E%22x%27%26%0A%FF\"") != html.npos);
	BOOST_TEST(html.find(">&lt;script&gt;&quot;x&#39;&amp;\\n\\377</a>") != html.npos);
}

BOOST_AUTO_TEST_CASE(names_in_json_are_for_people_and_links_are_exact)
{
	const std::string json = directory_json(page_with("\"\\\n\xff\xc3\xa4"));
	BOOST_TEST(json.find("{\"name\":\"\\\"\\\\\\\\n\\\\377\xc3\xa4\",\"href\":\"%22%5C%0A%FF%C3%A4\"") != json.npos);
}

BOOST_AUTO_TEST_CASE(a_name_cannot_look_as_a_scheme)
{
	BOOST_TEST(directory_html(page_with("javascript:x")).find("href=\"javascript%3Ax\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_directory_on_the_way_has_a_link)
{
	const std::string html = directory_html(page_with("x"));
	for (const char *link : {"<a href=\"./../../../\">states</a>", "<a href=\"./../../\">HEAD</a>",
			"<a href=\"./../\">a</a>",
			"<a href=\"./\">b</a>"})
		BOOST_TEST(html.find(link) != html.npos, link);
}

BOOST_AUTO_TEST_CASE(types_follow_from_names)
{
	BOOST_TEST(media_type("a/b.PNG") == "image/png");
	BOOST_TEST(media_type("b.tar.gz") == "application/gzip");
	BOOST_TEST(media_type("x/README") == "text/plain; charset=utf-8");
	for (const char *name : {"", "x", "x.", ".x", "png", "a.png/b", "x.pngx", "x.verylongextension"})
		BOOST_TEST(media_type(name) == "application/octet-stream", name);
	for (const char *name : {"a.7z", "a.avif", "a.c", "a.cpp", "a.css", "a.gif", "a.html", "a.jpeg",
			"a.jpg", "a.json", "a.m4a", "a.md", "a.mjs", "a.mkv", "a.mp4", "a.pdf", "a.svg", "a.tiff", "a.txt",
			"a.webp", "a.woff2", "a.xz", "a.yml",
			"a.zip", "a.zst"})
		BOOST_TEST(media_type(name) != "application/octet-stream", name);
}

BOOST_AUTO_TEST_CASE(a_query_has_parameters)
{
	BOOST_TEST(query_value("a=1&b=2", "b").value() == "2");
	BOOST_TEST(query_value("a=1&a=2", "a").value() == "1");
	BOOST_TEST(query_value("a=%2F%26+", "a").value() == "/&+");
	BOOST_TEST(query_value("a", "a").value() == "");
	for (const char *query : {"", "b=1", "a=%", "a=%0", "a=%zz", "a=%00", "&&", "=a"})
		BOOST_TEST(!query_value(query, "a").has_value(), query);
}

BOOST_AUTO_TEST_SUITE_END()
