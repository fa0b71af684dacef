// A page in mdoc as plain text, for machines without man(1): the macros that the pages of dig use,
// and no others.  Unknown macros lose their dot.
#ifndef DIG_PAGE_TEXT_H
#define DIG_PAGE_TEXT_H

#include <cstddef>
#include <string>
#include <string_view>

namespace dig {

std::string page_text(std::string_view page, std::size_t columns);

} // namespace dig

#endif
