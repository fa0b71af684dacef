# object-server.py DIRECTORY: a server of HTTP and S3 on the loopback that cuts, changes and lies.
#
# Serves the files of DIRECTORY/objects.  Writes DIRECTORY/port when it listens, and a line to DIRECTORY/log
# for each request: method, path, and then Range, If-Match, If-Unmodified-Since, Authorization, Host and
# Accept-Encoding as name=value where they are there.  The first word of a path says how it is served:
#
#     /plain/NAME           with ranges, conditions, ETag and Last-Modified
#     /B/NAME               as behaviour B below
#     /B=ARGUMENT/NAME
#
# With DIRECTORY/certificate and DIRECTORY/key it speaks HTTPS.
#
# "/s3/BUCKET/KEY" wants requests that are signed as AWS signs (version 4), and recomputes the signature.
import email.utils, hashlib, http.server, os, socket, sys, threading, time, urllib.parse

sys.dont_write_bytecode = True
from aws_signature import signature_problem
from test_server import serve

directory = sys.argv[1]
objects = os.path.join(directory, "objects")
log_lock = threading.Lock()
counts = {}


def count(key):
    with log_lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    pause_at = None

    def log_message(self, *arguments):
        pass

    def note(self):
        words = [self.command, self.path]
        for name in ("Range", "If-Match", "If-Unmodified-Since", "Authorization", "Host", "Accept-Encoding"):
            if self.headers.get(name) is not None:
                words.append("%s=%s" % (name, self.headers[name]))
        with log_lock:
            with open(os.path.join(directory, "log"), "a") as log:
                log.write(" ".join(words) + "\n")

    def do_GET(self):
        self.note()
        self.pause_at = None
        first, _, rest = self.path.lstrip("/").partition("/")
        behaviour, _, argument = first.partition("=")
        handle = getattr(self, "serve_" + behaviour.replace("-", "_"), None)
        try:
            if handle is None:
                return self.answer(404, {}, b"")
            handle(rest.partition("?")[0], argument)
        except (Cut, BrokenPipeError, ConnectionResetError):
            self.close_hard()

    def close_hard(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # --- an honest server -------------------------------------------------------------------

    def content(self, name):
        path = os.path.join(objects, urllib.parse.unquote(name))
        with open(path, "rb") as file:
            return file.read(), int(os.stat(path).st_mtime)

    def answer(self, status, headers, body=b"", cut_at=None):
        lines = ["HTTP/1.1 %d X" % status, "Date: " + email.utils.formatdate(usegmt=True)]
        headers = {"Content-Length": str(len(body)), **headers}
        lines += ["%s: %s" % pair for pair in headers.items() if pair[1] is not None]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if cut_at is not None and cut_at < len(body):
            self.wfile.write(body[:cut_at])
            raise Cut
        if self.pause_at is not None and self.pause_at < len(body):
            self.wfile.write(body[:self.pause_at])
            body = body[self.pause_at:]
            while not os.path.exists(os.path.join(directory, "go")):
                time.sleep(0.05)
        self.wfile.write(body)

    def serve(self, name, etag=True, dated=True, ranges=True, cut_at=None, change=None, weak=False):
        try:
            body, mtime = self.content(name)
        except OSError:
            return self.answer(404, {}, b"there is no such object")
        tag = '%s"%s"' % ("W/" if weak else "", hashlib.sha256(body).hexdigest()[:16])
        headers = {"ETag": tag if etag else None, "Accept-Ranges": "bytes" if ranges else None,
                   "Last-Modified": email.utils.formatdate(mtime, usegmt=True) if dated else None}
        wanted = self.headers.get("If-Match")
        if wanted is not None and (not etag or wanted != tag):
            return self.answer(412, {})
        since = self.headers.get("If-Unmodified-Since")
        if since is not None and dated and mtime > email.utils.parsedate_to_datetime(since).timestamp():
            return self.answer(412, {})
        status = 200
        asked = self.headers.get("Range") if ranges else None
        if asked:
            first, _, last = asked[len("bytes="):].partition("-")
            if not first:
                first, last = max(0, len(body) - int(last)), len(body) - 1
            first, last = int(first), min(int(last or len(body) - 1), len(body) - 1)
            if first >= len(body):
                return self.answer(416, {"Content-Range": "bytes */%d" % len(body)})
            headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, len(body))
            status, body = 206, body[first:last + 1]
        if change:
            change(headers)
        self.answer(status, headers, body, cut_at)

    def serve_plain(self, name, _):
        self.serve(name)

    def serve_dated(self, name, _):
        self.serve(name, etag=False)

    def serve_weak(self, name, _):
        self.serve(name, weak=True, dated=False)

    def serve_anonymous(self, name, _):
        self.serve(name, etag=False, dated=False)

    def serve_no_ranges(self, name, _):
        self.serve(name, ranges=False)

    # Of a range from the end, it sends as much from the beginning, as some servers do; it says so, or lies.
    def serve_no_suffix(self, name, argument):
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=-"):
            size = int(asked[len("bytes=-"):])
            self.headers.replace_header("Range", "bytes=0-%d" % (size - 1))
            if argument == "lies":
                total = len(self.content(name)[0])
                part = "bytes %d-%d/%d" % (max(0, total - size), total - 1, total)
                return self.serve(name, change=lambda headers: headers.update({"Content-Range": part}))
        self.serve(name)

    def serve_chunked(self, name, _):
        body, _ = self.content(name)
        self.answer(200, {"Content-Length": None, "Transfer-Encoding": "chunked"})
        for at in range(0, len(body), 100000):
            piece = body[at:at + 100000]
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    # Bytes that say to be compressed ones, though nobody has asked for such.
    def serve_gzipped(self, name, _):
        self.serve(name, change=lambda headers: headers.update({"Content-Encoding": "gzip"}))

    def serve_user(self, name, _):
        if self.headers.get("Authorization") is None:
            return self.answer(401, {"WWW-Authenticate": 'Basic realm="x"'})
        self.serve(name)

    # --- one that has bad moments -----------------------------------------------------------

    # Each of the first answers ends behind so many bytes: cut=BYTES,TIMES.
    def serve_cut(self, name, argument, **how):
        at, times = (int(number) for number in argument.split(","))
        self.serve(name, cut_at=at if count(self.path) <= times else None, **how)

    # The first answers that have this byte of the object end before it: at=OFFSET,TIMES.
    def serve_at(self, name, argument, **how):
        at, times = (int(number) for number in argument.split(","))
        first, _, last = self.headers.get("Range", "bytes=0-")[len("bytes="):].partition("-")
        has_it = int(first) <= at <= int(last or at)
        self.serve(name, cut_at=at - int(first) if has_it and count(self.path) <= times else None, **how)

    def serve_at_anonymous(self, name, argument):
        self.serve_at(name, argument, etag=False, dated=False)

    def serve_cut_anonymous(self, name, argument):
        self.serve_cut(name, argument, etag=False, dated=False)

    def serve_cut_no_ranges(self, name, argument):
        self.serve_cut(name, argument, ranges=False)

    def serve_cut_dated(self, name, argument):
        self.serve_cut(name, argument, etag=False)

    # The first answer, or another one, ends behind so many bytes, and then the object is another one.
    def serve_swap(self, name, argument, cut_answer=1, **how):
        number = count(self.path)
        if number > cut_answer and os.path.exists(os.path.join(objects, name + ".next")):
            os.replace(os.path.join(objects, name + ".next"), os.path.join(objects, name))
        self.serve(name, cut_at=int(argument) if number == cut_answer else None, **how)

    # The same, and no condition is looked at.
    def serve_swap_unconditional(self, name, argument):
        for header in ("If-Match", "If-Unmodified-Since"):
            del self.headers[header]
        self.serve_swap(name, argument)

    # Of the first answer a client can use nothing but that it is of a part.
    def serve_swap_anonymous(self, name, argument):
        self.serve_swap(name, argument, cut_answer=2, etag=False, dated=False)

    # Behind so many bytes of the object it waits until DIRECTORY/go is there.
    def serve_pause(self, name, argument):
        body, _ = self.content(name)
        first = self.headers.get("Range", "bytes=0-")[len("bytes="):].partition("-")[0]
        at = int(argument) - int(first)
        self.pause_at = at if 0 < at < len(body) else None
        self.serve(name)

    # busy=STATUS,TIMES
    def serve_busy(self, name, argument):
        status, times = (int(number) for number in argument.split(","))
        if count(self.path) <= times:
            return self.answer(status, {"Retry-After": "0"}, b"later")
        self.serve(name)

    # --- one that lies ----------------------------------------------------------------------

    def serve_status(self, _, argument):
        self.answer(int(argument), {}, b"<Error><Code>Because</Code></Error>")

    def serve_wrong_first(self, name, _):
        self.serve(name, change=lambda headers: headers.update({"Content-Range": "bytes 1-4/5"}))

    def serve_wrong_total(self, name, _):
        def change(headers):
            if count("wrong total") > 1:
                headers["Content-Range"] = headers["Content-Range"].rpartition("/")[0] + "/99999999"
        self.serve(name, change=change)

    def serve_malformed_range(self, name, _):
        self.serve(name, change=lambda headers: headers.update({"Content-Range": "bytes 5-1/7"}))

    def serve_no_content_range(self, name, _):
        self.serve(name, change=lambda headers: headers.pop("Content-Range", None))

    def serve_whole_later(self, name, _):
        self.serve(name, ranges=count(("whole", name)) == 1)

    def serve_other_etag(self, name, _):
        del self.headers["If-Match"]
        self.serve(name, change=lambda headers: headers.update({"ETag": '"%d"' % count("etag")}))

    def serve_no_etag_later(self, name, _):
        del self.headers["If-Match"]
        self.serve(name, etag=count("no etag") == 1, dated=False)

    def serve_endless_headers(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\n")
        for i in range(10 ** 6):
            self.wfile.write(b"X-%d: %s\r\n" % (i, b"x" * 1000))

    def serve_endless_line(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nX: ")
        for i in range(10 ** 5):
            self.wfile.write(b"x" * 10000)

    def serve_endless_informed(self, name, _):
        for i in range(10 ** 6):
            self.wfile.write(b"HTTP/1.1 103 X\r\nLink: %s\r\n\r\n" % (b"x" * 500))

    def serve_short(self, name, _):
        body, _ = self.content(name)
        self.answer(200, {"Content-Length": str(len(body) + 10), "ETag": '"x"'}, body)
        raise Cut

    def serve_long(self, name, _):
        body, _ = self.content(name)
        self.answer(200, {"Content-Length": str(len(body) - 10), "ETag": '"x"'}, body)
        raise Cut

    def serve_no_length(self, name, _):
        body, _ = self.content(name)
        self.answer(200, {"Content-Length": None, "Connection": "close"}, body)
        raise Cut

    def serve_two_lengths(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg")

    def serve_huge_length(self, name, _):
        self.answer(200, {"Content-Length": "9" * 25}, b"x")

    def serve_negative_length(self, name, _):
        self.answer(200, {"Content-Length": "-5"}, b"x")

    def serve_garbage(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\n\0\1\2")
        raise Cut

    def serve_unended_chunks(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
        raise Cut

    def serve_encoded_transfer(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")

    def serve_no_http(self, name, _):
        self.wfile.write(b"SSH-2.0-OpenSSH_9\r\n" + b"x" * 1000)
        raise Cut

    def serve_silent(self, name, _):
        time.sleep(60)

    # A byte now and then, in the headers or in the body.
    def serve_slow_headers(self, name, _):
        self.wfile.write(b"HTTP/1.1 200 X\r\nX: ")
        while True:
            time.sleep(0.1)
            self.wfile.write(b"x")

    def serve_slow_body(self, name, _):
        self.answer(200, {"Content-Length": "1000000"})
        while True:
            time.sleep(0.1)
            self.wfile.write(b"x")

    def serve_endless_refusal(self, name, _):
        self.answer(404, {"Content-Length": "100000000000"})
        while True:
            self.wfile.write(b"x" * 100000)

    def serve_loop(self, name, _):
        self.answer(302, {"Location": "/loop/%s%d" % (name, count("loop"))})

    # to=URL, percent-encoded
    def serve_to(self, name, argument):
        self.answer(302, {"Location": urllib.parse.unquote(argument)})

    # --- S3 ---------------------------------------------------------------------------------

    def serve_s3(self, rest, _):
        problem = signature_problem("GET", self.path, self.headers, hashlib.sha256(b"").hexdigest(),
                                    os.environ.get("TOKEN"))
        if problem:
            return self.answer(403, {"X-Problem": problem}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        bucket, _, key = rest.partition("/")
        if bucket == "elsewhere":
            return self.answer(301, {"x-amz-bucket-region": "eu-test-2", "Location": "http://127.0.0.1:1/"})
        if bucket.startswith("cut."):
            return self.serve_cut(key, bucket[len("cut."):].replace(".", ","))
        self.serve(key)


serve(Handler, directory)
