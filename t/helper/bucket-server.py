# bucket-server.py DIRECTORY: buckets of S3 on the loopback, whose server loses answers and lies.
#
# Writes DIRECTORY/port when it listens, and a line to DIRECTORY/log for each request: method, path, and then
# Range and If-None-Match as name=value where they are there.  Objects are files of DIRECTORY/buckets/NAME.
# Requests are signed as AWS signs (version 4), and each signature is recomputed.
#
#     /MODE.NAME/KEY        the bucket NAME by a server of that mode, which is one of those below
#     /public/MODE.NAME/KEY the same to be read without a signature
#
# With DIRECTORY/certificate and DIRECTORY/key it speaks HTTPS.
import hashlib, http.server, os, socket, sys, threading, time, urllib.parse
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
from aws_signature import signature_problem
from test_server import serve

directory = sys.argv[1]
buckets = os.path.join(directory, "buckets")
lock = threading.RLock()
counts = {}
PAGE = 3  # names
OPEN = {"Content-Length": None, "Connection": "close"}  # an answer that ends with the connection


def count(key):
    with lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *arguments):
        pass

    def handle_request(self):
        words = [self.command, self.path]
        words += ["%s=%s" % (name, self.headers[name]) for name in ("Range", "If-None-Match") if name in self.headers]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            with open(os.path.join(directory, "log"), "a") as log:
                log.write(" ".join(words) + "\n")
        try:
            self.answer_request(body)
        except (Cut, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    do_GET = do_PUT = do_DELETE = handle_request

    def answer_request(self, body):
        path, _, query = self.path.partition("?")
        words = path.lstrip("/").split("/")
        if words[0] == "public":
            words = words[1:]
        else:
            problem = signature_problem(self.command, self.path, self.headers, hashlib.sha256(body).hexdigest(),
                                        os.environ.get("TOKEN"))
            if problem:
                return self.refuse(403, "SignatureDoesNotMatch", {"X-Problem": problem})
        self.mode, _, name = words[0].partition(".")
        self.bucket = os.path.join(buckets, name)
        key = urllib.parse.unquote("/".join(words[1:]))
        if not os.path.isdir(self.bucket):
            return self.refuse(404, "NoSuchBucket")
        handle = getattr(self, "%s_%s" % (self.mode.replace("-", "_"), self.command.lower()), None)
        if handle and handle(key, body, urllib.parse.parse_qs(query)):
            return
        if self.command == "PUT":
            self.put(key, body)
        elif self.command == "DELETE":
            with lock:
                if os.path.exists(self.path_of(key)):
                    os.remove(self.path_of(key))
            self.answer(204, {})
        elif "list-type=2" in query.split("&"):
            self.list(urllib.parse.parse_qs(query))
        else:
            self.get(key)

    # --- an honest server -------------------------------------------------------------------

    def path_of(self, key):
        return os.path.join(self.bucket, urllib.parse.quote(key, safe=""))

    def answer(self, status, headers, body=b""):
        headers = {"Content-Length": str(len(body)), **headers}
        lines = ["HTTP/1.1 %d X" % status] + ["%s: %s" % pair for pair in headers.items() if pair[1] is not None]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        if headers.get("Connection") == "close":
            self.close()
        return True

    def refuse(self, status, code, headers={}):
        return self.answer(status, headers, ("<Error><Code>%s</Code></Error>" % code).encode())

    def store(self, key, body, once=True):
        with lock:
            if once and self.headers.get("If-None-Match") == "*" and os.path.exists(self.path_of(key)):
                return False
            with open(self.path_of(key), "wb") as file:
                file.write(body)
            return True

    def put(self, key, body):
        if self.store(key, body):
            return self.answer(200, {"ETag": '"x"'})
        return self.refuse(412, "PreconditionFailed")

    def get(self, key, change=None, cut_at=None):
        try:
            with open(self.path_of(key), "rb") as file:
                body = file.read()
        except OSError:
            return self.refuse(404, "NoSuchKey")
        first, _, last = self.headers.get("Range", "bytes=0-")[len("bytes="):].partition("-")
        first, last, total = int(first), int(last or len(body)), len(body)
        if first >= total:
            return self.answer(416, {"Content-Range": "bytes */%d" % total}, b"<Error><Code>InvalidRange</Code></Error>")
        body = body[first:last + 1]
        headers = {"Content-Range": "bytes %d-%d/%d" % (first, first + len(body) - 1, total)}
        status = 206
        if change:
            status, headers, body = change(status, headers, body)
        if cut_at is not None and cut_at < len(body):
            self.answer(status, {"Content-Length": str(len(body)), **headers}, body[:cut_at])
            raise Cut
        return self.answer(status, headers, body)

    def names(self, query):
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0].partition("token/")
        after = after[2] or after[0]
        with lock:
            names = sorted(urllib.parse.unquote(name) for name in os.listdir(self.bucket))
        return [name for name in names if name.startswith(prefix) and name > after]

    def page(self, names, token=None):
        parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                 "<Name>b</Name>"]
        for name in names:
            size = os.path.getsize(self.path_of(name)) if os.path.exists(self.path_of(name)) else 5
            parts.append("<Contents><Key>%s</Key><ETag>&quot;x&quot;</ETag><Size>%d</Size>"
                         "<Owner><ID>1</ID></Owner></Contents>" % (escape(name), size))
        parts.append("<IsTruncated>%s</IsTruncated>" % ("true" if token else "false"))
        if token:
            parts.append("<NextContinuationToken>%s</NextContinuationToken>" % escape(token))
        return self.answer(200, {"Content-Type": "application/xml"}, "".join(parts + ["</ListBucketResult>"]).encode())

    def list(self, query):
        names = self.names(query)
        page = min(PAGE, int(query.get("max-keys", ["1000"])[0]))
        # The token is opaque, and has bytes that have to be encoded.
        return self.page(names[:page], "=&+ token/" + names[page - 1] if len(names) > page else None)

    # --- one that has bad moments -----------------------------------------------------------

    def after_storing(self, key, body, act, times=1):
        if count((self.mode, self.bucket, key)) > times:
            return False
        self.store(key, body)
        return act()

    def failing_put(self, key, body, query):
        return self.after_storing(key, body, lambda: self.refuse(500, "InternalError"))

    def cut_put(self, key, body, query):
        def cut():
            raise Cut
        return self.after_storing(key, body, cut)

    def garbled_put(self, key, body, query):
        return self.after_storing(key, body, lambda: self.wfile.write(b"\0\1\2 what\r\n\r\n") or self.close())

    def silent_put(self, key, body, query):
        return self.after_storing(key, body, lambda: time.sleep(20) or self.close())

    def close(self):
        raise Cut

    # Nothing is stored at first.
    def conflict_put(self, key, body, query):
        return count((self.mode, self.bucket, key)) == 1 and self.refuse(409, "ConditionalRequestConflict")

    def busy_put(self, key, body, query):
        return count((self.mode, self.bucket, key)) <= 2 and self.refuse(503, "SlowDown", {"Retry-After": "0"})

    def down_put(self, key, body, query):
        return self.refuse(503, "SlowDown")

    # Somebody else has been there meanwhile.
    def raced_put(self, key, body, query):
        self.store(key, b"other")
        return self.refuse(500, "InternalError")

    # The first request is carried out only when the second one is there.
    def late_put(self, key, body, query):
        if count((self.mode, self.bucket, key)) == 1:
            return self.refuse(500, "InternalError")
        self.store(key, body)
        return self.refuse(412, "PreconditionFailed")

    def cut_get(self, key, body, query):
        if query or count(("cut", self.bucket, key, self.headers.get("Range"))) > 1:
            return False
        return self.get(key, cut_at=100000)

    # Without the size of an object in the answer that there is no such part.
    def terse_get(self, key, body, query):
        first = int(self.headers.get("Range", "bytes=0-")[len("bytes="):].partition("-")[0])
        path = self.path_of(key)
        if not query and os.path.exists(path) and first >= os.path.getsize(path):
            return self.refuse(416, "InvalidRange")
        return False

    # --- one that lies ----------------------------------------------------------------------

    def careless_put(self, key, body, query):
        self.store(key, body, once=False)
        return self.answer(200, {})

    def forgetful_put(self, key, body, query):
        return self.answer(200, {})

    def shifted_get(self, key, body, query):
        def change(status, headers, body):
            return status, headers, body[1:] + b"?"
        return False if query else self.get(key, change)

    # Each lie is a mode of its own: what it makes of an honest answer.
    RANGES = {
        "whole": lambda status, headers, body: (200, {}, body),
        "unranged": lambda status, headers, body: (206, {}, body),
        "moved": lambda status, headers, body: (206, {"Content-Range": "bytes 7-%d/99" % (6 + len(body))}, body),
        "later": lambda status, headers, body: (206, {"Content-Range": "bytes 1-4/9"}, body[1:]),
        "sooner": lambda status, headers, body: (206, {"Content-Range": "bytes 0-3/9"}, body[:-1]),
        "malformed": lambda status, headers, body: (206, {"Content-Range": "bytes 5-1/7"}, body),
        "untotalled": lambda status, headers, body: (206, {"Content-Range": "bytes 0-%d/*" % (len(body) - 1)}, body),
        "longer": lambda status, headers, body: (206, headers, body + b"more"),
        "shorter": lambda status, headers, body: (206, headers, body[:-1]),
        "longer-open": lambda status, headers, body: (206, {**headers, **OPEN}, body + b"more"),
        "shorter-open": lambda status, headers, body: (206, {**headers, **OPEN}, body[:-1]),
        "huge": lambda status, headers, body: (206, {"Content-Range": "bytes 0-4/%s" % ("9" * 30)}, body),
        "nothing": lambda status, headers, body: (204, {}, b""),
        "elsewhere": lambda status, headers, body: (307, {"Location": "http://127.0.0.1:1/x"}, b""),
    }

    def range_get(self, key, body, query):
        return False if query else self.get(key, self.RANGES[os.path.basename(key)])

    def endless_get(self, key, body, query):
        self.wfile.write(b"HTTP/1.1 206 X\r\n")
        for i in range(10 ** 6):
            self.wfile.write(b"X-%d: %s\r\n" % (i, b"x" * 1000))

    # A byte now and then.
    def slow_get(self, key, body, query):
        self.wfile.write(b"HTTP/1.1 206 X\r\n" + (b"X: " if key == "head" else
                         b"Content-Range: bytes 0-49/50\r\nContent-Length: 50\r\n\r\n"))
        while True:
            time.sleep(0.3)
            self.wfile.write(b"x")

    def pages_get(self, key, body, query):
        if not query:
            return False
        prefix = query["prefix"][0]
        what = prefix.rstrip("/").rpartition("/")[2]
        again = prefix + "c"
        honest = "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>"
        one = "<Contents><Key>%s</Key><Size>5</Size></Contents>"
        if what == "outside":
            return self.page(["zzz"])
        if what == "unordered":
            return self.page([prefix + "b", prefix + "a"])
        if what == "twice":
            return self.page([prefix + "b", prefix + "b"])
        if what == "loop":
            return self.page([again], "more")
        if what == "empty":
            return self.page([], "more")
        texts = {
            "html": "<!DOCTYPE html><html><body>Hello</body></html>",
            "garbage": "\0\1\2\3",
            "nil": "",
            "open": "<ListBucketResult><IsTruncated>false</IsTruncated>",
            "crossed": "<ListBucketResult><IsTruncated>false</ListBucketResult></IsTruncated>",
            "deep": "<ListBucketResult>" + "<a>" * 100000,
            "entity": '<!DOCTYPE x [<!ENTITY a "b">]>' + honest % (one % "&a;"),
            "reference": honest % (one % (prefix + "&a;")),
            "sizeless": honest % "<Contents><Key>%sa</Key></Contents>" % prefix,
            "negative": honest % (one % (prefix + "a")).replace("5", "-5"),
            "doubled": honest % (one % (prefix + "a")).replace("<Size>", "<Key>x</Key><Size>"),
            "untold": "<ListBucketResult></ListBucketResult>",
            "other": "<Error><Code>Because</Code></Error>",
            "behind": honest % "" + "x",
            "long": honest % ("<a/>" * 2000000),
        }
        return self.answer(200, {}, texts[what].encode())


serve(Handler, directory)
