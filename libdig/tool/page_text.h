// Turns a page in mdoc into plain text, for machines without man(1).  It knows the macros that
// dig's pages use.  The line of any other macro is printed without its dot.
#ifndef DIG_PAGE_TEXT_H
#define DIG_PAGE_TEXT_H

#include <cstddef>
#include <string>
#include <string_view>

namespace dig {

std::string page_text(std::string_view page, std::size_t columns);

} // namespace dig

#endif
