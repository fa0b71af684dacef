// Sockets that somebody else has opened.
#ifndef DIG_CONNECTION_H
#define DIG_CONNECTION_H

namespace dig {

// Ends both directions.  Whoever waits for the socket sees its end; it stays open here.
void cut_connection(int fd);

} // namespace dig

#endif
