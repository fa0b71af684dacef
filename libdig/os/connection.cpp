#include "libdig/os/connection.h"

#include <sys/socket.h>

namespace dig {

void cut_connection(int fd) { ::shutdown(fd, SHUT_RDWR); }

} // namespace dig
