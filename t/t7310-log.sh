#!/bin/sh

test_description='dig log shows the states in which paths have changed'

. "$(dirname "$0")/test-lib.sh"

# commit TIME MESSAGE: of everything.
commit () {
	dig add -q -A && DIG_COMMIT_TIME=$1 dig commit -q -m "$2"
}

# A day each, from 2023-11-14 on.
day=86400
dig init w >/dev/null && cd w && mkdir -p d/sub e &&
	echo one >a && echo 1 >d/x && echo 1 >d/sub/y && echo beside >d-b && echo beside >d.c && echo star >'e/*' && echo other >e/other &&
	touch -d @1600000000 a d/x d/sub/y && commit 1700000000 first &&
	echo two >a && commit $((1700000000 + day)) 'a changes' &&
	rm d/sub/y && echo more >d-b && commit $((1700000000 + 2 * day)) 'y goes' &&
	chmod 755 d/x && echo more >e/other && commit $((1700000000 + 3 * day)) 'x can be run' &&
	mkdir -p d/sub && echo 1 >d/sub/y && commit $((1700000000 + 4 * day)) 'y comes back' &&
	touch -d @1600000001 a && rm d/x && ln -s a d/x && commit $((1700000000 + 5 * day)) 'link and time' || exit 1
cd "$TRASH" || exit 1

