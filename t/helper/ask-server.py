# Asks servers of HTTP, for scripts.  Each line of standard input is URL, METHOD, TARGET and fields
# ("NAME: VALUE"), with a TAB between them.  The answer comes into the files head and body: head has
# the status in its first line, then the fields in lower case.  Then a line is printed: 0 if the answer
# was complete, 1 if it was cut short, 2 if there was none.
import http.client
import sys
import urllib.parse


def ask(url, method, target, *fields):
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
    fields = [field.split(": ", 1) for field in fields]
    has_host = any(name == "Host" for name, value in fields)
    connection.putrequest(method, target, skip_accept_encoding=True, skip_host=has_host)
    for name, value in fields:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    with open("head", "w") as head:
        print(answer.status, file=head)
        for name, value in answer.getheaders():
            print(f"{name.lower()}: {value}", file=head)
    with open("body", "wb") as body:
        try:
            while piece := answer.read(1 << 16):
                body.write(piece)
        except http.client.IncompleteRead as error:
            body.write(error.partial)
            return 1
        finally:
            connection.close()
    return 1 if answer.length else 0


for line in sys.stdin:
    try:
        status = ask(*line.rstrip("\n").split("\t"))
    except Exception as error:
        print(line, repr(error), file=sys.stderr)
        status = 2
    print(status, flush=True)
