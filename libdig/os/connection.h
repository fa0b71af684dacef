// Sockets and pipes that somebody else has opened.
#ifndef DIG_CONNECTION_H
#define DIG_CONNECTION_H

namespace dig {

// Ends both directions.  Whoever waits for the socket sees its end; it stays open here.
void cut_connection(int fd);
// Asks for room for that many bytes in the pipe; the system may have less, and what is no pipe stays as it is.
void widen_pipe(int fd, int size);

} // namespace dig

#endif