# shows "GENERATIONS" ARGUMENT...
shows () {
	printf "%s\n" $1 >"$TRASH/expect" && shift && (cd "$TRASH/w" && dig log --oneline "$@") >"$TRASH/lines" &&
	sed 's/^@\([0-9]*\) .*/\1/' <"$TRASH/lines" >"$TRASH/actual" && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'a file, a directory and a path that was deleted and came back' '
	shows "6 2 1" a && shows "5 3 1" d/sub/y && shows "5 3 1" d/sub && shows "6 5 4 3 1" d && shows "3 1" d-b && shows 1 d.c &&
	shows "6 5 4 3 2 1" . && shows "6 5 4 3 2 1" && shows "6 4 1" d/x
'

test_expect_success 'several paths; one within another; the same from below' '
	shows "6 3 2 1" a d-b && shows "6 5 4 3 1" d d/sub/y && cd w/d && dig log --oneline ./a >../../out && test $(wc -l <../../out) = 3
'

test_expect_success 'a pattern is a name' '
	shows 1 "e/*" && shows "4 1" e/other && test_expect_code 128 dig -C w log "d/*" 2>err && grep "^dig log: .d/\*. is in no state" err
'

test_expect_success 'a path that is in no state is an error, even beside others; what may be meant is said' '
	test_expect_code 128 dig -C w log e/othr >out 2>err && test_cmp /dev/null out && grep "e/othr. is in no state; did you mean .e/other" err &&
	test_expect_code 128 dig -C w log a nowhere 2>err && grep "nowhere. is in no state" err &&
	test_expect_code 128 dig -C w log -n 1 a nowhere 2>err && grep "nowhere. is in no state" err &&
	test_expect_code 128 dig -C w log @1 d/sub/z 2>err && grep "is in no state up to @1" err &&
	test_expect_code 128 dig -C w log d/sub/z --since=2023-11-18 2>err && grep "is in no state" err
'

test_expect_success 'a path that is gone by now is none' '
	cp -Rp w gone && cd gone && rm d-b && commit $((1700000000 + 6 * day)) gone && dig log --oneline d-b >../out && cat ../out &&
	test $(wc -l <../out) = 3 && dig log --oneline --until=2023-11-14 d-b >../out && test $(wc -l <../out) = 1 &&
	dig log --oneline --since=2023-11-17 --until=2023-11-17 d-b >../out && test_cmp /dev/null ../out
'

test_expect_success '--since, --until and -n; options stand anywhere' '
	shows "6 5" --since=2023-11-18 && shows "2 1" --until=2023-11-15 && shows "1" a --until=2023-11-14 && shows "2" -n 1 a --until=2023-11-15 &&
	shows "6 2" a -n 2 && shows "3 2" --since 2023-11-15 --until "2023-11-16 22:13:20" && shows "2" --until="2023-11-16 22:12" --since=2023-11-15 . &&
	cd w && dig log -n 0 >../out && test_cmp /dev/null ../out && dig log -n 0 a >../out && test_cmp /dev/null ../out &&
	dig log --since=2024-01-01 a >../out && test_cmp /dev/null ../out &&
	test_expect_code 129 dig log --since=never 2>../err && grep "is no time" ../err
'

test_expect_success 'a ROOT, ROOT:PATH and --at; a name that is both is asked about' '
	shows "2 1" @2 && shows "2 1" @2 a && shows "2 1" @2:a && shows "2 1" --at=HEAD~4 a && shows "3 1" HEAD~3 d-b && shows "6 2 1" :a &&
	cp -Rp w both && cd both && dig tag -q a @1 && test_expect_code 129 dig log a 2>../err && grep "names a state and a path; give --at=a or ./a" ../err &&
	dig log --oneline ./a >../out && test $(wc -l <../out) = 3 && dig log --oneline --at=a >../out && test $(wc -l <../out) = 1 &&
	dig log --oneline --at=a a >../out && test $(wc -l <../out) = 1 &&
	test_expect_code 128 dig log @99 2>../err && grep "there are generations @1 to @6" ../err && test_expect_code 128 dig log HEAD~9 2>../err
'

test_expect_success 'the long form is the same with paths' '
	cd w && dig log >../all && dig log . >../paths && test_cmp ../all ../paths && dig log -n 1 d-b >../actual &&
	cat >../expect <<-EOF && test_cmp ../expect ../actual
	@3 $(dig list-roots | sed -n "s/^3 \([0-9a-f]*\) .*/\1/p")
	Author: Test Author <author@example.org>
	Date:   2023-11-16 22:13:20 UTC

	    y goes
	EOF
'

test_expect_success '--stat tells content, mode, time and kind apart' '
	cd w && dig log --oneline --stat a d | sed "s/^@\([0-9]\) [0-9a-f]*/@\1/" >../actual && cat >../expect <<-EOF && test_cmp ../expect ../actual
	@6 link and time
	    t      4 bytes      4 bytes  a  (time $(dig ls -l @5:a | cut -c25-43) UTC -> 2020-09-13 12:26:41 UTC)
	    T      2 bytes      1 bytes  d/x  (file -> symlink)
	    2 paths: 1 of another kind, 1 with another time; 5 bytes, was 6 bytes
	@5 y comes back
	    D      0 bytes            -  d/sub
	    A            -      2 bytes  d/sub/y
	    2 paths: 1 added, 1 deleted; 2 bytes, was 0 bytes
	@4 x can be run
	    m      2 bytes      2 bytes  d/x  (mode 0644 -> 0755)
	    1 path: 1 with another mode; 2 bytes, was 2 bytes
	@3 y goes
	    A            -      0 bytes  d/sub
	    D      2 bytes            -  d/sub/y
	    2 paths: 1 added, 1 deleted; 0 bytes, was 2 bytes
	@2 a changes
	    M      4 bytes      4 bytes  a
	    1 path: 1 modified; 4 bytes, was 4 bytes
	@1 first
	    A            -      4 bytes  a
	    A            -      2 bytes  d/sub/y
	    A            -      2 bytes  d/x
	    3 paths: 3 added; 8 bytes, was 0 bytes
	EOF
'

test_expect_success PYTHON '--json is an object a line, with bytes that are no UTF-8' '
	cp -Rp w odd && cd odd && name=$(printf "odd\377\n\"") && echo odd >"$name" && dig add -q -A && dig commit -q -m "$(printf "a\tb\\\\\"c\n\nd")" &&
	dig log --json --stat -n 2 >../out && python3 -c "
