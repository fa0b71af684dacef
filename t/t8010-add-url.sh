#!/bin/sh

test_description='dig add of a URL stores what a file would, and goes on inside an object that is the same'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/object-server-lib.sh"

tab=$(printf '\t')

test_expect_success 'a server with objects, and a store' '
	start_server &&
	dig-config --global fetch.retries 1 && dig-config --global fetch.stall_time 1 &&
	echo hello >"$objects/small" && : >"$objects/empty" &&
	seeded 9M 1 >"$objects/large" && seeded 20M 2 >"$objects/huge" && touch -d 2020-01-01 "$objects"/* &&
	dig-init-store w >store && cd w && dig-config performance.checkpoint_bytes 4MB
'

# is_staged NAME PATH: under PATH lies what a file of that content would be
is_staged () {
	dig-hash-object "$objects/$1" >"$TRASH/expect" &&
	dig-ls-index "$2" | cut -d" " -f3 | cut -f1 >"$TRASH/actual" && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'the root is that of a file with this content' '
	cd w &&
	for name in small empty large huge
	do
		dig add $at/plain/$name --path=it/$name 2>../err && is_staged $name it/$name || return 1
	done &&
	dig-ls-index it/small | grep "^100644 6 [0-9a-f]*${tab}it/small$" &&
	dig commit -q -m one && dig cat HEAD:it/large | cmp - "$objects/large" &&
	dig-check >../out && mkdir -p sub && cd sub &&
	dig add -q --mode=600 --mtime=1600000000 file://$objects/small --path=here && cd .. &&
	dig-ls-index sub/here | grep "^100600 6 [0-9a-f]* 1600000000000000000${tab}sub/here$"
'

test_expect_success 'a list of URLs is one process of dig-fetch-url, and a failure does not end it' '
	cd w && requests >before &&
	{
		printf "%s\tlist/a\n" "$at/plain/small" &&
		printf "%s\tlist/b\n" "$at/status=404/x" &&
		printf "%s\t\"list/\\\\tc\"\n" "$at/plain/large" &&
		printf "http://a b/\tlist/d\n" &&
		printf "%s\tlist/e\n" "$at/chunked/small"
	} >../list &&
	test_expect_code 3 dig add --stdin <../list 2>../err && is_staged small list/a && is_staged large "$(printf "list/\tc")" &&
	is_staged small list/e && grep "/status=404/x.: the server answers with status 404" ../err && grep "URL of http cannot" ../err &&
	dig-ls-index list >../actual && test $(wc -l <../actual) = 3 &&
	printf "%s\tz/new\nline\0" "$at/plain/small" | dig add -q -z --stdin && is_staged small "$(printf "z/new\nline")" &&
	echo no-tab | test_expect_code 128 dig add --stdin
'

test_expect_success STRACE 'no secret is in an argument, and the number of processes is that of one URL' '
	cd w && for i in 1 2 3
	do
		printf "http://me:secret@127.0.0.1:%s/user/small\tp/%s\n" $port $i
	done >../list &&
	strace -f -s 999 -e trace=execve -o ../calls dig add -q --stdin <../list && ! grep secret ../calls &&
	test $(grep -c "execve(" ../calls) -le 3 && is_staged small p/3 &&
	strace -f -s 999 -e trace=execve -o ../calls dig-update-index --add --stdin-urls <../list && ! grep secret ../calls &&
	dig add --show-plumbing http://me:secret@host/x --path=x >../actual && ! grep secret ../actual
'

test_expect_success 'what cannot be had at all is 12, and nothing is staged' '
	cd w && test_expect_code 12 dig add $at/status=404/x --path=none 2>../err &&
	grep "^dig add: cannot fetch .*: the server answers with status 404 (Because)$" ../err &&
	test_expect_code 12 dig add http://127.0.0.1:1/x --path=none && dig-ls-index none >../actual &&
	test_cmp /dev/null ../actual
'

# The server is asked again by dig-fetch-url, and the store sees no cut.
test_expect_success 'connections that are cut make the same root' '
	cd w &&
	for cut in 0 1 65537 8388608 9437183
	do
		dig add -q $at/cut=$cut,1/large --path=cut/$cut && is_staged large cut/$cut || return 1
	done &&
	dig add -q $at/cut-anonymous=5000000,1/large --path=cut/anonymous && is_staged large cut/anonymous &&
	dig add -q $at/cut-no-ranges=5000000,1/large --path=cut/no-ranges && is_staged large cut/no-ranges
'

# first_byte FILE: the smallest offset of its requests, which all are for parts
first_byte () {
	sed -n "s/.*Range=bytes=\([0-9]*\)-.*/\1/p" "$1" | sort -n | head -n 1
}

