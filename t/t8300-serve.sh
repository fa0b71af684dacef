#!/bin/sh

test_description='dig serve answers requests of HTTP, and withstands those that are hostile'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}
test -x "$DIG_BUILD/dig-serve" || {
	skip_all='dig-serve was not built, for want of libmicrohttpd'
	test_done
}

# start_serving [OPTION...]: in the directory w; the URL is in $url then.
start_serving () {
	rm -f "$TRASH/url" &&
	{ (cd "$TRASH/w" && exec timeout 120 dig-serve -q --listen=127.0.0.1:0 "$@") >"$TRASH/url" 2>"$TRASH/serving" & } &&
	serving=$! &&
	until test -s "$TRASH/url"
	do
		kill -0 $serving || return 1
		sleep 0.05
	done
	read -r url <"$TRASH/url"
}

stop_serving () {
	{ kill $serving && wait $serving; } 2>/dev/null
	:
}

# One process asks for all, since Python takes its time to start.
mkfifo requests replies || exit 1
python3 "$TEST_DIRECTORY/helper/ask-server.py" <requests >replies 2>asking &
exec 7>requests 8<replies

# ask METHOD TARGET [FIELD]...: the answer comes into head and body.  1 if it was cut short.
ask () {
	{ printf "%s" "$url" && printf "\t%s" "$@" && echo; } >&7 && read -r reply <&8 && return $reply
}
# gets STATUS TARGET [FIELD]...
gets () {
	expected=$1 && shift && ask GET "$@" && { test "$(head -n 1 head)" = $expected || { cat head body; return 1; }; }
}
has () {
	grep -x "$1" head || { cat head; return 1; }
}

test_expect_success 'a store with two states' '
	mkdir w && cd w && dig init --store-id=$(printf "%064d" 7) >/dev/null && mkdir -p d/e hollow "odd <&\"" && echo one >one &&
	: >empty && echo deep >d/e/file.txt && seeded 3M 1 >large && seeded 42M 2 >huge && seeded --text 200K 3 >text.txt &&
	ln -s d/e/file.txt link && ln -s ../one d/up && ln -s /etc/passwd outside && ln -s ../../x d/beyond && ln -s nothing broken &&
	ln -s d/e across && ln -s ping pong && ln -s pong ping && echo "<script>alert(1)</script>" >page.html &&
	python3 -c "
