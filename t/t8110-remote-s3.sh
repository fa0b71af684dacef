#!/bin/sh

test_description='states in a bucket of S3, and read from any server of HTTP: dig-remote-s3, dig-remote-http'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/object-server-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2
fetch.retries=2
fetch.stall_time=2'
export DIG_CONFIG

start_server bucket-server.py || exit 1
buckets=$TRASH/server/buckets && mkdir -p "$buckets"

AWS_ENDPOINT_URL=$at && AWS_REGION=eu-test-1 && AWS_ACCESS_KEY_ID=AKIDTEST && AWS_SECRET_ACCESS_KEY=secret/of+the+test
export AWS_ENDPOINT_URL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

# s3 BUCKET[/PREFIX]: the answers to the requests on standard input.
s3 () {
	timeout 60 dig-remote-s3 "s3://$1"
}

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

# bucket NAME...: new and empty ones
bucket () {
	for name
	do
		rm -rf "$buckets/$name" && mkdir "$buckets/$name" || return 1
	done
}

test_expect_success 'an object is made once, and read in parts' '
	bucket a && printf "put-new a/b 11\nhello worldput-new a/b 3\nyouget a/b 0 100\nget a/b 6 3\nget a/b 2 0\nget a/b 11 5\nget a/b 99 0\n" >in &&
	printf "get a/b 9999999999999999999 1\nget a/b 3 67108864\nget none 0 9\nput-new none 0\nget none 0 0\nget none 0 5\nget none 5 5\ncheck\n" >>in &&
	s3 plain.a/x/y <in >actual && printf "ok\nexists\nok 11 11\nhello worldok 3 11\nworok 0 11\nok 0 11\nok 0 11\n" >expect &&
	printf "ok 0 11\nok 8 11\nlo worldmissing\nok\nok 0 0\nok 0 0\nok 0 0\nok s3 create-once ranges\n" >>expect && test_cmp expect actual &&
	ls "$buckets/a" >actual && printf "x%%2Fy%%2Fa%%2Fb\nx%%2Fy%%2Fnone\n" | test_cmp - actual &&
	printf "get a/b 6 3\nget a/b 11 5\nget a/b 99 0\nget none 0 0\nget none 0 5\nget other 0 1\n" | s3 terse.a/x/y >actual &&
	printf "ok 3 11\nworok 0 11\nok 0 11\nok 0 0\nok 0 0\nmissing\n" | test_cmp - actual
'

test_expect_success 'names are listed over pages, in their order, without those of others' '
	bucket a && for name in a b c d e f g h
	do
		printf "put-new n/$name 1\nx"
	done | s3 "plain.a/x&< é" >out && test $(grep -c "^ok$" out) = 8 && printf "put-new n/i 1\nxput-new m 1\nx" | s3 plain.a/other && touch "$buckets/a/x%26%3C%20%C3%A9%2Fn%2FX" &&
	requests >before && printf "list n/ -\nlist n/ n/f\nlist n/ n/h\nlist none/ -\n" | s3 "plain.a/x&< é" >actual &&
	for name in a b c d e f g h
	do
		echo "n/$name 1"
	done >expect && printf "end\nn/g 1\nn/h 1\nend\nend\nend\n" >>expect && test_cmp expect actual &&
	requests >asked && test $(grep -c start-after asked) = 4 && ! grep continuation-token asked && test $(wc -l <asked) = 6
'

test_expect_success 'what is deleted is gone' '
	bucket a && printf "put-new a 1\nxdelete a\ndelete a\nget a 0 1\n" | s3 plain.a >actual && printf "ok\nok\nmissing\nmissing\n" | test_cmp - actual && test -z "$(ls "$buckets/a")"
'

# --- states ---------------------------------------------------------------------------------------

test_expect_success 'states go into a bucket and come from it, and by HTTP from the same objects' '
	bucket store && DIG_CONFIG="chunking.target=16KB" dig-init-store w >/dev/null &&
	(
		cd w && for number in 1 2 3 4 5
		do
			seq $number 30000 >f$number && seeded 300K $number >r$number && dig-add -A && dig-commit -q -m $number || exit 1
		done && dig remote add origin s3://plain.store/photos && timeout 120 dig push -q && dig push >../again && states >../expect
	) &&
	grep "has all states, up to @5" again && timeout 60 dig clone -q s3://plain.store/photos by-s3 && timeout 60 dig clone -q $at/public/plain.store/photos by-http &&
	for copy in by-s3 by-http
	do
		(cd $copy && dig-verify-store -q && states >../actual && dig-info root) >root && test_cmp expect actual && (cd w && dig-info root) | test_cmp - root &&
		diff -r --exclude=.dig w $copy || return 1
	done
'

