// Who runs this process, and where.
#ifndef DIG_ENVIRONMENT_H
#define DIG_ENVIRONMENT_H

#include <cstdint>
#include <string>

namespace dig {

std::uint32_t effective_user();
// "user@host", the author of a commit that names none.
std::string user_at_host();

std::string current_directory();
void change_directory(const std::string &path);
// TMPDIR, or /tmp.
std::string temporary_directory();

} // namespace dig

#endif