test_expect_success 'an add that failed is gone on with by the next, inside the object' '
	cd w && requests >before &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/huge --path=on/huge 2>../err && cat ../err &&
	dig-ls-index on >../actual && test_cmp /dev/null ../actual && requests >../asked &&
	dig-show-staging >../staging && grep " stream origin=.*etag:.* reached=[0-9]* .*${tab}on/huge$" ../staging &&
	dig add -q $at/at=12000000,1/huge --path=on/huge && is_staged huge on/huge && requests >../asked &&
	test $(first_byte ../asked) -gt 7000000 && grep "If-Match" ../asked &&
	dig commit -q -m on && dig cat HEAD:on/huge | cmp - "$objects/huge"
'

test_expect_success 'what a failed add has left goes with the add of something else, and with a commit' '
	cd w &&
	for other in "dig add -q $at/plain/small --path=other" "dig commit -q --allow-empty -m other"
	do
		seeded 20M 3 >"$objects/fresh" && touch -d 2020-01-01 "$objects/fresh" &&
		test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/fresh?$(echo $other | cksum | cut -d" " -f1) --path=on/fresh &&
		dig-show-staging | grep " stream origin" && $other 2>../err && grep "had stored are dropped" ../err &&
		! dig-show-staging 2>/dev/null | grep " stream origin" || { echo "$other"; return 1; }
	done
'

test_expect_success 'another URL at that path begins anew, and so does an object that has changed' '
	cd w && seeded 20M 4 >"$objects/old" && touch -d 2020-01-01 "$objects/old" &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/old?a --path=on/old && requests >../asked &&
	dig add -q $at/plain/huge --path=on/old && is_staged huge on/old && requests >../asked && test $(first_byte ../asked) = 0 &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/old?b --path=on/old && requests >../asked &&
	seeded 20M 5 >"$objects/old" && touch -d 2020-01-01 "$objects/old" &&
	dig add -q $at/at=12000000,1/old?b --path=on/old && is_staged old on/old && requests >../asked && test $(first_byte ../asked) = 0 &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at-anonymous=12000000,9/old?c --path=on/c && requests >../asked &&
	! dig-show-staging | grep "stream origin.*on/c"
'

# The first answer ends, and the object is another one then.
test_expect_success 'an object that is replaced meanwhile is taken from its beginning, and never a mix' '
	cd w &&
	for how in swap swap-unconditional swap-anonymous
	do
		for cut in 100 8388608 12000000
		do
			seeded 20M 6 >"$objects/it" && touch -d 2020-01-01 "$objects/it" && seeded 20M 7 >"$objects/it.next" &&
			dig add -q $at/$how=$cut/it --path=it/$how/$cut && is_staged it it/$how/$cut && seeded 20M 7 | cmp - "$objects/it" ||
				{ echo $how $cut; return 1; }
		done
	done
'

test_expect_success 'an object that changes each time is given up' '
	cd w && test_expect_code 12 dig add $at/other-etag/large --path=never 2>../err && grep "changed at each of 5 attempts" ../err &&
	dig-ls-index never >../actual && test_cmp /dev/null ../actual
'

test_expect_success 's3:// is added, over a connection that is cut' '
	cd w && AWS_ENDPOINT_URL=$at/s3 AWS_REGION=eu-test-1 AWS_ACCESS_KEY_ID=AKIDTEST \
		AWS_SECRET_ACCESS_KEY=secret/of+the+test dig add -q s3://cut.5000000.1/large --path=s3 && is_staged large s3
'

# A server that is slow enough to be met in the middle: it sends the rest when told to.
test_expect_success 'an add that is killed is gone on with' '
	cd w &&
	for mark in 9000000 13000000 17000000
	do
		rm -f ../server/go && requests >../asked &&
		printf "%s\tkilled/%s\n" $at/pause=$mark/huge?$mark $mark >../list &&
		{ DIG_CONFIG=fetch.stall_time=60 dig-update-index --add --stdin-urls <../list & } && killed=$! &&
		until dig-show-staging 2>/dev/null | grep " stream origin.*killed/$mark$" >../reached
		do
			kill -0 $killed || return 1
			sleep 0.05
		done &&
		kill -KILL $killed && { wait $killed || :; } && touch ../server/go && requests >../asked &&
		dig -c fetch.stall_time=60 add -q $at/pause=$mark/huge?$mark --path=killed/$mark && is_staged huge killed/$mark && requests >../asked &&
		test $(first_byte ../asked) -gt 3000000 || { echo $mark; return 1; }
	done