test_expect_success '... and what is new, too' '
	(cd w && echo new >new && dig-add new && dig-commit -q -m new && dig push -q && states >../expect) &&
	for copy in by-s3 by-http
	do
		(cd $copy && timeout 60 dig fetch -q && dig-verify-store -q && states >../actual && dig fetch) >out && test_cmp expect actual && grep -x "nothing is new" out || return 1
	done &&
	(cd by-http && echo own >own && dig-add own && dig-commit -q -m own && test_expect_code 128 dig push 2>../err) && grep "read only" err &&
	(cd by-s3 && echo own >own && dig-add own && dig-commit -q -m own && dig push -q) && (cd w && dig fetch -q && dig-cat HEAD:own)
'

test_expect_success 'a server of HTTP gives parts, lists records, and makes nothing' '
	printf "get dig-remote 0 8\nget none 0 8\nlist packs/ -\nlist roots/ x\nlist roots/ roots/00000000000000000005\nput-new a 3\nabcdelete a\ncheck\n" |
		dig-remote-http $at/public/plain.store/photos/ >out && sed "s/^ok 8 .*/ok/; s/ [0-9]*$//" out | tr -d "\000-\011" >actual &&
	printf "ok\nDIGREMOTmissing\nerror a server of HTTP lists nothing but roots/\nerror .x. is no key of a record\n" >expect &&
	printf "roots/00000000000000000006\nroots/00000000000000000007\nend\nerror this remote is read only\nerror this remote is read only\nok http ranges; read only\n" >>expect &&
	sed "s/.x. is/.x. is/" actual | tr "\047" . | test_cmp expect -
'

