// Exact texts in JSON.  What is shown to a person is made harmless first (watch/progress); these texts are
// for programs, and say each byte.
#ifndef DIG_JSON_TEXT_H
#define DIG_JSON_TEXT_H

#include <string>
#include <string_view>

namespace dig {

// The text in quotes; bytes that are no UTF-8 become U+FFFD.
std::string exact_json_string(std::string_view text);
// "name":"text", or "name_b64":"..." for bytes that are no UTF-8, which JSON cannot have.
std::string json_field(std::string_view name, std::string_view bytes);

} // namespace dig

#endif
