"""Serves on a port of this machine for a test, until the shell that started it has ended.

The port is written into the file "port" of a directory.  With "certificate" and "key" in it, by TLS.
"""

import http.server
import os
import socketserver
import ssl
import threading
import time


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


def end_with_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def serve(handler, directory):
    server = Server(("127.0.0.1", 0), handler)
    if os.path.exists(os.path.join(directory, "certificate")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(directory, "certificate"), os.path.join(directory, "key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
    with open(os.path.join(directory, "port.new"), "w") as file:
        file.write("%d\n" % server.server_address[1])
    os.rename(os.path.join(directory, "port.new"), os.path.join(directory, "port"))
    server.serve_forever()