'

test_expect_success 'an add that is interrupted says what is kept' '
	cd w && seeded 20M 9 >"$objects/own" && touch -d 2020-01-01 "$objects/own" && rm -f ../server/go && { dig -c fetch.stall_time=60 add -q $at/pause=9000000/own?i --path=interrupted 2>../err & } && killed=$! &&
	until dig-show-staging 2>/dev/null | grep " stream origin.*interrupted$"
	do
		kill -0 $killed || return 1
		sleep 0.05
	done &&
	kill -TERM $killed && { wait $killed; test $? -ge 128; } && touch ../server/go && cat ../err &&
	grep "are kept, and the same command continues" ../err && requests >../asked &&
	dig -c fetch.stall_time=60 add -q $at/pause=9000000/own?i --path=interrupted && is_staged own interrupted && requests >../asked &&
	test $(first_byte ../asked) -gt 3000000
'

test_expect_success 'core.file_digest needs every byte, and gets it' '
	cd w && requests >../asked && DIG_CONFIG=core.file_digest=true && export DIG_CONFIG &&
	test_when_finished "unset DIG_CONFIG" &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/huge?d --path=digest && requests >../asked &&
	dig add -q $at/at=12000000,1/huge?d --path=digest && requests >../asked && test $(first_byte ../asked) = 0 &&
	dig-ls-index digest | grep "sha256=$(sha256sum <"$objects/huge" | cut -c 1-64)"
'

# blocks_of PATH: the root of core.block_tree.
blocks_of () {
	dig-ls-index "$1" | grep -o "blocks=[0-9a-f]*"
}

test_expect_success 'core.block_tree goes on inside an object, and begins anew where there is no tree' '
	cd w && dig-update-index --add --stdin-content --path=blocks/all <"$objects/huge" && ! blocks_of blocks/all &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/huge?anew --path=blocks/anew && requests >../asked &&
	DIG_CONFIG=core.block_tree=true && export DIG_CONFIG && test_when_finished "unset DIG_CONFIG" &&
	dig-update-index --add --stdin-content --path=blocks/all <"$objects/huge" && blocks_of blocks/all >../expect &&
	dig add -q $at/at=12000000,1/huge?anew --path=blocks/anew && requests >../asked && test $(first_byte ../asked) = 0 &&
	blocks_of blocks/anew | test_cmp ../expect - &&
	test_expect_code 12 dig -c fetch.retries=0 add $at/at=12000000,1/huge?on --path=blocks/on && requests >../asked &&
	dig add -q $at/at=12000000,1/huge?on --path=blocks/on && requests >../asked && test $(first_byte ../asked) -gt 3000000 &&
	blocks_of blocks/on | test_cmp ../expect - &&
	dig add -q $at/at=12000000,1/huge?cut --path=blocks/cut && blocks_of blocks/cut | test_cmp ../expect -
'

test_expect_success 'the progress knows the total' '
	cd w && dig add --progress=json $at/plain/huge --path=progress 2>../err &&
	grep "\"total_bytes\":20971520" ../err
'

test_expect_success 'wrong usage is told' '
	cd w && test_expect_code 129 dig add $at/plain/small && test_expect_code 129 dig add --path=x &&
	test_expect_code 129 dig add $at/plain/small --path=x -n && test_expect_code 129 dig add -z small &&
	test_expect_code 129 dig add ftp://host/x --path=x && test_expect_code 129 dig add --stdin small &&
	test_expect_code 129 dig-update-index --add --stdin-urls -n && test_expect_code 129 dig-update-index --remove --stdin-urls &&
	test_expect_code 129 dig add $at/plain/small $at/plain/large --path=x &&
	test_expect_code 128 dig add $at/plain/small --path=../outside
'

test_expect_success 'without dig-fetch-url a URL is refused, and why is told' '
	mkdir alone && cp "$DIG_BUILD/dig" alone && for tool in add update-index hash-object
	do
		ln -s dig alone/dig-$tool || return 1
	done &&
	cd w && test_expect_code 12 ../alone/dig-add $at/plain/small --path=x 2>../err && grep "built without libcurl" ../err
'

stop_server
test_done
