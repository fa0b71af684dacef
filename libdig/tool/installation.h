// Where the parts of this installation are.  They are found from the place of the running program,
// so that a build tree works as it is, and so does an installation that was moved as a whole.
#ifndef DIG_INSTALLATION_H
#define DIG_INSTALLATION_H

#include <string>
#include <vector>

namespace dig {

// The directory that holds dig-X for every tool.  In order: that of this program; ../libexec/dig
// seen from there; the one that the build was told of.
std::string tool_directory();
// The same, or what DIG_EXEC_PATH says: where "dig X" looks first.
std::string exec_path();
// Where the pages of a section ("1", "5", "7") may be.
std::vector<std::string> page_directories(const std::string &section);

} // namespace dig

#endif
