# malicious-server.py DIRECTORY: runs the tools of the network against a server that behaves in every wrong way.
#
# Prints "TOOL BEHAVIOUR: what is wrong" for each of them that does not end in time, takes more memory than a tool
# may, succeeds, or leaves a file in DIRECTORY, and how many there were in the end.
import concurrent.futures, os, socket, struct, subprocess, sys, threading, time

SECONDS = 100
directory = sys.argv[1]
BIG = b"x" * 65536


def endless(socket, data, pause=0):
    until = time.time() + SECONDS
    while time.time() < until:
        socket.sendall(data)
        time.sleep(pause)


def head(status, *fields):
    return b"".join(line.encode("latin-1") + b"\r\n" for line in ("HTTP/1.1 %s" % status,) + fields) + b"\r\n"


def part(content_range, *fields, body=b"hello"):
    return head("206 Partial Content", "Content-Range: " + content_range, "Content-Length: 5", *fields) + body


# What is sent, or a function of the connection.  A list is sent, and then nothing comes until the other side goes.
BEHAVIOURS = {
    "closes": b"", "line-of-garbage": b"garbage\r\n\r\n", "bytes-of-garbage": bytes(range(256)) * 50,
    "only-status": b"HTTP/1.1 200 OK\r\n", "half-a-head": b"HTTP/1.1 206 Partial Content\r\nContent-Ra",
    "version-9": b"HTTP/9.9 200 OK\r\n\r\n", "status-of-letters": b"HTTP/1.1 abc OK\r\n\r\n", "no-head": b"hello world",
    "status-999": head("999 No"), "status-000": head("000 No"), "nul-in-head": head("206 x", "Content-Range: bytes 0-4/5\0", "Content-Length: 5") + b"hello",
    "many-headers": lambda s: (s.sendall(b"HTTP/1.1 206 x\r\n"), endless(s, b"A: b\r\n" * 1000)),
    "long-header": lambda s: (s.sendall(b"HTTP/1.1 206 x\r\nA: "), endless(s, BIG)),
    "long-status": lambda s: (s.sendall(b"HTTP/1.1 206 "), endless(s, BIG)),
    "slow-head": lambda s: (s.sendall(b"HTTP/1.1 206 x\r\n"), endless(s, b"A: b\r\n", 0.3)),
    "continues-for-ever": lambda s: endless(s, b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "switches": head("101 Switching Protocols", "Upgrade: x", "Connection: Upgrade"),
    "no-range": head("206 x", "Content-Length: 5") + b"hello",
    "later": part("bytes 1-5/9"), "ends-later": part("bytes 0-99/100"), "ends-sooner": part("bytes 0-1/9"), "no-total": part("bytes 0-4/*"),
    "total-too-small": part("bytes 0-4/3"), "total-negative": part("bytes 0-4/-5"), "total-huge": part("bytes 0-4/99999999999999999999999999"),
    "range-of-words": part("bytes a-b/c"), "range-of-lines": part("lines 0-4/5"), "range-reversed": part("bytes 4-0/5"), "range-empty": part(""),
    "two-ranges": part("bytes 0-4/5", "Content-Range: bytes 0-4/9"), "byteranges": head("206 x", "Content-Type: multipart/byteranges; boundary=b", "Content-Length: 5") + b"--b\r\n",
    "two-lengths": head("206 x", "Content-Range: bytes 0-4/5", "Content-Length: 5", "Content-Length: 6") + b"hello",
    "length-negative": head("206 x", "Content-Range: bytes 0-4/5", "Content-Length: -5") + b"hello",
    "length-huge": head("206 x", "Content-Range: bytes 0-4/5", "Content-Length: 99999999999999999999999") + b"hello",
    "length-of-words": head("206 x", "Content-Range: bytes 0-4/5", "Content-Length: five") + b"hello",
    "shorter": head("206 x", "Content-Range: bytes 0-8/9", "Content-Length: 9") + b"hello",
    "body-without-end": lambda s: (s.sendall(head("206 x", "Content-Range: bytes 0-8/9")), endless(s, BIG)),
    "whole-without-end": lambda s: (s.sendall(head("200 OK", "Content-Length: 9000000000000")), endless(s, BIG)),
    "whole": head("200 OK", "Content-Length: 3000") + b"x" * 100,
    "chunks-without-end": lambda s: (s.sendall(head("206 x", "Content-Range: bytes 0-8/9", "Transfer-Encoding: chunked")), endless(s, b"10000\r\n" + BIG + b"\r\n")),
    "chunk-of-letters": head("206 x", "Content-Range: bytes 0-4/5", "Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
    "chunk-huge": head("206 x", "Content-Range: bytes 0-4/5", "Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nhello",
    "chunk-cut": head("206 x", "Content-Range: bytes 0-8/9", "Transfer-Encoding: chunked") + b"9\r\nhel",
    "chunk-trailers": lambda s: (s.sendall(head("206 x", "Content-Range: bytes 0-8/9", "Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\n"), endless(s, b"A: b\r\n" * 1000)),
    "encoded-transfer": head("206 x", "Content-Range: bytes 0-4/5", "Transfer-Encoding: gzip") + b"hello",
    "drips": lambda s: (s.sendall(head("206 x", "Content-Range: bytes 0-8/9", "Content-Length: 9")), endless(s, b"", 0.3)),
    "silent": [b""], "silent-in-body": [head("206 x", "Content-Range: bytes 0-8/9", "Content-Length: 9") + b"hel"],
    "reset": lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    "to-itself": None, "to-a-file": head("302 x", "Location: file:///etc/passwd", "Content-Length: 0"), "to-gopher": head("302 x", "Location: gopher://127.0.0.1:1/x", "Content-Length: 0"),
    "to-nobody": head("302 x", "Location: http://127.0.0.1:1/", "Content-Length: 0"), "to-nowhere": head("302 x", "Content-Length: 0"), "to-garbage": head("302 x", "Location: ://\\x01", "Content-Length: 0"),
    "to-far-away": head("302 x", "Location: /" + "a" * 60000, "Content-Length: 0"), "choices": head("300 x", "Content-Length: 0"), "not-modified": head("304 x"), "proxy": head("305 x", "Location: http://127.0.0.1:1/", "Content-Length: 0"),
    "error-in-200": head("200 OK", "Content-Length: 40") + b"<Error><Code>InternalError</Code></Error>"[:40], "no-content": head("204 x"),
    "error-without-end": lambda s: (s.sendall(head("403 x")), endless(s, BIG)),
    "entities": head("400 x", "Content-Length: 90") + b"<!DOCTYPE a [<!ENTITY b \"cccccccccccccccccccccc\"><!ENTITY d \"&b;&b;&b;\">]><Error>&d;</Error>"[:90],
    "wait-for-words": head("429 x", "Retry-After: later", "Content-Length: 0"),
}
# A minute is waited for.
if "DIG_TEST_LONG" in os.environ:
    BEHAVIOURS["wait-for-ever"] = head("503 x", "Retry-After: 1000000000", "Content-Length: 0")
for number in (400, 401, 403, 405, 407, 409, 410, 418, 425, 500, 501, 502, 504):
    BEHAVIOURS["status-%d" % number] = head("%d x" % number, "Content-Length: 0")


def behaviour_of(line):
    path, _, query = line.split()[1].partition("?")
    for field in query.split("&"):
        if field.startswith("prefix="):
            return field[7:].split("%2F")[0]
    return path.split("/")[2] if path.count("/") > 2 else "closes"


def serve(connection):
    try:
        connection.settimeout(SECONDS)
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        name = behaviour_of(data.split(b"\r\n")[0].decode())
        act = BEHAVIOURS[name]
        if name == "to-itself":
            act = head("302 x", "Location: http://127.0.0.1:%d/b/to-itself/k" % port, "Content-Length: 0")
        if callable(act):
            act(connection)
        else:
            connection.sendall(act[0] if isinstance(act, list) else act)
            connection.settimeout(SECONDS if isinstance(act, list) else 0.2)
            while connection.recv(65536):
                pass
    except OSError:
        pass
    finally:
        connection.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
port = listener.getsockname()[1]


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def tools(name):
    at = "http://127.0.0.1:%d" % port
    return {
        "fetch-url": (["dig-fetch-url", "%s/b/%s/k" % (at, name)], b""),
        "http-get": (["dig-remote-http", "%s/b/%s" % (at, name)], b"get k 0 9\n"),
        "s3-get": (["dig-remote-s3", "s3://b/" + name], b"get k 0 9\n"),
        "s3-put": (["dig-remote-s3", "s3://b/" + name], b"put-new k 5\nhello"),
        "s3-list": (["dig-remote-s3", "s3://b/" + name], b"list a/ -\n"),
        "s3-delete": (["dig-remote-s3", "s3://b/" + name], b"delete k\n"),
        "s3-check": (["dig-remote-s3", "s3://b/" + name], b"check\n"),
    }


# What a server answers with status 200 is content to who wants content, and a promise to who has made an object.
def problem_of(tool, name, status, output):
    if tool == "fetch-url":
        return None if status in (1, 12) or (status == 0 and name == "error-in-200") else "status %s" % status
    if status != 0 or output.count(b"\n") != 1:
        return "status %s, %d lines" % (status, output.count(b"\n"))
    if output.startswith(b"error "):
        return None
    return None if tool == "s3-put" and output in (b"ok\n", b"exists\n") else "it says %r" % output[:60]


def attempt(tool, name):
    command, said = tools(name)[tool]
    environment = dict(os.environ, AWS_ENDPOINT_URL="http://127.0.0.1:%d" % port)
    child = subprocess.Popen(["timeout", "-s", "KILL", str(SECONDS), "within-memory"] + command, env=environment, cwd=directory,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, messages = child.communicate(said)
    problem = problem_of(tool, name, child.returncode, output)
    return "%s %s: %s; %s" % (tool, name, problem, messages[:200]) if problem else None


threading.Thread(target=accept, daemon=True).start()
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    attempts = [pool.submit(attempt, tool, name) for name in BEHAVIOURS for tool in tools(name)]
    for each in attempts:
        if each.result():
            print(each.result())
for name in os.listdir(directory):
    print("left: " + name)
print("%d behaviours, %d attempts" % (len(BEHAVIOURS), len(attempts)), flush=True)
os._exit(0)
