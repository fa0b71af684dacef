#include "libdig/os/machine.h"

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "t/unit/scratch.h"

using namespace dig;

namespace {

// A file system with the groups of a process.
struct Machine {
	Scratch scratch;

	void put(const std::string &path, const std::string &content) const
	{
		std::filesystem::create_directories(std::filesystem::path(scratch.path + path).parent_path());
		std::ofstream(scratch.path + path) << content;
	}
	GroupLimits limits() const { return group_limits(scratch.path); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(machine)

BOOST_AUTO_TEST_CASE(a_machine_without_groups_has_no_limits)
{
	const Machine machine;
	BOOST_TEST(!machine.limits().cores);
	BOOST_TEST(!machine.limits().memory);
	machine.put("/proc/self/cgroup", "\n::\nnonsense\n0::/\n");
	machine.put("/proc/self/mountinfo", "\n- - - -\n1 2 3\n35 26 0:30 / /sys rw - cgroup2\n");
	BOOST_TEST(!machine.limits().cores);
}

BOOST_AUTO_TEST_CASE(the_least_limit_of_a_group_and_those_above_counts)
{
	const Machine machine;
	machine.put("/proc/self/cgroup", "0::/user.slice/dig.service\n");
	machine.put("/proc/self/mountinfo", "35 26 0:30 / /groups rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
	machine.put("/groups/user.slice/dig.service/cpu.max", "max 100000\n");
	machine.put("/groups/user.slice/dig.service/memory.max", "max\n");
	machine.put("/groups/user.slice/cpu.max", "150000 100000\n");
	machine.put("/groups/user.slice/memory.max", "67108864\n");
	machine.put("/groups/memory.max", "104857600\n");
	BOOST_TEST(machine.limits().cores.value() == 1.5);
	BOOST_TEST(machine.limits().memory.value() == 67108864U);
	machine.put("/groups/user.slice/dig.service/memory.high", "33554432\n");
	machine.put("/groups/user.slice/dig.service/cpu.max", "50000 100000\n");
	BOOST_TEST(machine.limits().cores.value() == 0.5);
	BOOST_TEST(machine.limits().memory.value() == 33554432U);
}

BOOST_AUTO_TEST_CASE(version_1_has_a_hierarchy_for_each_controller)
{
	const Machine machine;
	machine.put("/proc/self/cgroup", "4:memory:/a\n2:cpu,cpuacct:/b\n1:cpuset:/c\n0::/\n");
	machine.put("/proc/self/mountinfo",
		"36 26 0:31 / /groups/memory rw - cgroup cgroup rw,memory\n"
		"37 26 0:32 / /groups/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		"38 26 0:33 / /groups/cpuset rw - cgroup cgroup rw,cpuset\n");
	machine.put("/groups/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	machine.put("/groups/cpu/b/cpu.cfs_quota_us", "-1\n");
	machine.put("/groups/cpu/b/cpu.cfs_period_us", "100000\n");
	BOOST_TEST(!machine.limits().cores);
	BOOST_TEST(!machine.limits().memory);
	machine.put("/groups/memory/a/memory.limit_in_bytes", "50331648\n");
	machine.put("/groups/cpu/b/cpu.cfs_quota_us", "250000\n");
	// Of another controller.
	machine.put("/groups/cpuset/c/memory.limit_in_bytes", "1\n");
	BOOST_TEST(machine.limits().cores.value() == 2.5);
	BOOST_TEST(machine.limits().memory.value() == 50331648U);
}

BOOST_AUTO_TEST_CASE(in_a_container_its_own_group_is_what_is_mounted)
{
	const Machine machine;
	machine.put("/proc/self/cgroup", "4:memory:/docker/3f2a\n0::/../other\n");
	machine.put("/proc/self/mountinfo",
		"36 26 0:31 /docker/3f2a /groups/memory rw - cgroup cgroup rw,memory\n"
		"37 26 0:32 / /groups/all rw - cgroup2 cgroup2 rw\n");
	machine.put("/groups/memory/memory.limit_in_bytes", "50331648\n");
	machine.put("/groups/all/cpu.max", "100000 100000\n");
	BOOST_TEST(machine.limits().memory.value() == 50331648U);
	BOOST_TEST(machine.limits().cores.value() == 1.0);
	// The name of the group is that of the machine's view, and the mount that of the container's.
	machine.put("/proc/self/mountinfo", "36 26 0:31 /elsewhere /groups/memory rw - cgroup cgroup rw,memory\n");
	BOOST_TEST(machine.limits().memory.value() == 50331648U);
}

BOOST_AUTO_TEST_CASE(there_is_a_core)
{
	BOOST_TEST(usable_cores() >= 1U);
}

BOOST_AUTO_TEST_SUITE_END()
