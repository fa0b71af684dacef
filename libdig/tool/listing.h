// Entries in lists: "mode SP size SP file-root TAB path", which dig-update-index --index-info
// takes.
#ifndef DIG_LISTING_H
#define DIG_LISTING_H

#include <string>

#include "libdig/format/entry.h"
#include "libdig/tool/records.h"

namespace dig {

// Six octal digits of the kind and the mode, as "100644", "120777", "040755".
std::string mode_text(const Entry &entry);
// The mode as ls shows it: "-rw-r--r--".
std::string mode_letters(const Entry &entry);
void print_entry(Output &out, const Entry &entry);

} // namespace dig

#endif
