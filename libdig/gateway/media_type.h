// What a file seems to be, by its name: the field Content-Type.
#ifndef DIG_MEDIA_TYPE_H
#define DIG_MEDIA_TYPE_H

#include <string_view>

namespace dig {

// "application/octet-stream" for what is not known.
std::string_view media_type(std::string_view path);

} // namespace dig

#endif
