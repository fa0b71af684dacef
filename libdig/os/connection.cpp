#include "libdig/os/connection.h"

#include <fcntl.h>
#include <sys/socket.h>

namespace dig {

void cut_connection(int fd) { ::shutdown(fd, SHUT_RDWR); }

void widen_pipe(int fd, int size) { static_cast<void>(::fcntl(fd, F_SETPIPE_SZ, size)); }

} // namespace dig