import base64, json, sys
first, second = [json.loads(line) for line in sys.stdin]
assert first[\"schema\"] == 1 and first[\"generation\"] == 7 and first[\"message\"] == \"a\tb\" + chr(92) + chr(34) + \"c\n\nd\", first
(change,) = first[\"changes\"]
assert base64.b64decode(change[\"path_b64\"]) == b\"odd\xff\n\\\"\" and change[\"status\"] == \"A\" and change[\"old\"] is None
assert change[\"new\"][\"size\"] == 4 and change[\"new\"][\"mode\"] == \"100644\"
assert [c[\"changed\"] for c in second[\"changes\"]] == [[\"time\"], [\"kind\", \"content\", \"mode\", \"time\"]], second
assert not second[\"dropped\"] and second[\"time\"] == 1700432000
" <../out && dig log --json "$name" >../out && test $(wc -l <../out) = 1 && test_expect_code 129 dig log --json --oneline 2>../err
'

test_expect_success 'states whose content was dropped are passed over' '
	cp -Rp w dropped && cd dropped && printf "@2\n@5\n" | dig prune-layers -q --now --stdin && dig log --oneline a >../out && cat ../out &&
	sed "s/ .*//" ../out >../actual && printf "@6\n@2\n" | test_cmp - ../actual && dig log --oneline d-b >../out && sed "s/ .*//" ../out >../actual &&
	printf "@5\n@2\n" | test_cmp - ../actual && dig log --oneline >../out && grep -c "(dropped)" ../out >../actual && echo 3 | test_cmp - ../actual &&
	dig log --json -n 3 >../out && grep -c "\"dropped\":true" ../out && dig log @3 a >../out && test $(grep -c "^@" ../out) = 1
'

test_expect_success 'before the first commit' '
	dig init empty >/dev/null && cd empty && dig log >../out && test_cmp /dev/null ../out && test_expect_code 128 dig log x 2>../err && cat ../err &&
	test_expect_code 128 dig log @1 2>../err && grep "nothing is committed yet" ../err
'

# Many small states, each with a layer of its own.
test_expect_success 'a long history' '
	dig init long >/dev/null && cd long && dig config core.merge_layers false && mkdir d && for i in 1 2 3 4 5; do seq $i 40 | while read -r n; do echo $n >d/$i-$n; done; done &&
	dig add -q -A && dig commit -q -m base && i=1 && while test $i -le 60
	do
		echo $i >d/1-$((i % 30 + 1)) && { test $((i % 20)) != 0 || echo $i >needle; } && dig add -q -A && dig commit -q -m $i && i=$((i + 1)) || return 1
	done && ls .dig/layers >../layers && test $(wc -l <../layers) = 61 &&
	dig log --oneline needle | sed "s/.* //" >../actual && printf "60\n40\n20\n" | test_cmp - ../actual &&
	dig log --oneline d/1-1 | sed "s/.* //" >../actual && printf "60\n30\nbase\n" | test_cmp - ../actual &&
	dig log --oneline d | sed "s/.* //" >../actual && test $(wc -l <../actual) = 61
'

test_expect_success STRACE 'only the layers that lead to the path are opened, and not once for each state' '
	cd long && mkdir side && echo x >side/x && dig add -q -A && dig commit -q -m side && strace -f -e trace=openat,openat2 -o ../trace dig-log --oneline side >../out &&
	test $(wc -l <../out) = 1 && grep -c "layers/.*\.dig" ../trace >../opened && cat ../opened && dig log --since=2023-11-15 needle >../out &&
	strace -f -e trace=openat,openat2 -o ../trace dig-log -n 1 --oneline side >../out && test $(grep -c "layers/.*\.dig" ../trace) -lt 30
'

# What was noted of states is derived data: without it, layers tell.
test_expect_success 'without the notes of states the answer is the same' '
	cd w && dig log a >../expect && dig ls @{2023-11-15} >../expect2 && mv .dig/states ../states && dig log a >../actual && test_cmp ../expect ../actual &&
	dig ls @{2023-11-15} >../actual && test_cmp ../expect2 ../actual && mkdir .dig/states && printf garbage >.dig/states/0 && dig log a >../actual && test_cmp ../expect ../actual &&
	rm -r .dig/states && mv ../states .dig && cp .dig/states/0 ../noted && printf XXXX | dd of=.dig/states/0 bs=1 seek=300 conv=notrunc status=none &&
	dig log a >../actual && test_cmp ../expect ../actual && cp ../noted .dig/states/0
'

# Which paths a state has changed is noted, too: answers PATH... are the same whatever has become of that.
answers () {
	for path in "$@"
	do
		echo "$path" && { dig log --oneline --stat "$path" 2>&1 || echo "status $?"; }
	done
}

# same PATH...: with what is noted in the store of this directory, and in a copy that has nothing noted.
same () {
	answers "$@" >"$TRASH/expect" && rm -rf "$TRASH/without" && cp -Rp . "$TRASH/without" && rm -r "$TRASH/without/.dig/changed-paths" &&
	(cd "$TRASH/without" && answers "$@" >"$TRASH/actual") && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'what is noted of changed paths gives the answers that the trees give' '
	cd w && same . a d d/x d/sub d/sub/y d-b d.c e "e/*" e/other nowhere && cd ../long && same . d d/1-1 d/1-7 d/5-5 needle side side/x nowhere
'

test_expect_success STRACE 'what is noted is used: for a state that has not changed the path, no layer is opened' '
	opened () {
		strace -f -e trace=openat,openat2 -o ../trace dig-log --oneline needle >../out && test $(wc -l <../out) = 3 && grep -c "layers/.*\.dig" ../trace
	} &&
	cd long && rm -rf ../noted && mv .dig/changed-paths ../noted && without=$(opened) && mv ../noted .dig/changed-paths && with=$(opened) &&
	echo "$with $without" && test $with -le 8 && test $without -ge 60
'

test_expect_success 'what is noted may be missing, short, damaged or of another store' '
	cd long && answers d d/1-1 d/5-5 needle >../expect && noted=.dig/changed-paths/0 && cp $noted ../noted && size=$(wc -c <$noted) &&
	for how in "rm $noted" "truncate -s 0 $noted" "truncate -s 10 $noted" "truncate -s 24 $noted" "truncate -s 500 $noted" "truncate -s -1 $noted" \
		"truncate -s +72 $noted" "cp ../w/$noted $noted" "cp .dig/states/0 $noted"
	do
		echo "$how" && $how && answers d d/1-1 d/5-5 needle >../actual && test_cmp ../expect ../actual && cp ../noted $noted || return 1
	done &&
	for at in 9 24 30 60 100 400 $((size / 2)) $((size - 2))
	do
		printf "\252" | dd of=$noted bs=1 seek=$at conv=notrunc status=none && ! cmp -s ../noted $noted && answers d d/1-1 d/5-5 needle >../actual &&
		test_cmp ../expect ../actual && dig-check >../out 2>&1 && grep "changed-paths/0.*can be removed" ../out && cp ../noted $noted || return 1
	done && dig-check >../out 2>&1 && ! grep changed-paths ../out
'

test_expect_success 'the next commit cuts off what is damaged, and catches up' '
	cp -Rp long mended && cd mended && noted=.dig/changed-paths/0 && size=$(wc -c <$noted) && truncate -s $((size / 2)) $noted &&
	dig commit -q --allow-empty -m empty && test $(wc -c <$noted) -gt $((size / 2)) && test $(wc -c <$noted) -lt $size && same d d/1-1 needle &&
	for i in 1 2 3 4 5 6 7 8 9 10; do dig commit -q --allow-empty -m empty || return 1; done && test $(wc -c <$noted) = $size && same d d/1-1 needle &&
	rm -r .dig/changed-paths && echo new >d/5-5 && dig add -q -A && dig commit -q -m new && ls $noted && same d d/5-5 needle
'

test_expect_success 'renames, removals, a file that becomes a directory; then repack, dropped states and gc' '
	dig init turns >/dev/null && cd turns && mkdir -p a/b c && echo 1 >a/b/x && echo 2 >a/y && echo 3 >c/z && dig add -q -A && dig commit -q -m 1 &&
	mv a/b a/moved && dig add -q -A && dig commit -q -m 2 && rm c/z && dig add -q -A && dig commit -q -m 3 &&
	rm a/y && mkdir a/y && echo 4 >a/y/deep && dig add -q -A && dig commit -q -m 4 && rm -r a/y && echo 2 >a/y && dig add -q -A && dig commit -q -m 5 &&
	chmod 755 a/y && dig add -q -A && dig commit -q -m 6 && rm -r c && dig add -q -A && dig commit -q -m 7 && mv a/moved a/b && dig add -q -A && dig commit -q -m 8 &&
	all=". a a/b a/b/x a/moved a/moved/x a/y a/y/deep c c/z" && same $all && answers $all >../before &&
	dig repack -q && same $all && answers $all >../after && test_cmp ../before ../after &&
	printf "@2\n@4\n@5\n" | dig prune-layers -q --now --stdin && same $all && echo 9 >a/y && dig add -q -A && dig commit -q -m 9 && same $all &&
	dig gc -q --now --keep-last=2 && same a a/b a/y && dig commit -q --allow-empty -m 10 && same a a/b a/y && dig-check -q
'

test_expect_success 'dig repack notes what an import has not noted' '
	(cd long && dig export -q ../long.dig) && dig init imported >/dev/null && cd imported && dig import -q ../long.dig && test ! -e .dig/changed-paths && answers d d/1-1 needle >../expect &&
	dig repack -q -n && test ! -e .dig/changed-paths && dig repack -q --pending &&
	answers d d/1-1 needle >../actual && test_cmp ../expect ../actual && same d d/1-1 needle && count=$(wc -c <../long/.dig/changed-paths/0) &&
	test $(wc -c <.dig/changed-paths/0) = $count && dig repack -q && test $(wc -c <.dig/changed-paths/0) = $count
'

test_expect_success 'a state that changes more paths than are noted' '
	dig init many >/dev/null && cd many && mkdir d && echo x >keep && seq 2000 | while read -r n; do echo $n >d/a-file-with-a-name-of-some-length-$n; done &&
	dig add -q -A && dig commit -q -m many && echo 1 >keep && dig add -q -A && dig commit -q -m keep && echo 1 >d/a-file-with-a-name-of-some-length-7 && dig add -q -A &&
	dig commit -q -m one && same keep d/a-file-with-a-name-of-some-length-7 d/a-file-with-a-name-of-some-length-8 &&
	test $(wc -c <.dig/changed-paths/0) -lt 400 && cp -Rp . ../scattered && dig log --oneline d | sed "s/.* //" >../actual && printf "one\nmany\n" | test_cmp - ../actual
'

test_expect_success 'changes that are scattered over a large tree are not noted, since a commit would look at many nodes' '
	cd scattered && seq 30000 | sed "s/.*/d-&/" >names && dig ls-root HEAD | sed 1q | cut -f1 >one &&
	dig ls-root HEAD | sed -n 2p | cut -f1 >two && sed "s/^/$(cat one)	/" names | dig update-index --index-info && dig commit -q -m large &&
	size=$(wc -c <.dig/changed-paths/0) && awk "NR % 300 == 0" names | sed "s/^/$(cat two)	/" | dig update-index --index-info && dig commit -q -m scattered &&
	test $(wc -c <.dig/changed-paths/0) = $((size + 72)) && sed -n 1000,1010p names | sed "s/^/$(cat two)	/" | dig update-index --index-info &&
	dig commit -q -m neighbours && test $(wc -c <.dig/changed-paths/0) -gt $((size + 150)) && same d-300 d-1000 d-1005 d-7 d
'

test_expect_success PYTHON 'a second reader finds the same changed paths' '
	for store in w long mended turns many imported dropped
	do
		ls "$store/.dig/changed-paths" && python3 "$TEST_DIRECTORY/reference/dig_reference.py" store "$store/.dig" >out 2>err && ! grep changed-paths err || return 1
	done
'

test_expect_success 'a commit does not fail because nothing can be noted' '
	cp -Rp w unnoted && cd unnoted && rm -r .dig/changed-paths && echo "no directory" >.dig/changed-paths && echo new >a && dig add -q -A && dig commit -q -m new &&
	rm .dig/changed-paths && mkdir .dig/changed-paths && answers a d >../expect && rmdir .dig/changed-paths && answers a d >../actual && test_cmp ../expect ../actual
'

test_expect_success 'a lost layer is told where it is needed; for what is noted it is not' '
	cp -Rp w lost && cd lost && dig config core.merge_layers false && dig log a >../expect && ls .dig/layers >../names && rm .dig/layers/* &&
	dig log a >../actual && test_cmp ../expect ../actual && rm -r .dig/changed-paths && test_expect_code 4 dig log a >../out 2>../err && cat ../err
'

test_done
