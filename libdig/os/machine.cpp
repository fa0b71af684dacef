// Where the limits of a control group stand.
//
// /proc/self/cgroup names the group of this process in each hierarchy; of version 2 there is one, with
// the number 0 and no name.  /proc/self/mountinfo says where each hierarchy is mounted, and which part of
// it.  In a container that is often only the part below its own group, so that the name of the group
// leads outside of what is mounted.  Then the limits stand at the mount itself.
//
//	0::/user.slice/dig.service                           version 2: /sys/fs/cgroup/user.slice/...
//	4:memory:/docker/3f2a                                version 1: /sys/fs/cgroup/memory/docker/...
//	35 26 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
//	36 26 0:31 /docker/3f2a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
//
// A group without a limit says "max", or -1, or a number that no machine has.
#include "libdig/os/machine.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace dig {

namespace {

constexpr std::uint64_t no_such_memory = std::uint64_t(1) << 60;

struct Hierarchy {
	bool is_second; // version 2
	std::string root, place;
	std::string controllers; // of version 1: ",cpu,cpuacct,"
};

std::vector<std::string> words_of(const std::string &line)
{
	std::istringstream in(line);
	std::vector<std::string> words;
	for (std::string word; in >> word;)
		words.push_back(word);
	return words;
}

std::vector<Hierarchy> hierarchies(const std::string &root)
{
	std::vector<Hierarchy> all;
	std::ifstream mounts(root + "/proc/self/mountinfo");
	for (std::string line; std::getline(mounts, line);) {
		const std::vector<std::string> words = words_of(line);
		const auto dash = std::find(words.begin(), words.end(), "-");
		if (words.size() < 6 || words.end() - dash < 4)
			continue;
		if (dash[1] == "cgroup2" || dash[1] == "cgroup")
			all.push_back({dash[1] == "cgroup2", words[3], words[4], "," + dash[3] + ","});
	}
	return all;
}

// The directories of a group and of all above it, in the hierarchy of a controller.
std::vector<std::string> group_directories(const std::string &root, const Hierarchy &hierarchy, std::string group)
{
	// Only a part may be mounted.
	if (hierarchy.root != "/")
		group = group.starts_with(hierarchy.root) ? group.substr(hierarchy.root.size()) : "";
	std::vector<std::string> all;
	while (!group.empty() && group != "/") {
		all.push_back(root + hierarchy.place + group);
		group.resize(group.rfind('/'));
	}
	all.push_back(root + hierarchy.place);
	return all;
}

std::optional<std::string> first_line(const std::string &path)
{
	std::ifstream file(path);
	std::string line;
	return std::getline(file, line) ? std::optional(line) : std::nullopt;
}

std::optional<double> number_of(const std::optional<std::string> &text)
{
	double number = 0;
	return text && std::istringstream(*text) >> number && number > 0 ? std::optional(number) : std::nullopt;
}

template <typename T> void lower(std::optional<T> &limit, T other) { limit = limit ? std::min(*limit, other) : other; }

void read_cores(const std::string &directory, bool is_second, GroupLimits &limits)
{
	std::optional<double> quota, period;
	if (is_second) {
		const std::vector<std::string> words = words_of(first_line(directory + "/cpu.max").value_or(""));
		if (words.size() == 2) {
			quota = number_of(words[0]);
			period = number_of(words[1]);
		}
	} else {
		quota = number_of(first_line(directory + "/cpu.cfs_quota_us"));
		period = number_of(first_line(directory + "/cpu.cfs_period_us"));
	}
	if (quota && period)
		lower(limits.cores, *quota / *period);
}

void read_memory_limit(const std::string &directory, bool is_second, GroupLimits &limits)
{
	// Above memory.high a group is slowed down instead of killed, which is no better.
	for (const char *name : {"/memory.max", "/memory.high", "/memory.limit_in_bytes"}) {
		if (is_second == (std::string_view(name) == "/memory.limit_in_bytes"))
			continue;
		const std::optional<double> bytes = number_of(first_line(directory + name));
		if (bytes && *bytes < static_cast<double>(no_such_memory))
			lower(limits.memory, static_cast<std::uint64_t>(*bytes));
	}
}

} // namespace

GroupLimits group_limits(const std::string &root)
{
	GroupLimits limits;
	const std::vector<Hierarchy> mounted = hierarchies(root);
	std::ifstream groups(root + "/proc/self/cgroup");
	for (std::string line; std::getline(groups, line);) {
		const std::size_t first = line.find(':'), second = line.find(':', first + 1);
		if (first == line.npos || second == line.npos)
			continue;
		const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
		const bool is_second = names == ",,";
		for (const Hierarchy &hierarchy : mounted) {
			const auto has = [&](const char *controller) {
				return is_second || (names.find(controller) != names.npos &&
							    hierarchy.controllers.find(controller) != names.npos);
			};
			if (hierarchy.is_second != is_second)
				continue;
			for (const std::string &directory : group_directories(root, hierarchy, line.substr(second + 1))) {
				if (has(",cpu,"))
					read_cores(directory, is_second, limits);
				if (has(",memory,"))
					read_memory_limit(directory, is_second, limits);
			}
		}
	}
	return limits;
}

static const GroupLimits &own_limits()
{
	static const GroupLimits limits = group_limits();
	return limits;
}

std::size_t usable_cores()
{
	// hardware_concurrency() is the affinity with some libraries, and all of the machine with others.
	std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
	// The set has as many bits as the kernel was built for, so it grows until the call takes it.
	for (std::size_t most = 1024; most <= 65536; most *= 2) {
		cpu_set_t *const set = CPU_ALLOC(most);
		if (!set)
			break;
		const std::size_t size = CPU_ALLOC_SIZE(most);
		const bool is_known = ::sched_getaffinity(0, size, set) == 0;
		if (is_known)
			cores = std::max(1, CPU_COUNT_S(size, set));
		CPU_FREE(set);
		if (is_known)
			break;
	}
	const std::optional<double> limit = own_limits().cores;
	return limit ? std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(*limit)), 1, cores) : cores;
}

std::optional<std::uint64_t> memory_limit() { return own_limits().memory; }

std::uint64_t resident_memory()
{
	std::uint64_t mapped = 0, resident = 0;
	std::ifstream("/proc/self/statm") >> mapped >> resident;
	return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace dig
