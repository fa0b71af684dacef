# counting-proxy.py DIRECTORY PORT: passes HTTP on to a server on a port of this machine, and counts.
#
# Writes DIRECTORY/port when it listens, and a line to DIRECTORY/log for each request whose answer has come:
# method, path, status, bytes of the request, bytes of the answer; heads are counted, too.
#
# DIRECTORY/hook is a script of sh that runs, once, before a PUT of a record of a remote goes on.
import os, socket, socketserver, subprocess, sys, threading

sys.dont_write_bytecode = True
from test_server import end_with_parent

directory, upstream = sys.argv[1], int(sys.argv[2])
lock = threading.Lock()
LARGEST = 65536


class Ended(Exception):
    pass


class Pipe:
    """One direction of a connection: what is read goes on at once."""

    def __init__(self, source, sink):
        self.file, self.sink, self.count = source.makefile("rb"), sink, 0

    def passed(self, data):
        if not data:
            raise Ended()
        self.count += len(data)
        self.sink.sendall(data)
        return data

    def line(self, act=None):
        line = self.file.readline(LARGEST)
        if act:
            act(line)
        return self.passed(line)

    def body(self, size):
        while size > 0:
            size -= len(self.passed(self.file.read1(min(size, LARGEST))))

    def head(self, act=None):
        first, fields = self.line(act).decode("latin-1").split(), {}
        while (line := self.line().decode("latin-1").strip()):
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return first, fields

    def chunks(self):
        while (size := int(self.line().split(b";")[0], 16)) > 0:
            self.body(size + 2)
        while self.line().strip():
            pass

    def taken(self):
        count, self.count = self.count, 0
        return count


def run_hook(line):
    hook = os.path.join(directory, "hook")
    if line.startswith(b"PUT ") and b"/roots/" in line:
        try:
            os.rename(hook, hook + ".running")
        except FileNotFoundError:
            return
        subprocess.run(["sh", hook + ".running"], check=False)


def send_requests(pipe, asked, pending):
    try:
        while True:
            words, fields = pipe.head(run_hook)
            with pending:
                # The answer may come before the body has gone.
                asked.append([words[0], words[1], None])
                pending.notify()
            pipe.body(int(fields.get("content-length", 0)))
            asked[-1][2] = pipe.taken()
    except (Ended, OSError, ValueError, IndexError):
        pass
    try:
        pipe.sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        server = socket.create_connection(("127.0.0.1", upstream))
        for end in (self.request, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked, pending, done = [], threading.Condition(), 0
        pipe = Pipe(server, self.request)
        threading.Thread(target=send_requests, args=(Pipe(self.request, server), asked, pending), daemon=True).start()
        try:
            while True:
                words, fields = pipe.head()
                status = words[1]
                if status.startswith("1"):
                    continue
                with pending:
                    pending.wait_for(lambda: len(asked) > done, 10)
                method, path, size = asked[done]
                if fields.get("transfer-encoding") == "chunked":
                    pipe.chunks()
                elif method != "HEAD" and status not in ("204", "304"):
                    pipe.body(int(fields.get("content-length", 0)))
                done += 1
                with lock, open(os.path.join(directory, "log"), "a") as log:
                    log.write("%s %s %s %d %d\n" % (method, path, status, asked[done - 1][2] or 0, pipe.taken()))
        except (Ended, OSError, ValueError, IndexError):
            pass
        for end in (self.request, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    request_queue_size = 64


proxy = Proxy(("127.0.0.1", 0), Handler)
threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
with open(os.path.join(directory, "port.new"), "w") as file:
    file.write("%d\n" % proxy.server_address[1])
os.rename(os.path.join(directory, "port.new"), os.path.join(directory, "port"))
proxy.serve_forever()
