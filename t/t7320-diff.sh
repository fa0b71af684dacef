#!/bin/sh

test_description='dig diff of states and of the work tree: content, mode, time and kind apart'

. "$(dirname "$0")/test-lib.sh"

dig init w >/dev/null && cd w && mkdir -p d/sub empty &&
	for name in same content mode time kind gone size d/x d/sub/y d-b
	do
		echo "$name one" >$name && touch -d @1600000000 $name || exit 1
	done
dig add -q -A && dig commit -q -m one &&
	echo "content two" | head -c 12 >content && echo longer >>size && chmod 755 mode && touch -d @1600000001 time && rm kind gone && ln -s x kind &&
	echo new >new && echo more >>d/sub/y && dig add -q -A && dig commit -q -m two || exit 1
cd "$TRASH" || exit 1

test_expect_success 'letters tell what has changed; --name-status is the same' '
	cd w && dig diff >../actual && cat >../expect <<-\EOF && test_cmp ../expect ../actual &&
	M	content
	M	d/sub/y
	D	gone
	T	kind
	m	mode
	A	new
	M	size
	t	time
	EOF
	dig diff --name-status @1 @2 >../actual && test_cmp ../expect ../actual &&
	test_expect_code 129 dig diff --stat --json 2>../err && test_expect_code 129 dig diff --ranges --stat @1 @2 size 2>../err
'

test_expect_success '-z is what dig-diff-roots prints' '
	cd w && dig diff -z @1 @2 >../actual && test_expect_code 1 dig diff-roots -z @1 @2 >../expect && cmp ../expect ../actual
'

test_expect_success '--stat has sizes, and both values of what else has changed' '
	cd w && dig diff --stat --utc @1 @2 mode size time kind new gone d >../actual && cat >../expect <<-\EOF && test_cmp ../expect ../actual &&
	M     12 bytes     17 bytes  d/sub/y
	D      9 bytes            -  gone
	T      9 bytes      1 bytes  kind  (file -> symlink)
	m      9 bytes      9 bytes  mode  (mode 0644 -> 0755)
	A            -      4 bytes  new
	M      9 bytes     16 bytes  size
	t      9 bytes      9 bytes  time  (time 2020-09-13 12:26:40 UTC -> 2020-09-13 12:26:41 UTC)
	7 paths: 1 added, 1 deleted, 2 modified, 1 of another kind, 1 with another mode, 1 with another time; 56 bytes, was 57 bytes
	EOF
	dig diff --stat --bytes @1 @2 size >../actual && grep "^M            9           16  size$" ../actual && dig diff --stat @2 @2 >../actual && test_cmp /dev/null ../actual
'

test_expect_success PYTHON '--json lists all that differs' '
	cd w && dig diff --json @1 @2 >../out && python3 -c "