import os
for name in (b\"quote\\\"'"'"'\", b\"new\\nline\", b\"bad\\xff\\xfe\", b\"<b>&amp;\", b\"50%41?x#y\", \"\\u00e4\".encode(), b\"a b+c;d=e:f\", b\"back\\\\slash\"):
    open(os.path.join(b\"odd <&\\\"\", name), \"wb\").write(name)
" && touch -d "2020-01-02 03:04:05" one && dig add -q -A && dig commit -q -m "first <i>" &&
	echo two >one && dig add -q one && dig commit -q -m second
'

test_expect_success 'it prints its URL when it is ready' '
	start_serving && echo "$url" | grep -x "http://127\.0\.0\.1:[0-9]*/"
'

test_expect_success 'proofs, the checkpoint and tiles come, too' '
	root=$(dig -C w info root) && gets 200 "/HEAD/text.txt?proof" && dig-verify-proof --root=$root --path=text.txt --data=w/text.txt body >told &&
	gets 200 "/HEAD/large?proof=100-200" && dig-verify-proof -q --root=$root --path=large --range=100-200 body &&
	gets 200 "/@1/d/nothing?proof=absent" && dig-verify-proof -q --root=$(dig -C w prove --state @1 | dig -C w verify - | sed -n "s/^root //p") body &&
	gets 404 "/HEAD/nothing?proof" && gets 404 "/HEAD/one?proof=absent" && gets 400 "/HEAD/one?proof=x" && gets 400 "/HEAD/one?proof=9-" &&
	gets 200 /checkpoint && dig -C w checkpoint | test_cmp - body && gets 200 /tile/0/000.p/2 && test $(wc -c <body) = 64 && gets 200 /tile/entries/000.p/1 &&
	test $(wc -c <body) = 34 && for name in 0/000 0/000.p/3 0/001.p/1 1/000.p/1 0/0 0/000.p/0 00/000.p/1 9/000 entries/000 x/000 0/x000/000 ""
	do
		gets 404 /tile/$name || return 1
	done
'

test_expect_success 'content comes by each name of a state' '
	root=$(dig -C w info root) && generation=$(dig -C w log --oneline | wc -l) && test $generation = 2 &&
	short=$(dig -C w log --oneline | sed -n "s/^@1 \([0-9a-f]*\) .*/\1/p") &&
	for name in HEAD @2 $root HEAD~0
	do
		gets 200 /$name/one && echo two | test_cmp - body || return 1
	done &&
	for name in HEAD~1 HEAD%7E1 %401 $short
	do
		gets 200 /$name/one && echo one | test_cmp - body || return 1
	done
'

test_expect_success 'and by URNs' '
	id=$(printf "%064d" 7) && root=$(dig -C w info root) &&
	gets 200 /urn:dig:chia:$id/one && echo two | test_cmp - body && has "cache-control: no-cache" &&
	gets 200 /urn:dig:chia:$id:$root/d/e/file.txt && echo deep | test_cmp - body && has "cache-control: .*immutable" &&
	gets 200 /URN:DIG:CHIA:$id/d/ && gets 307 /urn:dig:chia:$id && has "location: /urn:dig:chia:$id/" &&
	gets 404 /urn:dig:chia:$(printf "%064d" 8)/one && grep "is of the store" body &&
	gets 400 /urn:dig:chia:xyz/one && gets 400 /urn:dig:other:$id/one && gets 400 /urn:dig:chia:$id/%2e%2e
'

test_expect_success 'fields tell of the content' '
	root=$(dig -C w info root) && gets 200 /@1/one && has "content-length: 4" && has "content-type: application/octet-stream" &&
	has "last-modified: Thu, 02 Jan 2020 03:04:05 GMT" &&
	has "x-content-type-options: nosniff" && has "content-security-policy: sandbox; default-src .none.;.*" && has "accept-ranges: bytes" &&
	has "cache-control: no-cache" && (cd w && echo one | dig-hash-object --stdin) >actual && read -r digest rest <actual &&
	has "etag: \"$digest\"" &&
	gets 200 /$root/one && has "cache-control: public, max-age=31536000, immutable" &&
	gets 200 /HEAD/text.txt && has "content-type: text/plain; charset=utf-8" && cmp w/text.txt body &&
	gets 200 /HEAD/page.html && has "content-type: text/html; charset=utf-8" && has "content-security-policy: sandbox;.*"
'

test_expect_success 'content of any size comes as it is' '
	for name in empty large huge
	do
		gets 200 /HEAD/$name && cmp w/$name body && has "content-length: $(wc -c <w/$name)" || return 1
	done &&
	gets 200 /HEAD/huge && cmp w/huge body
'

test_expect_success 'a range is a part' '
	gets 206 /HEAD/huge "Range: bytes=1000000-2048575" && has "content-range: bytes 1000000-2048575/44040192" &&
	tail -c +1000001 w/huge | head -c 1048576 >expect && cmp expect body &&
	gets 206 /HEAD/huge "Range: bytes=1000000-2048575" && cmp expect body &&
	gets 206 /HEAD/huge "Range: bytes=70000-43000000" && tail -c +70001 w/huge | head -c 42930001 >expect && cmp expect body &&
	gets 206 /HEAD/huge "Range: bytes=44040191-" && tail -c 1 w/huge >expect && cmp expect body &&
	gets 206 /HEAD/one "Range: bytes=-2" && has "content-range: bytes 2-3/4" && printf "o\n" | test_cmp - body &&
	gets 206 /HEAD/one "Range: bytes=0-999" && has "content-range: bytes 0-3/4" && has "content-length: 4"
'

test_expect_success 'a range that cannot be had is 416, and what is no range is ignored' '
	for range in 4- 9-12 -0 0-0,2-3 0-0,0-0
	do
		gets 416 /HEAD/one "Range: bytes=$range" && has "content-range: bytes \*/4" || return 1
	done &&
	gets 416 /HEAD/empty "Range: bytes=0-" && has "content-range: bytes \*/0" &&
	gets 200 /HEAD/empty "Range: bytes=-5" && test_cmp /dev/null body &&
	for range in bytes=2-1 bytes=x lines=0-1 bytes
	do
		gets 200 /HEAD/one "Range: $range" && echo two | test_cmp - body || return 1
	done
'

test_expect_success 'conditions hold or do not' '
	gets 200 /HEAD/one && etag=$(sed -n "s/^etag: //p" head) && date=$(sed -n "s/^last-modified: //p" head) &&
	for condition in "If-None-Match: $etag" "If-None-Match: W/$etag" "If-None-Match: \"x\", $etag" "If-None-Match: *" "If-Modified-Since: $date"
	do
		gets 304 /HEAD/one "$condition" && test_cmp /dev/null body && has "etag: $etag" || return 1
	done &&
	gets 200 /HEAD/one "If-None-Match: \"x\"" && gets 200 /HEAD/one "If-Match: $etag" &&
	gets 412 /HEAD/one "If-Match: \"x\"" && gets 412 /HEAD/one "If-Match: W/$etag" &&
	gets 412 /HEAD/one "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT" &&
	gets 206 /HEAD/one "If-Range: $etag" "Range: bytes=0-0" && gets 200 /HEAD/one "If-Range: \"x\"" "Range: bytes=0-0" &&
	gets 412 /HEAD/one "If-Match: \"x\"" "Range: bytes=0-0" && gets 304 /HEAD/one "If-None-Match: *" "Range: bytes=9-"
'

test_expect_success 'HEAD has the fields of GET, and no body' '
	for target in /HEAD/huge /HEAD/empty /HEAD/one /HEAD/d/ /HEAD/d / /HEAD/nothing
	do
		ask GET $target && grep -v "^date:" head >expect && ask HEAD $target && test_cmp /dev/null body &&
		grep -v "^date:" head >actual && test_cmp expect actual || return 1
	done
'

test_expect_success 'other methods are refused, with a body or without' '
	for method in POST PUT DELETE OPTIONS PATCH BREW
	do
		ask $method /HEAD/one "Content-Length: 0" && test $(head -n 1 head) = 405 && has "allow: GET, HEAD" || return 1
	done
'

test_expect_success 'what is not there is 404, and says so' '
	gets 404 /HEAD/nothing && grep "^.nothing. is not in the state .HEAD.$" body && gets 404 /HEAD/d/e/file.txt/x &&
	gets 404 /HEAD/one/ && grep "is a file" body && gets 404 /HEAD~7/ && grep "only 2 generations" body &&
	gets 404 /@99/one && gets 404 /ffffffffff/one && gets 404 /favicon.ico && gets 404 // && gets 404 //example.org/ &&
	gets 404 /ab/ && gets 404 "/$(printf "%064d" 3)/one"
'

test_expect_success 'a path that cannot be stored is 400' '
	for path in .. %2e%2e d/../one d/%2e%2e/one .. ../../etc/passwd %2e%2e%2f%2e%2e%2fone . d/./e .dig/format d//e one%00 %00 % %4 %zz %
	do
		gets 400 /HEAD/$path || { echo "$path"; return 1; }
	done &&
	gets 400 "/?before=x" && gets 400 /HEAD/$(printf "%0300d" 1)
'

test_expect_success 'pages list states and directories, newest first' '
	gets 200 / && has "content-type: text/html; charset=utf-8" && grep -o "first &lt;i&gt;\|second" body >actual &&
	printf "%s\n" second "first &lt;i&gt;" | test_cmp - actual &&
	gets 307 /HEAD/d && has "location: /HEAD/d/" && gets 307 "/HEAD?format=json" && has "location: /HEAD/?format=json" &&
	gets 200 /HEAD/d/ && grep "<a href=\"e/\">e/</a>" body && grep "<a href=\"up\">up</a>" body &&
	gets 200 /HEAD/hollow/ && grep "Nothing is in it" body && gets 307 /HEAD/hollow &&
	etag=$(sed -n "s/^etag: //p" head) && gets 200 /HEAD/ && etag=$(sed -n "s/^etag: //p" head) && gets 304 /HEAD/ "If-None-Match: $etag"
'

test_expect_success 'JSON is valid, and its links lead to every name that there is' '
	cat >crawl.py <<-\EOF &&
	import http.client, json, os, sys, urllib.parse
	at = urllib.parse.urlsplit(sys.argv[1])
	connection = http.client.HTTPConnection(at.hostname, at.port, timeout=20)
	def get(target, **fields):
	    connection.request("GET", target, headers=fields)
	    answer = connection.getresponse()
	    return answer.status, answer.read()
	def walk(target, found):
	    query = "?format=json"
	    while query:
	        status, body = get(target + query)
	        assert status == 200, (target, status)
	        page = json.loads(body)
	        for entry in page["entries"]:
	            name = target + entry["href"]
	            if entry["type"] == "directory":
	                walk(name, found)
	            else:
	                found.append(urllib.parse.unquote_to_bytes(name.split("/", 2)[2]))
	                if entry["type"] == "file":
	                    status, body = get(name)
	                    assert status == 200 and len(body) == entry["size"], name
	                    assert body == open(os.path.join(b"w", found[-1]), "rb").read(), name
	        query = page.get("next")
	found = []
	walk("/HEAD/", found)
	sys.stdout.buffer.write(b"".join(path + b"\0" for path in sorted(found)))
	status, body = get("/", Accept="application/json")
	states = json.loads(body)
	assert [state["generation"] for state in states["states"]] == [2, 1], states
	assert states["states"][1]["message"] == "first <i>" and states["store"] == "%064d" % 7
	EOF
	python3 crawl.py $url >actual && (cd w && find . -path ./.dig -prune -o ! -type d -print0) | sed -z "s|^\./||" | sort -z >expect &&
	cmp expect actual
'

test_expect_success 'names are no markup' '
	gets 200 "/HEAD/odd%20%3C%26%22/" && ! grep "<b>\|<&" body && grep "&lt;b&gt;&amp;amp;" body && grep "bad.377.376" body &&
	grep "href=\"50%2541%3Fx%23y\"" body && gets 200 "/HEAD/odd%20%3C%26%22/50%2541%3Fx%23y" && printf "50%%41?x#y" | test_cmp - body &&
	gets 200 "/HEAD/odd%20%3C%26%22/new%0Aline" && gets 404 "/HEAD/%3Cscript%3E" && has "content-type: text/plain; charset=utf-8"
'

test_expect_success 'a link within the state is a redirect, and any other one is its text' '
	gets 307 /HEAD/link && has "location: /HEAD/d/e/file.txt" && gets 307 /HEAD/d/up && has "location: /HEAD/one" &&
	gets 307 /HEAD/across && has "location: /HEAD/d/e" && gets 307 /HEAD/across/file.txt && has "location: /HEAD/d/e/file.txt" &&
	gets 200 /HEAD/outside && has "content-type: inode/symlink" && printf /etc/passwd | test_cmp - body &&
	gets 200 /HEAD/d/beyond && printf ../../x | test_cmp - body && gets 200 /HEAD/broken && gets 307 /HEAD/ping &&
	gets 404 /HEAD/outside/x && grep "is a symbolic link to ./etc/passwd." body &&
	gets 200 "/HEAD/link?format=link" && printf d/e/file.txt | test_cmp - body
'

test_expect_success 'a host that is not this machine is refused on its own addresses' '
	for host in localhost 127.0.0.1:80 "[::1]:1" LOCALHOST:9
	do
		gets 200 / "Host: $host" || return 1
	done &&
	for host in example.org 127.0.0.1.example.org localhost.example.org:80 ""
	do
		gets 421 / "Host: $host" || return 1
	done
'

test_expect_success 'new states are there at once' '
	echo three >w/one && dig -C w add -q one && gets 200 /HEAD/one && echo two | test_cmp - body &&
	dig -C w commit -q -m third && gets 200 /HEAD/one && echo three | test_cmp - body && gets 200 /@3/one && gets 200 /HEAD~2/one
'

test_expect_success 'repack and gc go on meanwhile, and what was dropped is gone' '
	first=$(dig -C w log --oneline | sed -n "s/^@1 \([0-9a-f]*\) .*/\1/p") && gets 200 /@1/one && gets 200 /$first/text.txt &&
	dig -C w repack -q && gets 200 /HEAD/huge && cmp w/huge body && gets 200 /@1/one && echo one | test_cmp - body &&
	dig -C w gc -q --keep-last=1 && gets 410 /@1/one && grep "dropped by .dig gc." body && gets 410 /$first/ &&
	gets 200 /HEAD/text.txt && cmp w/text.txt body && gets 200 / && grep "(dropped)" body && gets 206 /HEAD/huge "Range: bytes=5-9"
'

cat >hostile.py <<\EOF
import socket, sys, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
def send(data):
    with socket.create_connection((at.hostname, at.port), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer
end = b"Host: localhost\r\nConnection: close\r\n\r\n"
def status(data):
    answer = send(data)
    return int(answer.split()[1]) if answer else 0
assert status(b"GET /HEAD/one HTTP/1.1\r\n" + end) == 200
assert status(b"GET /HEAD/one HTTP/1.0\r\n\r\n") == 200
assert status(b"GET /HEAD/" + b"x" * 100000 + b" HTTP/1.1\r\n" + end) in (0, 400, 414, 431)
assert status(b"GET /HEAD/one HTTP/1.1\r\nX: " + b"x" * 100000 + b"\r\n" + end) in (0, 400, 413, 431)
assert status(b"GET /HEAD/one HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + end) in (0, 400, 413, 431)
assert status(b"GET http://localhost/HEAD/one HTTP/1.1\r\n" + end) == 200
assert status(b"GET one HTTP/1.1\r\n" + end) == 400
assert status(b"GET /HEAD/%c3%28%ff HTTP/1.1\r\n" + end) == 404
for junk in (b"\x16\x03\x01\x02\x00\x01\x00" * 20, b"\r\n" * 50000, b"\0" * 1000, b"GET", b"GET / HTTP/9.9\r\n\r\n",
        b"GET /HEAD/one\0/x HTTP/1.1\r\n" + end, b"GET /\xff\xfe HTTP/1.1\r\n" + end, b" " * 70000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
    with socket.create_connection((at.hostname, at.port), timeout=20) as connection:
        try:
            connection.sendall(junk)
        except (ConnectionResetError, BrokenPipeError):
            pass
# What is sent behind a request is the next one, and a body is none.
two = send(b"GET /HEAD/one HTTP/1.1\r\nHost: localhost\r\n\r\nGET /HEAD/d/e/file.txt HTTP/1.1\r\n" + end)
assert two.count(b"HTTP/1.1 200") == 2 and two.index(b"three\n") < two.index(b"deep\n"), two
body = b"GET /HEAD/d/e/file.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
one = send(b"GET /HEAD/one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
assert one.count(b"HTTP/1.1 200") == 1 and b"deep" not in one, one
many = send(b"GET /HEAD/one HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500 + b"GET /HEAD/one HTTP/1.1\r\n" + end)
assert many.count(b"HTTP/1.1 200") == 501
# Who goes away in the middle of an answer disturbs nobody.
for i in range(20):
    with socket.create_connection((at.hostname, at.port)) as gone:
        gone.sendall(b"GET /HEAD/huge HTTP/1.1\r\nHost: localhost\r\n\r\n")
        gone.recv(1)
assert status(b"GET /HEAD/one HTTP/1.1\r\n" + end) == 200
EOF

test_expect_success 'hostile requests are refused, and others are answered meanwhile' '
	python3 hostile.py $url && gets 200 /HEAD/one && test_cmp /dev/null serving
'

cat >together.py <<\EOF
import hashlib, socket, sys, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
expected = {name: hashlib.sha256(open("w/" + name, "rb").read()).digest() for name in ("words", "large")}
clients = []
for i in range(60):
    name = "words" if i % 3 else "large"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(60)
    connection.connect((at.hostname, at.port))
    connection.sendall(b"GET /HEAD/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % name.encode())
    clients.append([name, connection, b"", hashlib.sha256()])
while clients:
    for client in clients[:]:
        name, connection, head, content = client
        piece = connection.recv(100000)
        if not piece:
            assert content.digest() == expected[name], name
            clients.remove(client)
        elif head == b"done":
            content.update(piece)
        else:
            client[2] = head + piece
            if b"\r\n\r\n" in client[2]:
                content.update(client[2].split(b"\r\n\r\n", 1)[1])
                client[2] = b"done"
EOF

# The memory for content is enough for a third of them.
test_expect_success 'clients that are slow get their content beside each other' '
	seeded --text 6M 4 >w/words && dig -C w add -q words && dig -C w commit -q -m words && python3 together.py $url &&
	process=$(tr -d " " <"/proc/$serving/task/$serving/children") &&
	most=$(sed -n "s/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p" /proc/$process/status) && echo $most &&
	{ grep -q fsanitize "$DIG_BUILD/flags" || test $most -lt 97656; }
'

test_expect_success 'SIGTERM ends it as it does other commands' '
	kill $serving && test_expect_code 143 wait $serving && test_cmp /dev/null serving
'

cat >slow.py <<\EOF
import socket, sys, time, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
def open_one(data=b""):
    connection = socket.create_connection((at.hostname, at.port), timeout=30)
    connection.sendall(data)
    return connection
def ended(connection):
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True
request = b"GET /HEAD/one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# Each of these has begun a request, and four are the most.
held = [open_one(b"GET / HTTP/1.1\r\nX: ") for i in range(4)]
assert ended(open_one())
# One of them sends a byte from time to time, and is cut nevertheless.
cut = False
for i in range(200):
    try:
        held[0].sendall(b"x")
    except (ConnectionResetError, BrokenPipeError):
        cut = True
        break
    time.sleep(0.1)
assert cut and all(ended(connection) for connection in held)
for i in range(100):
    try:
        if open_one(request).recv(12) == b"HTTP/1.1 200":
            sys.exit(0)
    except ConnectionResetError:
        pass
    time.sleep(0.1)
sys.exit("no answer after all were cut")
EOF

test_expect_success 'connections are bounded in number and time' '
	start_serving --connections=4 --timeout=1 && test_when_finished stop_serving && python3 slow.py $url
'

test_expect_success 'content that is damaged is never sent as if it were complete' '
	start_serving && test_when_finished stop_serving && gets 200 /HEAD/huge && cmp w/huge body &&
	layer=$(ls -S w/.dig/layers/* | head -n 1) && cp "$layer" intact && size=$(wc -c <"$layer") && chmod u+w "$layer" &&
	printf X | dd of="$layer" bs=1 seek=$((size / 2)) conv=notrunc status=none &&
	{ ask GET /HEAD/huge; test $? = 1; } && test $(wc -c <body) -lt 44040192 && cmp -n $(wc -c <body) w/huge body &&
	grep "chunk [0-9a-f]* is damaged" serving && stop_serving && start_serving &&
	{ ask GET /HEAD/huge; test $? = 1; } && test $(wc -c <body) -lt 44040192 && cmp -n $(wc -c <body) w/huge body &&
	at=$((size / 2)) && { gets 500 /HEAD/huge "Range: bytes=$((at - 300000))-$((at + 300000))"; } && grep "dig check" body &&
	gets 200 /HEAD/one && cat intact >"$layer" && gets 200 /HEAD/huge && cmp w/huge body
'

test_expect_success 'a store that loses its layers is told of' '
	start_serving && test_when_finished stop_serving && mv w/.dig/layers w/.dig/away && { gets 500 /HEAD/d/e/ || gets 503 /HEAD/d/e/; } &&
	test -s serving && mv w/.dig/away w/.dig/layers && gets 200 /HEAD/d/e/
'

test_expect_success 'it takes other addresses' '
	start_serving --listen=localhost:0 && echo "$url" | grep "^http://localhost:" && stop_serving &&
	if python3 -c "import socket; socket.socket(socket.AF_INET6).bind((\"::1\", 0))" 2>/dev/null
	then
		start_serving "--listen=[::1]:0" && echo "$url" | grep "^http://\[::1\]:" && gets 200 / && stop_serving
	fi &&
	start_serving --listen=:0 && url=$(echo "$url" | sed s/0.0.0.0/127.0.0.1/) && gets 200 / "Host: example.org" && stop_serving &&
	start_serving --host=Example.org && gets 200 / "Host: example.ORG:80" && gets 421 / "Host: example.com" && stop_serving
'

test_expect_success 'what is no address or no number is refused' '
	cd w && for address in 8080 127.0.0.1 127.0.0.1:x 127.0.0.1:65536 ::1:80 "[::1]" 127.0.0.1: "[]:80"
	do
		test_expect_code 129 dig-serve --listen=$address || return 1
	done &&
	test_expect_code 129 dig-serve --connections=0 && test_expect_code 129 dig-serve --timeout=0 &&
	test_expect_code 128 dig-serve --listen=nowhere.invalid:80
'

test_expect_success 'an address that is in use is an error' '
	start_serving && test_when_finished stop_serving && port=${url##*:} && port=${port%/} && cd w &&
	test_expect_code 128 dig-serve --listen=127.0.0.1:$port 2>../err && grep "cannot listen on .127.0.0.1:$port.: .*in use" ../err
'

test_expect_success 'a store without a state has a page' '
	mkdir new && (cd new && dig init >/dev/null) && mv w old && mv new w && start_serving && test_when_finished stop_serving &&
	gets 200 / && grep "Nothing is committed yet" body && gets 404 /HEAD/ && grep "nothing is committed yet" body
'

cat >names.py <<\EOF
import http.client, json, sys, urllib.parse
at = urllib.parse.urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(at.hostname, at.port)
names, query = [], "?format=json"
while query:
    connection.request("GET", "/HEAD/many/" + query)
    page = json.loads(connection.getresponse().read())
    names += [entry["name"] for entry in page["entries"]]
    query = page.get("next")
assert len(names) == len(set(names)) == 1501, len(names)
EOF

test_expect_success 'directories of many names have pages' '
	mkdir w/many && (cd w/many && seq -f "%05g" 1 1500 | xargs touch && mkdir 00500.d && touch 00500.d/x) && dig -C w add -q -A &&
	dig -C w commit -q -m many && start_serving && test_when_finished stop_serving && gets 200 /HEAD/many/ &&
	grep -c "<tr><td>" body >actual && grep "href=\"?after=00999\">more" body && gets 200 "/HEAD/many/?after=00999" &&
	grep -c "<tr><td>" body >>actual && printf "%s\n" 1000 501 | test_cmp - actual && python3 names.py $url
'

test_done
