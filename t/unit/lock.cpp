// Locks that are passed on to children, and files that are published in directories of others.
#include "libdig/os/lock.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "libdig/base/error.h"
#include "libdig/os/publish.h"
#include "t/unit/scratch.h"

using namespace dig;

namespace {

struct Passed {
	explicit Passed(const std::string &value) { ::setenv("DIG_LOCK_FD", value.c_str(), 1); }
	~Passed() { ::unsetenv("DIG_LOCK_FD"); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(lock)

BOOST_AUTO_TEST_CASE(a_lock_that_is_passed_on_counts_as_held)
{
	const Scratch scratch;
	const std::string path = scratch.path + "/lock";
	const Lock held = Lock::acquire(path);
	BOOST_TEST(!Lock::try_acquire(path).has_value());
	const Passed passed(held.pass_on());
	BOOST_TEST(Lock::try_acquire(path).has_value());
	// And is held when the second one is gone.
	const File other = File::open_with(path, O_RDWR);
	const Passed another(std::to_string(other.fd()));
	BOOST_TEST(!Lock::try_acquire(path).has_value());
}

BOOST_AUTO_TEST_CASE(a_descriptor_without_the_lock_is_none)
{
	const Scratch scratch;
	const std::string path = scratch.path + "/lock";
	const Lock held = Lock::acquire(path);
	const File same = File::open_with(path, O_RDONLY),
			   other = File::open_with(scratch.path + "/other", O_RDWR | O_CREAT);
	for (const std::string &value : {std::to_string(same.fd()), std::to_string(other.fd()), std::string("999999"),
		     std::string("-1"), std::string("x"), std::string("99999999999999999999")}) {
		const Passed passed(value);
		BOOST_TEST_CONTEXT(value)
		BOOST_TEST(!Lock::try_acquire(path).has_value());
	}
}

BOOST_AUTO_TEST_CASE(what_stands_in_the_place_of_a_temporary_file_is_not_written_to)
{
	namespace fs = std::filesystem;
	const Scratch scratch;
	const std::string path = scratch.path + "/file", temporary = path + ".tmp-" + std::to_string(::getpid());
	const std::string victim = scratch.path + "/victim";
	publish_file(victim, bytes_of("kept"));
	fs::create_hard_link(victim, temporary);
	publish_file(path, bytes_of("new"));
	BOOST_TEST(text_of(read_whole_file(victim, 100)) == "kept");
	fs::remove(temporary);
	fs::create_symlink(victim, temporary);
	publish_file(path, bytes_of("newer"));
	BOOST_TEST(text_of(read_whole_file(victim, 100)) == "kept");
	BOOST_TEST(text_of(read_whole_file(path, 100)) == "newer");
	BOOST_TEST(fs::is_symlink(temporary));
}

BOOST_AUTO_TEST_SUITE_END()
