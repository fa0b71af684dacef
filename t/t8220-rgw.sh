#!/bin/sh

test_description='remotes in a bucket of Ceph RGW, with its gateway as Debian has it'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/real-server-lib.sh"
. "$TEST_DIRECTORY/rgw-lib.sh"

need 'python3 is needed' python3
need 'Ceph is needed: make deps-remote' ceph-mon ceph-osd ceph radosgw radosgw-admin
test -x "$DIG_BUILD/dig-remote-s3" || {
	skip_all='dig-remote-s3 was not built, for want of libcurl'
	test_done
}

DIG_CONFIG='performance.max_worker_threads=2'
export DIG_CONFIG

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

# Not a test of dig.
start_rgw >"$log" 2>&1 || {
	skip_all="Ceph does not start here: $(tail -n 1 "$log")"
	test_done
}

test_expect_success 'a bucket is there' '
	s3_request PUT /store && s3_request PUT /race
'

test_expect_success 'remote check: it can be a remote' '
	dig init -q probe >/dev/null && (cd probe && timeout 60 dig remote check s3://store) >out && grep -x "ok s3 create-once ranges" out &&
	echo "list check/ -" | timeout 60 dig-remote-s3 s3://store >out && echo end | test_cmp - out
'

test_expect_success 'objects are made once, read in parts, listed and deleted' '
	{
		printf "put-new a/b 11\nhello worldput-new a/b 3\nyouput-new a/empty 0\nget a/b 6 3\nget a/b 2 0\nget a/b 11 5\n" &&
		printf "get a/empty 0 5\nget none 0 9\nlist a/ -\nlist a/ a/b\ndelete a/b\ndelete a/b\ndelete a/empty\n"
	} | timeout 60 dig-remote-s3 "s3://store/x&< é" >actual &&
	printf "ok\nexists\nok\nok 3 11\nworok 0 11\nok 0 11\nok 0 0\nmissing\na/b 11\na/empty 0\nend\na/empty 0\nend\nok\nmissing\nok\n" >expect &&
	test_cmp expect actual
'

test_expect_success 'more names than a page has are listed, in their order' '
	for number in $(seq 1001 2100)
	do
		printf "put-new n/$number 1\nx"
	done | timeout 120 dig-remote-s3 s3://store/many >out && test $(grep -c "^ok$" out) = 1100 &&
	printf "list n/ -\nlist n/ n/2090\n" | timeout 60 dig-remote-s3 s3://store/many >actual &&
	{ seq -f "n/%g 1" 1001 2100 && echo end && seq -f "n/%g 1" 2091 2100 && echo end; } | test_cmp - actual
'

test_expect_success 'states go into a bucket and come from it, with a pack of 20 MB' '
	DIG_CONFIG="chunking.target=16KB" dig-init-store w >/dev/null &&
	(
		cd w && seeded 20M 1 >large && for number in 1 2 3
		do
			seq $number 30000 >f$number && dig-add -A && dig-commit -q -m $number || exit 1
		done && dig remote add origin s3://store/photos && timeout 120 dig push -q && states >../expect
	) &&
	timeout 120 dig clone -q s3://store/photos copy && (cd copy && dig-verify-store -q && states >../actual) && test_cmp expect actual && diff -r --exclude=.dig w copy &&
	echo "list packs/ -" | timeout 60 dig-remote-s3 s3://store/photos >packs && awk "\$2 > 16777216 { found = 1 } END { exit !found }" packs
'

test_expect_success '... and what is new, in both directions' '
	(cd copy && echo new >new && dig-add new && dig-commit -q -m new && timeout 60 dig push -q && states >../expect) &&
	(cd w && timeout 60 dig fetch -q && dig-verify-store -q && states >../actual && dig-cat HEAD:new) && test_cmp expect actual
'

test_expect_success 'content stays in a bucket until it is asked for, and a layer is read there' '
	timeout 60 dig clone -q --lazy s3://store/photos lazy && test "$(du -sk lazy | cut -f 1)" -lt 1500 && (cd lazy && timeout 60 dig-cat HEAD:large | cmp - ../w/large && timeout 60 dig-extract -q --at=@2 ../out.lazy && states >../actual) && test_cmp expect actual && cmp w/large out.lazy/large &&
	(cd w && dig export -q --full ../full.dig) && s3_request PUT /store/a/full.dig full.dig && timeout 60 dig cat s3://store/a/full.dig:f3 | cmp - w/f3 && timeout 60 dig check s3://store/a/full.dig && test_expect_code 12 timeout 60 dig cat s3://store/a/none.dig:f3
'

test_expect_success 'content comes from a bucket by dig add, and is gone on with' '
	seeded 20M 2 >object && s3_request PUT /store/an/object object &&
	(cd w && timeout 120 dig add -q --path=object s3://store/an/object && dig-commit -q -m added && dig-cat HEAD:object | cmp ../object - && timeout 60 dig push -q) &&
	dig-fetch-url s3://store/an/object | cmp object - && tail -c +15000001 object >expect && dig-fetch-url --resume-from=15000000 s3://store/an/object | cmp expect - &&
	test_expect_code 12 dig-fetch-url s3://store/an/other 2>err && grep "status 404 (NoSuchKey)" err
'

# --- what it costs --------------------------------------------------------------------------------

test_expect_success 'a push of nothing and a fetch of nothing take three requests' '
	start_proxy $port && AWS_ENDPOINT_URL=http://127.0.0.1:$proxy &&
	(cd w && timeout 60 dig push && counted >../pushed && timeout 60 dig fetch && counted >../fetched) >out && grep "has all states" out && grep "nothing is new" out &&
	cat pushed fetched && test $(wc -l <pushed) -le 3 && test $(wc -l <fetched) -le 3
'

# Another one is first while our record is on its way.  It is read, and a second one is made.  Of the
# two packs that follow one is theirs, and one has what is made anew, and no content.
test_expect_success 'a lost race costs two requests, and 8 KiB beside what is made anew' '
	(cd copy && timeout 60 dig fetch -q) && for writer in w copy
	do
		(cd $writer && seeded 3M 1${#writer} >by-$writer && dig-add by-$writer && dig-commit -q -m $writer) || return 1
	done && counted >before &&
	echo "cd \"$TRASH/copy\" && AWS_ENDPOINT_URL=http://127.0.0.1:$port timeout 60 dig push -q" >server/proxy/hook &&
	(cd w && timeout 60 dig push -q && counted >../raced && dig-verify-store -q) && cat raced && sed "s/?.*/?/; s/[0-9a-f]\{64\}/ID/; s/ 20[06] .*//; s/ 412 .*/ 412/; s/ 404 .*/ 404/; s|/store/photos/||; s|/store/|/|" raced >actual &&
	printf "%s\n" "GET dig-remote" "GET /?" "GET roots/00000000000000000005" "GET packs/ID 404" "PUT packs/ID" "PUT roots/00000000000000000006 412" \
		"GET roots/00000000000000000006" "GET packs/ID" "PUT packs/ID" "PUT roots/00000000000000000007" >expect && test_cmp expect actual &&
	test $(awk "/roots.00000000000000000006/ { sum += \$4 + \$5 } END { print sum }" raced) -le 8192 && test $(awk "/^PUT .*packs/ { last = \$4 } END { print last }" raced) -le 16384 &&
	(cd copy && timeout 60 dig fetch -q && dig-verify-store -q && dig-cat HEAD:by-w | cmp - ../w/by-w) && rm -rf raced.copy && timeout 60 dig clone -q s3://store/photos raced.copy && (cd raced.copy && dig-verify-store -q)
'

# --- what is refused ------------------------------------------------------------------------------

test_expect_success 'wrong credentials are named, and so is a bucket that is not there' '
	for request in check "get a 0 1" "list a -" "delete a" "put-new a 0"
	do
		echo "$request"
	done >in && AWS_SECRET_ACCESS_KEY=wrong timeout 60 dig-remote-s3 s3://store <in >out && test $(grep -c "^error .*status 403 (SignatureDoesNotMatch)" out) = 5 && ! grep wrong out &&
	AWS_ACCESS_KEY_ID=NOBODY timeout 60 dig-remote-s3 s3://store <in >out && test $(grep -c "^error .*status 403 (InvalidAccessKeyId)" out) = 5 &&
	(unset AWS_ACCESS_KEY_ID && timeout 60 dig-remote-s3 s3://store <in) >out && test $(grep -c "^error .*status 403 (AccessDenied); no credentials of S3 were found" out) = 5 &&
	timeout 60 dig-remote-s3 s3://nowhere <in >out && test $(grep -c "^error .*status 404 (NoSuchBucket)" out) = 5 &&
	(cd probe && test_expect_code 128 dig remote check s3://nowhere 2>../err) && grep "cannot use the bucket .nowhere.: .*(NoSuchBucket)" err &&
	test_expect_code 128 timeout 60 dig clone -q s3://store/nothing nothing 2>err && grep "there is nothing that .dig push. has made" err
'

# --- several at once ------------------------------------------------------------------------------

# make_writers: clones of one state in s3://race/all, and a list of what each will commit.
make_writers () {
	dig-init-store first >/dev/null && (cd first && echo first >first && dig-add first && dig-commit -q -m first && dig remote add origin s3://race/all && timeout 60 dig push -q) &&
	for writer in 1 2 3 4 5 6 7 8
	do
		timeout 60 dig clone -q s3://race/all writer$writer || return 1
	done
}

# write_states WRITER COUNT: a state of its own each time, and a push; each third is killed at some moment first.
write_states () {
	cd writer$1 && for number in $(seq $2)
	do
		mkdir -p own$1 && seq $number $((number + 20)) >own$1/$number && dig-add own$1/$number && dig-commit -q -m "writer $1 state $number" || return 1
		test $(((number + $1) % 3)) != 0 || timeout -s KILL 0.$(((number * 37 + $1 * 53) % 90 + 10)) dig push -q
		attempts=0
		until timeout 300 dig push -q
		do
			attempts=$((attempts + 1))
			test $attempts -lt 10 || return 1
		done
	done
}

# writers_write COUNT
writers_write () {
	for writer in 1 2 3 4 5 6 7 8
	do
		{
			(write_states $writer $1 && echo done) >writer$writer.log 2>&1 &
		}
		eval "pid$writer=\$!"
	done
	for writer in 1 2 3 4 5 6 7 8
	do
		eval "wait \$pid$writer"
		test "$(tail -n 1 writer$writer.log)" = done || { tail writer$writer.log; return 1; }
	done
}

# nothing_is_lost COUNT: in a new clone, and each writer gets the same history.
nothing_is_lost () {
	rm -rf all && timeout 300 dig clone -q s3://race/all all &&
	{
		echo first && for writer in 1 2 3 4 5 6 7 8
		do
			seq -f "writer $writer state %g" $1
		done
	} | sort >expect && (cd all && dig-log --oneline | sed "s/^@[0-9]* [0-9a-f]* //" | sort >../actual && dig-verify-store -q && states >../history) && test_cmp expect actual &&
	for writer in 1 2 3 4 5 6 7 8
	do
		(cd writer$writer && timeout 60 dig fetch -q && dig-verify-store -q && states | test_cmp ../history - && test -z "$(ls .dig/tmp)") && diff -r writer$writer/own$writer all/own$writer || return 1
	done
}

states_each=3
test_have_prereq LONG && states_each=100

test_expect_success 'eight writers at once, of whose pushes some are killed: nothing is lost, and each state is there once' '
	make_writers && writers_write $states_each && nothing_is_lost $states_each
'

test_done
