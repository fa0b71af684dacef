// The places of tools and pages.  They are found from the directory of the running program.  So a
// build tree works without being installed, and an installation works after its prefix was moved.
#ifndef DIG_INSTALLATION_H
#define DIG_INSTALLATION_H

#include <string>
#include <vector>

namespace dig {

// The directory that holds dig-X for every tool: the directory of this program, or ../libexec/dig
// from there, or the one that was configured for the build.  The first of them that has tools.
std::string tool_directory();
// The directory in which "dig X" looks first: DIG_EXEC_PATH, or else tool_directory().
std::string exec_path();
// The directories that may hold the pages of a section ("1", "5", "7").
std::vector<std::string> page_directories(const std::string &section);

} // namespace dig

#endif
