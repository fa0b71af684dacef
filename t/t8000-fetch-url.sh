#!/bin/sh

test_description='dig-fetch-url gives the bytes of one object, or fails in time and says why'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/object-server-lib.sh"

test_expect_success 'a server with objects' '
	start_server &&
	dig-config --global fetch.retries 2 &&
	dig-config --global fetch.stall_time 1 &&
	echo hello >"$objects/small" && : >"$objects/empty" &&
	seeded 9M 1 >"$objects/large" && seeded 70M 2 >"$objects/huge" &&
	cp "$objects/small" "$objects/a b%c+d" &&
	touch -d "2020-01-01" "$objects"/*
'

test_expect_success 'objects of any size come as they are' '
	for name in small empty large
	do
		dig-fetch-url $at/plain/$name >actual && cmp "$objects/$name" actual || return 1
	done &&
	dig-fetch-url "$at/plain/a%20b%25c+d?query=1#fragment" >actual && cmp "$objects/small" actual
'

test_expect_success 'no encoding is asked for, and the first request is for a part' '
	requests >before && dig-fetch-url $at/plain/small >actual && requests >actual &&
	grep "Range=bytes=0-8388607" actual && ! grep Accept-Encoding actual && test $(wc -l <actual) = 1
'

# A few bytes could become any number of them.
test_expect_success 'what a server says to be compressed comes as it is, and is not decompressed' '
	gzip -c <"$objects/small" >"$objects/small.gz" && touch -d 2020-01-01 "$objects/small.gz" &&
	dig-fetch-url $at/gzipped/small.gz >actual && cmp "$objects/small.gz" actual
'

test_expect_success 'it goes on from a byte, if the object is the same' '
	printf "lo\n" >expect && dig-fetch-url --resume-from=3 $at/plain/small >actual && cmp expect actual &&
	tail -c +9000001 "$objects/large" >expect &&
	dig-fetch-url --resume-from=9000000 $at/plain/large >actual && cmp expect actual &&
	dig-fetch-url --resume-from=9000000 $at/no-ranges/large >actual && cmp expect actual &&
	printf "0 - -\t%s\n" $at/plain/large | dig-fetch-url --batch >reply &&
	validator=$(head -n 1 reply | cut -d" " -f4-) &&
	dig-fetch-url --if-same="$validator" --resume-from=9000000 $at/plain/large >actual && cmp expect actual &&
	test_expect_code 1 dig-fetch-url --if-same="$validator" --resume-from=1 $at/plain/small 2>err >actual &&
	test_cmp /dev/null actual && grep "has changed since" err &&
	test_expect_code 1 dig-fetch-url --resume-from=7 $at/plain/small &&
	test_expect_code 1 dig-fetch-url --resume-from=7 $at/no-ranges/small
'

# A machine with other work may be late, and nothing is wrong then.
patient="
fetch.stall_time=30"

# Where the first part is fast, one connection brings the rest.
test_expect_success 'a large object comes in order over several connections, too' '
	requests >before &&
	for connections in 0 1 2 6
	do
		DIG_CONFIG=fetch.connections=$connections$patient dig-fetch-url $at/plain/huge >actual && cmp "$objects/huge" actual ||
			return 1
		requests >asked.$connections
	done &&
	test $(wc -l <asked.1) = 2 && test $(wc -l <asked.6) = 9 && grep "Range=bytes=67108864-73400319" asked.6 &&
	test $(grep -c If-Match= asked.6) = 8
'

test_expect_success 'a server without ranges, with chunks, with dates or with nothing gives its objects' '
	for how in no-ranges chunked dated weak anonymous
	do
		dig-fetch-url $at/$how/large >actual && cmp "$objects/large" actual &&
		dig-fetch-url $at/$how/empty >actual && cmp "$objects/empty" actual || { echo $how; return 1; }
	done
'

test_expect_success 'a connection that is cut goes on where it was' '
	for cut in 0 1 70000 5000000 8388607
	do
		requests >before && dig-fetch-url $at/cut=$cut,2/large >actual && cmp "$objects/large" actual || return 1
	done &&
	requests >asked && grep "Range=bytes=8388607-8388607 If-Match" asked &&
	for how in cut-no-ranges cut-dated
	do
		dig-fetch-url $at/$how=5000000,2/large >actual && cmp "$objects/large" actual || return 1
	done &&
	DIG_CONFIG=fetch.connections=4 dig-fetch-url $at/cut=3000000,5/huge >actual && cmp "$objects/huge" actual
'

test_expect_success 'attempts that bring nothing are counted, and others are not' '
	test_expect_code 12 dig-fetch-url $at/cut=1,3/small >actual 2>err && printf hel | cmp - actual &&
	dig-fetch-url $at/cut=1,2/small >actual && cmp "$objects/small" actual &&
	dig-fetch-url $at/cut=100000,50/large >actual && cmp "$objects/large" actual
'

test_expect_success 'a server that is busy is asked again, and no other error is' '
	dig-fetch-url $at/busy=503,2/small >actual && cmp "$objects/small" actual &&
	dig-fetch-url $at/busy=429,1/small >actual && cmp "$objects/small" actual &&
	requests >before &&
	test_expect_code 12 dig-fetch-url $at/busy=404,1/small 2>err && requests >asked && test $(wc -l <asked) = 1 &&
	test_expect_code 12 dig-fetch-url $at/busy=503,3/small 2>err && requests >asked && test $(wc -l <asked) = 3 &&
	grep "^dig-fetch-url: cannot fetch .$at/busy=503,3/small.: the server answers with status 503$" err
'

test_expect_success 'where nobody listens it ends, and says so' '
	test_expect_code 12 dig-fetch-url http://127.0.0.1:1/x >actual 2>err && test_cmp /dev/null actual &&
	grep "cannot fetch .http://127.0.0.1:1/x.: .*onnect" err
'

# A part of the old one may be out already: then it is no success.
test_expect_success 'an object that is replaced meanwhile is never mixed with the new one' '
	seeded 9M 7 >new &&
	for how in swap swap-unconditional swap-anonymous
	do
		code=1 && { test $how != swap-anonymous || code=12; } &&
		for cut in 100 70000 8388608
		do
			seeded 9M 6 >"$objects/it" && touch -d 2020-01-01 "$objects/it" && cp new "$objects/it.next" &&
			test_expect_code $code dig-fetch-url $at/$how=$cut/it >actual 2>err &&
			seeded 9M 6 | head -c $(wc -c <actual) | cmp - actual && grep "cannot fetch" err || { echo $how $cut; return 1; }
			mv "$objects/it" "$objects/it.$how.$cut"
		done
	done
'

# lie BEHAVIOUR NAME MESSAGE [OPTION...]: it ends with 12, within a time that a stall has several times.
lie () {
	lie_how=$1 lie_name=$2 lie_message=$3
	shift 3
	test_expect_code 12 timeout 60 dig-fetch-url "$@" "$at/$lie_how/$lie_name" >actual 2>err &&
		grep "^dig-fetch-url: cannot fetch .*: .*$lie_message" err || { cat err; echo "$lie_how"; return 1; }
}

test_expect_success 'what contradicts itself is refused' '
	lie wrong-first large "another part than it was asked for" &&
	lie malformed-range large "Content-Range that is malformed" &&
	lie no-content-range large "does not tell which" &&
	lie two-lengths small "Content-Length" &&
	lie huge-length small "" &&
	lie negative-length small "" &&
	lie no-length small "tells no size" &&
	lie encoded-transfer small "Transfer-Encoding" &&
	lie garbage small "" &&
	lie whole-later large "whole object to a request for a part" &&
	lie no-http small ""
'

test_expect_success 'what changes from answer to answer is another object' '
	for how in wrong-total other-etag no-etag-later
	do
		test_expect_code 1 dig-fetch-url $at/$how/large >actual 2>err && cmp -n 8388608 "$objects/large" actual &&
		test $(wc -c <actual) = 8388608 || { echo $how; return 1; }
	done
'

test_expect_success 'a body that is shorter than announced is no object, and of one that is longer the rest is not taken' '
	lie short small "" && cmp -n 6 "$objects/small" actual && test $(wc -c <actual) = 6 &&
	head -c 9437174 "$objects/large" >expect && dig-fetch-url $at/long/large >actual && cmp expect actual &&
	test_expect_code 12 dig-fetch-url $at/unended-chunks/small
'

test_expect_success 'headers without end are not read' '
	lie endless-headers small "more than 256 KB of headers" &&
	lie endless-line small "" &&
	lie endless-informed small "more than 256 KB of headers" &&
	lie endless-refusal small "status 404"
'

test_expect_success 'a server that sends next to nothing is left' '
	dig-config --global fetch.retries 0 && test_when_finished "dig-config --global fetch.retries 2" &&
	for how in slow-headers slow-body silent
	do
		lie $how small "next to nothing for 1 s" || return 1
	done
'

test_expect_success 'limits of size, time and redirects are kept' '
	DIG_CONFIG=fetch.max_size=5MB test_expect_code 12 dig-fetch-url $at/plain/large 2>err >actual &&
	test_cmp /dev/null actual && grep "larger than fetch.max_size" err &&
	DIG_CONFIG=fetch.max_size=5MB test_expect_code 12 dig-fetch-url $at/chunked/large 2>err >actual &&
	test $(wc -c <actual) -le 5242880 &&
	DIG_CONFIG="fetch.max_time=1
fetch.stall_time=30" lie silent small "longer than fetch.max_time" &&
	lie loop small "redirects" &&
	DIG_CONFIG=fetch.max_redirects=0 lie to=/plain/small x "status 302"
'

test_expect_success 'redirects lead to HTTP only' '
	dig-fetch-url "$at/to=%2Fplain%2Fsmall/x" >actual && cmp "$objects/small" actual &&
	for url in file:///etc/passwd ftp://127.0.0.1/x scp://127.0.0.1/x gopher://127.0.0.1:$port/x "http://u:p@127.0.0.1:$port/plain/small"
	do
		lie "to=$(echo $url | sed "s|/|%2F|g; s|:|%3A|g")" x "" && test_cmp /dev/null actual || return 1
	done
'

# "localhost" is another host than 127.0.0.1.
test_expect_success 'user and password go to their host, and to no other, and are in no message' '
	requests >before && user=http://me:pass%40word@127.0.0.1:$port &&
	dig-fetch-url $user/user/small >actual && cmp "$objects/small" actual &&
	requests >asked && grep "Authorization=Basic bWU6cGFzc0B3b3Jk" asked &&
	dig-fetch-url "$user/to=http%3A%2F%2Flocalhost%3A$port%2Fplain%2Fsmall/x" >actual && cmp "$objects/small" actual &&
	requests >asked && grep "/plain/small .*Host=localhost" asked >there && ! grep Authorization there &&
	test_expect_code 12 dig-fetch-url $user/status=403/small?token=secret1 2>err &&
	grep "http://me@127.0.0.1:$port/status=403/small?\.\.\." err && ! grep -e word -e secret1 err
'

test_expect_success 'a URL that could mean something else is refused, and not shown' '
	n=0 && while read -r url
	do
		n=$((n + 1)) && test_expect_code 129 dig-fetch-url -- "$url" >actual 2>err && ! grep "secret" err ||
			{ echo "$url"; return 1; }
	done <<-\EOF && test $n = 16
	http://
	http:///secret
	http://-oProxyCommand=secret/x
	ssh://-oProxyCommand=secret/x
	ssh://-lsecret@host/x
	ssh://us;er@host/x
	ssh://me:secret@host/x
	http://a@b@secret/x
	http://host\\@secret/x
	http://host:99999/secret
	http://host:1a/secret
	http://ho st/secret
	ftp://host/secret
	s3://buc;ket/secret
	s3://bucket
	file://host/secret
	EOF
'

test_expect_success 'no part of a URL is run or looked up' '
	mkdir -p bin && printf "#!/bin/sh\n: >\"%s/ran\"\n" "$TRASH" >bin/ssh && chmod +x bin/ssh &&
	for url in "$at/plain/\$(touch%20ran)" "$at/plain/;touch%20ran" "$at/plain/|touch%20ran" "$at/plain/\`touch%20ran\`" \
		"$at/plain/--output=ran" "$at/plain/{small,large}" "$at/plain/[1-3]"
	do
		PATH=$TRASH/bin:$PATH test_must_fail dig-fetch-url "$url" || return 1
	done &&
	test ! -e ran
'

test_expect_success 'file:// is a file of this machine' '
	dig-fetch-url "file://$objects/a%20b%25c+d" >actual && cmp "$objects/small" actual &&
	dig-fetch-url --resume-from=4 "file://localhost$objects/small" >actual && printf "o\n" | cmp - actual &&
	test_expect_code 128 dig-fetch-url "file://$objects/none" 2>err && grep "No such file" err &&
	test_expect_code 128 dig-fetch-url "file://$objects" &&
	mkfifo fifo && test_expect_code 128 timeout 20 dig-fetch-url "file://$TRASH/fifo"
'

# An ssh that runs the words behind "--" and the host, as the shell of another machine would.
test_expect_success 'ssh:// runs ssh, in which a path is one word' '
	cat >bin/ssh <<-\EOF &&
	#!/bin/sh
	printf "%s\n" "$@" >"$HOME/words"
	while test "$1" != --
	do
		shift
	done
	shift 2
	exec sh -c "$*"
	EOF
	name="$TRASH/it; touch ran \$(touch ran) '\''x\"y" && cp "$objects/large" "$name" &&
	encoded=$(echo "$name" | sed "s/ /%20/g; s/\"/%22/g") &&
	PATH=$TRASH/bin:$PATH dig-fetch-url "ssh://me@host:2222$encoded" >actual && cmp "$objects/large" actual &&
	test ! -e ran && grep -x 2222 words && grep -x -e -- words && grep -x me words && grep -x host words &&
	tail -c +9000001 "$objects/large" >expect &&
	PATH=$TRASH/bin:$PATH dig-fetch-url --resume-from=9000000 "ssh://host$encoded" >actual && cmp expect actual &&
	PATH=$TRASH/bin:$PATH test_expect_code 12 dig-fetch-url ssh://host/none/at/all 2>err && grep "ssh ended with status" err &&
	printf "0 - -\tssh://host%s\n" "$encoded" | PATH=$TRASH/bin:$PATH dig-fetch-url --batch >reply &&
	head -n 1 reply | grep -a "^object 9437184 0 file:" && echo >>"$name" &&
	PATH=$TRASH/bin:$PATH test_expect_code 1 dig-fetch-url "ssh://host$encoded" --resume-from=1 \
		--if-same="$(head -n 1 reply | cut -d" " -f4)"
'

# s3 ARGUMENT...: with the variables of a test
s3 () {
	env AWS_ENDPOINT_URL=$at/s3/ AWS_REGION=eu-test-1 AWS_ACCESS_KEY_ID=AKIDTEST \
		AWS_SECRET_ACCESS_KEY=secret/of+the+test dig-fetch-url "$@"
}

test_expect_success 's3:// is signed so that a server can recompute it, whatever the key' '
	s3 s3://bucket/small >actual && cmp "$objects/small" actual &&
	s3 s3://bucket/large >actual && cmp "$objects/large" actual &&
	s3 s3://bucket/empty >actual && cmp "$objects/empty" actual &&
	s3 "s3://bucket/a b%c+d" >actual && cmp "$objects/small" actual &&
	mkdir -p "$objects/x/y" && cp "$objects/small" "$objects/x/y/?&=#~@\$ü" &&
	s3 "s3://bucket/x/y/?&=#~@\$ü" >actual && cmp "$objects/small" actual &&
	s3 --resume-from=3 s3://bucket/small >actual && printf "lo\n" | cmp - actual &&
	s3 s3://cut.5000000.2/large >actual && cmp "$objects/large" actual
'

test_expect_success 'what S3 refuses is told with its code, and no secret is' '
	test_expect_code 12 env AWS_ENDPOINT_URL_S3=$at/s3 AWS_REGION=eu-test-1 AWS_ACCESS_KEY_ID=AKIDTEST \
		AWS_SECRET_ACCESS_KEY=wrong-secret dig-fetch-url s3://bucket/small 2>err &&
	grep "status 403 (SignatureDoesNotMatch)" err && ! grep -e wrong-secret -e AKIDTEST err &&
	test_expect_code 12 s3 s3://elsewhere/small 2>err && grep "in the region eu-test-2" err &&
	test_expect_code 12 env AWS_ENDPOINT_URL=$at/s3 dig-fetch-url s3://bucket/small 2>err &&
	grep "no credentials of S3 were found" err
'

test_expect_success 'credentials, region and endpoint come from the files of AWS, too' '
	mkdir -p .aws &&
	cat >.aws/credentials <<-\EOF &&
	[default]
	aws_access_key_id = other
	aws_secret_access_key = other
	# a comment
	[work]
	aws_access_key_id=AKIDTEST
	aws_secret_access_key = secret/of+the+test
	EOF
	cat >.aws/config <<-EOF &&
	[profile work]
	region = eu-test-1
	endpoint_url = $at/s3
	s3 =
	    region = wrong
	[default]
	region = eu-test-1
	EOF
	AWS_PROFILE=work dig-fetch-url s3://bucket/small >actual && cmp "$objects/small" actual &&
	mv .aws/credentials elsewhere && AWS_SHARED_CREDENTIALS_FILE=$TRASH/elsewhere AWS_PROFILE=work \
		dig-fetch-url s3://bucket/small >actual && cmp "$objects/small" actual &&
	test_expect_code 128 env AWS_ENDPOINT_URL=ftp://x dig-fetch-url s3://bucket/small 2>err && grep AWS_ENDPOINT_URL err &&
	rm -r .aws
'

test_expect_success 'a batch answers each request, and goes on behind one that fails' '
	{
		printf "0 - -\t%s\n" $at/plain/small &&
		printf "0 - -\t%s\n" $at/status=404/small &&
		printf "6 6 -\t%s\n" $at/plain/small &&
		printf "3 7 -\t%s\n" $at/plain/small &&
		printf "2 6 -\t%s\n" $at/plain/small
	} | dig-fetch-url --batch >reply &&
	tag="etag:\"$(sha256sum <"$objects/small" | cut -c 1-16)\"" &&
	{
		printf "object 6 0 %s\n\6\0\0\0hello\n\0\0\0\0done\n" "$tag" &&
		printf "failed cannot fetch %s: the server answers with status 404 (Because)\n" "'\''$at/status=404/small'\''" &&
		printf "object 6 6 %s\n\0\0\0\0done\n" "$tag" &&
		printf "changed\n" &&
		printf "object 6 2 %s\n\4\0\0\0llo\n\0\0\0\0done\n" "$tag"
	} >expect && cmp expect reply
'

test_expect_success 'wrong usage is told' '
	test_expect_code 129 dig-fetch-url && test_expect_code 129 dig-fetch-url --batch $at/plain/small &&
	test_expect_code 129 dig-fetch-url --if-same=x $at/plain/small &&
	test_expect_code 129 dig-fetch-url a b && test_expect_code 129 dig-fetch-url plain/small &&
	echo "x y z" >requests && test_expect_code 128 dig-fetch-url --batch <requests
'

test_expect_success 'output that cannot be written is no success' '
	test_expect_code 128 dig-fetch-url $at/plain/large >/dev/full
'

test_expect_success '!SANITIZED' 'memory stays below 100 MB with all connections, and a reader that waits' '
	cat >rss.py <<-\EOF &&
	import resource, subprocess, sys
	reader = subprocess.Popen(["sh", "-c", "sleep 1; cat >/dev/null"], stdin=subprocess.PIPE)
	subprocess.run(sys.argv[1:], stdout=reader.stdin, check=True)
	sys.exit(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 97656)
	EOF
	DIG_CONFIG=fetch.connections=6$patient python3 rss.py dig-fetch-url $at/plain/huge
'

if openssl version >/dev/null 2>&1
then
	test_set_prereq OPENSSL
fi

test_expect_success OPENSSL 'https:// believes certificates that are trusted, and leads to no http://' '
	stop_server && openssl req -batch -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout server/key -out server/certificate 2>/dev/null &&
	start_server && test_expect_code 12 dig-fetch-url https://127.0.0.1:$port/plain/small 2>err && grep -i certificate err &&
	SSL_CERT_FILE=$TRASH/server/certificate && export SSL_CERT_FILE && test_when_finished "unset SSL_CERT_FILE" &&
	dig-fetch-url https://127.0.0.1:$port/plain/large >actual && cmp "$objects/large" actual &&
	dig-fetch-url "https://127.0.0.1:$port/to=https%3A%2F%2Flocalhost%3A$port%2Fplain%2Fsmall/x" >actual &&
	cmp "$objects/small" actual &&
	test_expect_code 12 dig-fetch-url "https://127.0.0.1:$port/to=http%3A%2F%2Flocalhost%3A$port%2Fplain%2Fsmall/x" 2>err &&
	grep "rotocol" err && test_expect_code 12 dig-fetch-url http://127.0.0.1:$port/plain/small
'

if nginx -v >/dev/null 2>&1
then
	test_set_prereq NGINX
fi

# Another's ETags, dates and ranges.
test_expect_success NGINX 'nginx gives objects whole and in parts, and an object that has changed is noticed' '
	mkdir nginx && free=$(python3 -c "import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])") &&
	cat >nginx/conf <<-EOF &&
	daemon off;
	master_process off;
	pid $TRASH/nginx/pid;
	error_log $TRASH/nginx/error;
	events { }
	http {
		access_log off;
		client_body_temp_path $TRASH/nginx;
		proxy_temp_path $TRASH/nginx;
		fastcgi_temp_path $TRASH/nginx;
		uwsgi_temp_path $TRASH/nginx;
		scgi_temp_path $TRASH/nginx;
		server { listen 127.0.0.1:$free; root $objects; }
	}
	EOF
	{ nginx -e "$TRASH/nginx/error" -c "$TRASH/nginx/conf" </dev/null >/dev/null 2>&1 & } && nginx=$! &&
	test_when_finished "kill $nginx" &&
	until test -s nginx/pid
	do
		kill -0 $nginx || return 1
		sleep 0.05
	done &&
	url=http://127.0.0.1:$free &&
	for name in small empty huge
	do
		DIG_CONFIG=fetch.connections=3 dig-fetch-url $url/$name >actual && cmp "$objects/$name" actual || return 1
	done &&
	printf "0 - -\t%s\n" $url/large | dig-fetch-url --batch | head -n 1 >reply &&
	validator=$(cut -d" " -f4- reply) &&
	dig-fetch-url --if-same="$validator" --resume-from=9437183 $url/large | cmp - "$objects/large" 0 9437183 &&
	touch -d 2020-02-02 "$objects/large" &&
	test_expect_code 1 dig-fetch-url --if-same="$validator" --resume-from=9437183 $url/large
'

stop_server
test_done
