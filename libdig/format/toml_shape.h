// Whether a text has the shape of TOML.  toml++ fails an assertion for some texts that have not
// ("[#", "[.a]"), recurses as deep as a text is nested, and takes bytes that are no UTF-8 for
// characters.  A configuration file may have been written by a stranger, so toml++ gets only texts
// of this shape:
//
//     file       UTF-8 without control characters but tab, newline and carriage return before it
//     statement  [ key ]   [[ key ]]   key = value
//     key        1 to 8 parts with dots between; a part is A-Z a-z 0-9 _ -, or a string of one line
//     value      "..."  '...'  """..."""  '''...'''  [ values ]  { key = value, ... }, 16 deep at most,
//                or A-Z a-z 0-9 + - . : _
//     comment    # to the end of the line
//
// The meaning of values and the names of keys are not checked here.
#ifndef DIG_TOML_SHAPE_H
#define DIG_TOML_SHAPE_H

#include <optional>
#include <string_view>

namespace dig {

struct TomlFault {
	unsigned line; // counted from 1
	const char *reason;
};
// Nothing if the text has this shape.
std::optional<TomlFault> find_toml_fault(std::string_view text);

} // namespace dig

#endif
