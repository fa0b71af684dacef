// Whether a text has the shape of TOML.  toml++ asserts where a text has not ("[#", "[.a]"), recurses
// where it is deep, and takes bytes that are no UTF-8 for characters; a configuration file may be a
// stranger's, so that it sees nothing but what this lets pass:
//
//     file       UTF-8 without control characters but tab, newline and carriage return before it
//     statement  [ key ]   [[ key ]]   key = value
//     key        1 to 8 parts with dots between; a part is A-Z a-z 0-9 _ -, or a string of one line
//     value      "..."  '...'  """..."""  '''...'''  [ values ]  { key = value, ... }, 16 deep at most,
//                or A-Z a-z 0-9 + - . : _
//     comment    # to the end of the line
//
// What values mean, and which keys there are, is not looked at.
#ifndef DIG_TOML_SHAPE_H
#define DIG_TOML_SHAPE_H

#include <optional>
#include <string_view>

namespace dig {

struct TomlFault {
	unsigned line; // counted from 1
	const char *reason;
};
// Nothing for a text of that shape.
std::optional<TomlFault> find_toml_fault(std::string_view text);

} // namespace dig

#endif
