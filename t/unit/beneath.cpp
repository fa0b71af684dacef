// Paths that are opened below a directory, and those that would lead out of it.
#include "libdig/os/beneath.h"

#include <climits>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/os/directory.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

// Directories of 200 bytes each below top, with a path that no single system call takes.
std::string make_long_path(const File &top)
{
	std::string path;
	File at = open_directory_at(top.fd(), ".");
	for (int i = 0; path.size() <= PATH_MAX; i++) {
		const std::string name = std::string(200, 'a' + i % 26);
		make_directory_at(at, name);
		at = open_directory_at(at.fd(), name);
		path += (path.empty() ? "" : "/") + name;
	}
	File::open_at(at.fd(), "file", O_WRONLY | O_CREAT).write(bytes_of("content"));
	make_symlink_at(at, "link", "file");
	make_symlink_at(at, "up", "..");
	return path;
}

void remove_long_path(const File &top, std::string path)
{
	for (std::string at = path;;) {
		const Parent parent = open_parent_beneath(top, at);
		if (at == path)
			for (const char *name : {"file", "link", "up"})
				remove_at(open_beneath(top, path, O_RDONLY | O_DIRECTORY), name, false);
		remove_at(parent.directory, parent.name, true);
		const std::size_t slash = at.rfind('/');
		if (slash == at.npos)
			return;
		at.resize(slash);
	}
}

} // namespace

BOOST_AUTO_TEST_SUITE(beneath)

BOOST_AUTO_TEST_CASE(what_lies_below_is_opened)
{
	Scratch scratch;
	const File top = open_directory(scratch.path);
	make_directory_at(top, "a");
	make_directory_at(open_beneath(top, "a", O_RDONLY | O_DIRECTORY), "b");
	open_beneath(top, "a/b/c", O_WRONLY | O_CREAT).write(bytes_of("x"));
	BOOST_TEST(open_beneath(top, "a/b/c", O_RDONLY).size() == 1U);
	BOOST_TEST(find_stat_beneath(top, "a/b/c").has_value());
	BOOST_TEST(!find_stat_beneath(top, "a/b/d").has_value());
	BOOST_TEST(!find_stat_beneath(top, "a/b/c/d").has_value());
	BOOST_TEST(open_parent_beneath(top, "a/b/c").name == "c");
}

BOOST_AUTO_TEST_CASE(no_symbolic_link_is_followed)
{
	Scratch scratch;
	const File top = open_directory(scratch.path);
	make_directory_at(top, "a");
	open_beneath(top, "a/b", O_WRONLY | O_CREAT);
	make_symlink_at(top, "to-directory", "a");
	make_symlink_at(top, "to-file", "a/b");
	BOOST_CHECK_THROW(open_beneath(top, "to-directory/b", O_RDONLY), SystemError);
	BOOST_CHECK_THROW(open_beneath(top, "to-file", O_RDONLY), SystemError);
	BOOST_TEST(!find_stat_beneath(top, "to-directory/b").has_value());
	BOOST_TEST(read_link_beneath(top, "to-file") == "a/b");
}

BOOST_AUTO_TEST_CASE(no_path_leads_out)
{
	Scratch scratch;
	const File top = open_directory(scratch.path);
	make_directory_at(top, "a");
	for (const char *path : {"..", "../x", "a/../..", "/etc", "/"})
		BOOST_CHECK_THROW(open_beneath(top, path, O_RDONLY), SystemError);
}

// These go by steps, as all paths do with a kernel that has no openat2.
BOOST_AUTO_TEST_CASE(paths_longer_than_a_system_call_takes_are_walked)
{
	Scratch scratch;
	const File top = open_directory(scratch.path);
	const std::string path = make_long_path(top);
	BOOST_TEST(path.size() > std::size_t(PATH_MAX));
	BOOST_TEST(open_beneath(top, path + "/file", O_RDONLY).size() == 7U);
	BOOST_TEST(find_stat_beneath(top, path + "/file").has_value());
	BOOST_TEST(!find_stat_beneath(top, path + "/absent").has_value());
	open_beneath(top, path + "/new", O_WRONLY | O_CREAT).write(bytes_of("new"));
	BOOST_TEST(open_beneath(top, path + "/new", O_RDONLY).size() == 3U);
	remove_at(open_parent_beneath(top, path + "/new").directory, "new", false);
	BOOST_TEST(read_link_beneath(top, path + "/link") == "file");
	for (const char *end : {"/link", "/up/x", "/..", "/../x", "//x", "/.", "/"})
		BOOST_CHECK_THROW(open_beneath(top, path + end, O_RDONLY), SystemError);
	remove_long_path(top, path);
}

BOOST_AUTO_TEST_SUITE_END()
