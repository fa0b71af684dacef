// What this process may use of the machine: a container, a batch system or a person may have given it
// less than there is.
#ifndef DIG_MACHINE_H
#define DIG_MACHINE_H

#include <cstdint>
#include <optional>
#include <string>

namespace dig {

// The limits of the control groups that this process is in, of version 1 and 2 (cgroups(7)).  A group
// has its own limit and those of all groups above it; the least of them counts.
struct GroupLimits {
	std::optional<double> cores; // 1.5: a core and a half
	std::optional<std::uint64_t> memory; // bytes
};
// root is put in front of /proc and of the places where the groups are mounted.  What cannot be read
// sets no limit.
GroupLimits group_limits(const std::string &root = "");

// Cores that the affinity of the process and its groups allow, at least 1; part of a core counts as a
// whole one.  Asked once: the answer stays the same.
std::size_t usable_cores();

// The limit of the groups for memory, if there is one.  Asked once.
std::optional<std::uint64_t> memory_limit();

// Bytes of memory that this process holds now (RSS), its program and what it has mapped included; 0 if the
// system does not tell.
std::uint64_t resident_memory();

} // namespace dig

#endif
