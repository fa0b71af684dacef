// Sockets and pipes that somebody else has opened.
#ifndef DIG_CONNECTION_H
#define DIG_CONNECTION_H

#include <span>

#include <sys/uio.h>

namespace dig {

// Ends both directions.  Whoever waits for the socket sees its end; it stays open here.
void cut_connection(int fd);
// Asks for room for that many bytes in the pipe; the system may have less, and what is no pipe stays as it is.
void widen_pipe(int fd, int size);
// Writes the pieces one behind the other, and changes them while doing so.  As File::write(), it waits
// for room, and throws SystemError or Interrupted.
void write_pieces(int fd, std::span<iovec> pieces);

} // namespace dig

#endif