test_expect_success 'eight writers of one object: check finds servers that do not know the condition' '
	bucket race && (cd w && dig remote check s3://plain.race/x) >out && grep -x "ok s3 create-once ranges" out && test -z "$(ls "$buckets/race")" &&
	(cd w && test_expect_code 4 dig remote check s3://careless.race 2>../err) && grep "8 of 8 writers of one object succeeded" err &&
	(cd w && test_expect_code 4 dig remote check s3://shifted.race 2>../err) && grep "a range of the object has other bytes" err &&
	(cd w && test_expect_code 4 dig remote check s3://forgetful.race 2>../err) && grep "is not listed" err &&
	for mode in failing cut garbled conflict busy
	do
		(cd w && timeout 120 dig remote check s3://$mode.race) >out && grep -x "ok s3 create-once ranges" out || return 1
	done
'

# --- answers that are lost ------------------------------------------------------------------------

test_expect_success 'an answer that is lost is found out by reading' '
	for mode in failing cut garbled late conflict busy
	do
		bucket lost && requests >before && printf "put-new a 5\nhelloput-new a 5\nhelloget a 0 9\n" | s3 $mode.lost >actual && requests >asked.$mode &&
		printf "ok\nexists\nok 5 5\nhello" | test_cmp - actual && grep "^GET /$mode.lost/a Range=bytes=0-4" asked.$mode || { echo $mode; return 1; }
	done &&
	test $(grep -c ^PUT asked.failing) = 2 && test $(grep -c ^PUT asked.conflict) = 3 && test $(grep -c ^PUT asked.busy) = 4
'

# libcurl may send a request again by itself if a connection that was kept turns out to be closed.
test_expect_success '... on a connection that was kept, too' '
	bucket lost && requests >before && printf "list a -\nput-new a 5\nhelloget a 0 9\n" | s3 cut.lost >actual && printf "end\nok\nok 5 5\nhello" | test_cmp - actual
'

test_expect_success 'a server that stays silent is not waited for for ever' '
	bucket lost && printf "put-new a 5\nhello" | s3 silent.lost >actual && echo ok | test_cmp - actual
'

test_expect_success 'where somebody else was first, it is not ours' '
	bucket lost && printf "put-new a 5\nhelloput-new b 6\nhello1get a 0 9\n" | s3 raced.lost >actual && printf "exists\nexists\nok 5 5\nother" | test_cmp - actual
'

test_expect_success 'a server that is down is asked some times only' '
	bucket lost && requests >before && printf "put-new a 5\nhelloget a 0 1\n" | s3 down.lost >actual && grep "^error cannot put .a.: .*503 (SlowDown)" actual && sed 1d actual >rest && echo missing | test_cmp - rest &&
	requests >asked && test $(grep -c ^PUT asked) = 3
'

# The name is too long for any server of names, so that none is asked.
test_expect_success 'a host that is not found is looked for again, and named' '
	host=$(printf "a%.0s" $(seq 70)).example && echo "list a/ -" | DIG_CONFIG="fetch.retries=2" AWS_ENDPOINT_URL=http://$host timeout 60 dig-remote-s3 s3://bucket >actual &&
	grep "^error cannot list .a/.: .*resolve host: $host" actual &&
	echo "get a 0 1" | DIG_CONFIG="fetch.retries=2" timeout 60 dig-remote-http http://$host/x >actual &&
	grep "^error cannot get .a.: .*resolve host: $host" actual
'

test_expect_success 'a part that is cut off goes on where it was' '
	bucket big && seeded 3M 5 >big && { printf "put-new big 3145728\n" && cat big; } | s3 plain.big && requests >before &&
	printf "get big 1000 3000000\n" | s3 cut.big >actual && { echo "ok 3000000 3145728" && tail -c +1001 big | head -c 3000000; } | cmp - actual && requests >asked &&
	grep "Range=bytes=101000-" asked
'

test_expect_success 'a pack of the largest size takes no more memory than any tool' '
	bucket big && seeded 64M 6 >big && { printf "put-new big 67108864\n" && cat big; } >in && within-memory dig-remote-s3 s3://plain.big <in && echo "get big 0 67108864" >in &&
	within-memory dig-remote-s3 s3://plain.big <in >actual && { echo "ok 67108864 67108864" && cat big; } | cmp - actual &&
	within-memory dig-remote-http $at/public/plain.big <in >actual && { echo "ok 67108864 67108864" && cat big; } | cmp - actual
'

# --- answers that lie -----------------------------------------------------------------------------

test_expect_success 'a range that is not the one that was asked for is an error, at once' '
	bucket lies && for lie in whole unranged moved later sooner malformed untotalled longer shorter longer-open shorter-open huge nothing elsewhere
	do
		printf "put-new $lie 9\nabcdefghi"
	done | s3 plain.lies >out &&
	for lie in whole unranged moved later sooner malformed untotalled longer shorter longer-open shorter-open huge nothing elsewhere
	do
		for url in s3://range.lies $at/public/range.lies
		do
			echo "get $lie 0 5" | timeout 30 dig-remote-${url%%:*} $url >actual || return 1
			test $(wc -l <actual) = 1 && grep "^error cannot get .$lie.: " actual || { echo $lie $url; cat actual; return 1; }
		done
	done &&
	printf "get x 0 5\n" | s3 endless.lies >actual && grep "^error cannot get .x.: .*headers" actual
'

test_expect_success 'a list that is none of S3 is an error, in bounded time and memory' '
	bucket lies && for lie in outside unordered twice loop empty html garbage nil open crossed deep entity reference sizeless negative doubled untold other behind long
	do
		echo "list $lie/ -" >in && timeout 30 within-memory dig-remote-s3 s3://pages.lies <in >actual && tail -n 1 actual | grep "^error cannot list .$lie/.: the " || { echo $lie; return 1; }
		grep -q -e twice -e loop -e unordered actual || test $(wc -l <actual) = 1 || return 1
	done
'

test_expect_success 'a server that sends a byte now and then is left' '
	for how in body head
	do
		printf "get $how 0 50\n" | DIG_CONFIG="fetch.retries=0
fetch.stall_time=1" timeout 30 dig-remote-s3 s3://slow.lies >actual && grep "^error cannot get .$how.: .*[Ll]ess than 1024 bytes/sec" actual || return 1
	done
'

# --- credentials ----------------------------------------------------------------------------------

test_expect_success 'no message and no argument has a credential' '
	bucket a && { printf "check\nput-new a 1\nxget a 0 1\nlist a -\ndelete a\n" | AWS_SECRET_ACCESS_KEY=wrong-secret AWS_SESSION_TOKEN=wrong-token s3 plain.a 2>&1; } >out &&
	test $(grep -c "^error .*status 403 (SignatureDoesNotMatch)" out) = 5 && ! grep -e wrong -e AKID out && test -z "$(ls "$buckets/a")" &&
	(unset AWS_ACCESS_KEY_ID && echo check | s3 plain.a) >out && grep "no credentials of S3 were found" out &&
	printf "check\nget a 0 1\nput-new a 1\nxlist a -\n" | s3 plain.none >out && test $(grep -c "^error .*(NoSuchBucket)" out) = 4
'

test_expect_success 'URLs of other places are refused' '
	for url in "" x http://a/b s3:// s3:///x s3://a@b/c s3://a:1/b "s3://-a/b"
	do
		test_expect_code 129 dig-remote-s3 "$url" </dev/null 2>err || { echo "$url"; return 1; }
	done &&
	for url in "" x s3://a/b http:// http://user:secret@host/x http://user@host/x "http://host/x?key=secret" "http://a b/"
	do
		test_expect_code 129 dig-remote-http "$url" </dev/null 2>err && ! grep secret err || { echo "$url"; return 1; }
	done
'

if openssl version >/dev/null 2>&1
then
	test_set_prereq OPENSSL
fi

test_expect_success OPENSSL 'over TLS certificates have to be trusted' '
	stop_server && openssl req -batch -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout server/key -out server/certificate 2>/dev/null &&
	start_server bucket-server.py && AWS_ENDPOINT_URL=https://127.0.0.1:$port && url=https://127.0.0.1:$port/public/plain.store/photos &&
	(cd w && states) >expect && (cd by-http && test_expect_code 128 dig fetch -q $url 2>../err) && grep -i certificate err &&
	(AWS_CA_BUNDLE=$TRASH/server/certificate && export AWS_CA_BUNDLE && dig clone -q s3://plain.store/photos tls.s3) && (cd tls.s3 && states) | test_cmp expect - &&
	(SSL_CERT_FILE=$TRASH/server/certificate && export SSL_CERT_FILE && dig clone -q $url tls.http) && (cd tls.http && states) | test_cmp expect -
'

test_done