import json, sys
changes = {c[\"path\"]: c for c in map(json.loads, sys.stdin)}
assert all(c[\"schema\"] == 1 for c in changes.values())
assert changes[\"mode\"][\"changed\"] == [\"mode\"] and changes[\"time\"][\"changed\"] == [\"time\"]
assert set(changes[\"size\"][\"changed\"]) == {\"content\", \"time\"} and \"kind\" in changes[\"kind\"][\"changed\"]
assert changes[\"new\"][\"old\"] is None and changes[\"gone\"][\"new\"] is None
assert changes[\"time\"][\"old\"][\"mtime_ns\"] == 1600000000 * 10**9 and changes[\"mode\"][\"new\"][\"mode\"] == \"100755\"
assert len(changes) == 8
" <../out
'

test_expect_success 'PATHs choose, in any order and number; what is nowhere is an error' '
	cd w && dig diff @1 @2 d mode >../actual && printf "M\td/sub/y\nm\tmode\n" | test_cmp - ../actual &&
	dig diff @1 @2 d d/sub/y d/sub >../actual && printf "M\td/sub/y\n" | test_cmp - ../actual &&
	dig diff @1 @2 same d-b >../actual && test_cmp /dev/null ../actual && dig diff @1 @2 . >../actual && test $(wc -l <../actual) = 8 &&
	test_expect_code 128 dig diff @1 @2 contint 2>../err && grep "contint. is neither in @1 nor in @2; did you mean .content" ../err &&
	dig diff @1 -q @2 same && test_expect_code 1 dig diff @1 @2 mode -q && test_expect_code 129 dig diff @1 @2 --no-such
'

test_expect_success 'a state and the work tree: nothing has changed' '
	cd w && dig diff --work >../actual && test_cmp /dev/null ../actual && dig diff -q --work && dig diff @1 >../expect && dig diff --work @1 >../actual &&
	test_cmp ../expect ../actual && dig diff --stat --utc @1 >../expect && dig diff --stat --utc --work @1 >../actual && test_cmp ../expect ../actual
'

test_expect_success 'a state and the work tree: edited, staged, removed, untracked' '
	cp -Rp w edited && cd edited && echo untracked >untracked && echo staged >staged && dig add -q staged && echo "content 333" | head -c 12 >content &&
	chmod 600 same && touch -d @1600000005 d/x && rm d-b size && mkdir size && echo in >size/in && echo gone >gone && rm new && dig rm -q --cached time &&
	dig diff --work >../actual && cat >../expect <<-\EOF && test_cmp ../expect ../actual &&
	M	content
	D	d-b
	t	d/x
	D	new
	m	same
	D	size
	A	staged
	EOF
	dig diff --work @1 >../actual && cat >../expect <<-\EOF && test_cmp ../expect ../actual &&
	M	content
	D	d-b
	M	d/sub/y
	t	d/x
	M	gone
	T	kind
	m	mode
	m	same
	D	size
	A	staged
	t	time
	EOF
	dig diff --work @1 d gone >../actual && printf "M\td/sub/y\nt\td/x\nM\tgone\n" | test_cmp - ../actual && test_expect_code 1 dig diff -q --work @1 &&
	dig diff --work @0 same >../actual && printf "A\tsame\n" | test_cmp - ../actual &&
	test_expect_code 128 dig diff --work HEAD nowhere 2>../err && grep "neither in HEAD nor in the work tree" ../err &&
	dig diff --work HEAD untracked >../actual && test_cmp /dev/null ../actual
'

# The index knows no stat of what has the size and the time of the state: the content tells.
test_expect_success 'content is read where size and time are the same' '
	cp -R w read && cd read && cp -p ../w/same ../saved && printf "same 222\n" >same && touch -d @1600000000 same && dig diff --work HEAD same >../actual &&
	printf "M\tsame\n" | test_cmp - ../actual && cp -p ../saved same && dig diff --work HEAD same >../actual && test_cmp /dev/null ../actual
'

test_expect_success 'a stream that never had a file is not missing' '
	cp -Rp w stream && cd stream && echo piped | dig add -q --stdin --path=piped && dig commit -q -m piped && dig diff --work >../actual && test_cmp /dev/null ../actual &&
	dig diff --work @2 >../actual && printf "A\tpiped\n" | test_cmp - ../actual
'

test_expect_success 'a symbolic link in the place of a directory is not followed' '
	cp -Rp w link && cd link && mkdir ../outside && mkdir ../outside/sub && echo "d/sub/y one" >../outside/sub/y && rm -r d && ln -s ../outside d &&
	dig diff --work @1 d >../actual && cat ../actual && printf "D\td/sub/y\nD\td/x\n" | test_cmp - ../actual
'

test_expect_success !ROOT 'what cannot be read is told, and the rest is compared' '
	cp -Rp w unreadable && cd unreadable && printf "same 222\n" >same && chmod 0 same && test_expect_code 3 dig diff --work 2>../err && grep "same. is not compared" ../err
'

# dig-diff-roots walks both trees at once; dig diff has threads that take ranges of paths, or the ranges of PATHs.
# Names are such that "a-b" comes between "a" and what lies in it.
test_expect_success 'large states, changed everywhere or in some places, are compared as by dig-diff-roots' '
	dig init large >/dev/null && cd large && empty=$(: | dig hash-object --stdin) && dig hash-object -w --stdin <../w/same >../root && full=$(cat ../root) &&
	awk -v empty=$empty "BEGIN {
		for (i = 0; i < 24000; i++)
			printf \"100644 0 %s %d\\td%d%s/sub-%d%s%05d\\n\", empty, i, i % 37, i % 3 ? \"\" : \"-x\", i % 11, i % 5 ? \"/\" : \"-\", i
	}" >../entries && dig update-index --index-info <../entries && dig commit -q -m one &&
	for step in 7 1000 1 9999
	do
		sed -n "1~${step}p" ../entries | sed "s/^100644 0 $empty/100755 $(wc -c <../w/same) $full/; 3~4d" >../changes &&
		sed -n "2~${step}p" ../entries | sed -n "1~5s/^100644 0 [0-9a-f]* [0-9]*/0 0 $empty/p" >>../changes &&
		{ test $step = 1 || printf "100644 0 $empty 5\\tnew-%s/x\n" $step; } >>../changes && dig update-index --index-info <../changes && dig commit -q -m $step || return 1
	done &&
	for pair in "@1 @2" "@2 @3" "@3 @4" "@4 @5" "@1 @5" "@5 @1" "@0 @1" "@4 @0"
	do
		{ dig diff-roots --apart $pair >../expect || :; } && dig diff $pair >../actual && cmp ../expect ../actual && test -s ../expect &&
		dig diff $pair d3 d5-x/sub-4 >../actual && { dig diff-roots --apart $pair d3 d5-x/sub-4 >../expect || :; } && cmp ../expect ../actual || { echo $pair; return 1; }
	done &&
	for path in d3 d3-x d7/sub-4 d36/sub-1
	do
		for n in 5 4 3 2
		do
			dig diff -q @$((n - 1)) @$n $path || echo @$n
		done >../expect && echo @1 >>../expect && dig log --oneline $path >../log && sed "s/ .*//" ../log >../actual && test_cmp ../expect ../actual || return 1
	done && dig diff @1 @4 | head -n 1 >../actual && test $(wc -l <../actual) = 1 && within-memory dig-diff --stat @0 @4 >../out && test -s ../out
'

test_done
