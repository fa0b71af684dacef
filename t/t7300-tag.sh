#!/bin/sh

test_description='dig tag gives names to states, and these stand wherever a ROOT is asked for'

. "$(dirname "$0")/test-lib.sh"

# Three states of three days: 2023-11-14, 15 and 16, at 22:13:20 UTC.
dig init w >/dev/null && cd w &&
	for day in 1 2 3
	do
		echo $day >file && echo $day >file-$day && dig add -q -A &&
			DIG_COMMIT_TIME=$((1700000000 + (day - 1) * 86400)) dig commit -q -m "day $day" || exit 1
	done
set -- $(dig-list-roots | cut -d' ' -f2)
root3=$1 root2=$2 root1=$3
cd "$TRASH" || exit 1

test_expect_success 'a tag names the newest state, or the state that is given' '
	cd w && dig tag v3 >../out && grep -x "'\''v3'\'' is @3 $(printf %.12s $root3)" ../out && dig tag -q v1 HEAD~2 >../out &&
	test_cmp /dev/null ../out && dig tag >../actual &&
	printf "v1\t@1 %.12s\nv3\t@3 %.12s\n" $root1 $root3 >../expect && test_cmp ../expect ../actual &&
	dig tag -z >../actual && tr "\\n" "\\0" <../expect | cmp - ../actual
'

test_expect_success 'the file is the one that dig-store-layout(5) shows' '
	cd w && od -A n -t x1 -v .dig/tags/v1 | tr -d " \\n" >../hex &&
	{ printf 4449475441473031; printf 0100; printf 000000000000; printf 00000000; } >../begin &&
	test "$(cut -c1-40 ../hex)" = "$(cat ../begin)" &&
	test "$(cut -c49-64 ../hex)" = 0100000000000000 && test "$(cut -c65-128 ../hex)" = $root1 && test $(wc -c <.dig/tags/v1) = 68
'

test_expect_success 'every command that takes a ROOT takes a tag and a time' '
	cd w && dig tag -q v2 @2 &&
	for name in v2 v3~1 v3~ @{2023-11-15} HEAD@{2023-11-15T22:13:20Z} "@{2023-11-16 22:13:19}" "HEAD@{@1700086400}" HEAD@{2023-11-16}~1
	do
		dig cat "$name:file" >../actual && echo 2 | test_cmp - ../actual &&
		dig cat "$name:file-2" >../actual && echo 2 | test_cmp - ../actual &&
		echo "$name:file" | dig cat --batch >../actual && sed -n 2p ../actual | grep -x 2 &&
		dig ls "$name" >../actual && printf "file\nfile-1\nfile-2\n" | test_cmp - ../actual &&
		dig ls "$name:file-2" >../actual && echo file-2 | test_cmp - ../actual &&
		dig ls-root --name-only "$name" file >../actual && echo file | test_cmp - ../actual &&
		dig show "$name" >../actual && head -n 1 ../actual | grep "^@2 $root2" &&
		dig show-layer "$name" >../actual && grep "^root $root2" ../actual &&
		dig count "$name" >../actual && grep "^3 6" ../actual &&
		dig log --oneline "$name" >../actual && test $(wc -l <../actual) = 2 &&
		dig diff "$name" HEAD >../actual && printf "M\tfile\nA\tfile-3\n" | test_cmp - ../actual &&
		dig diff @1 "$name" >../actual && printf "M\tfile\nA\tfile-2\n" | test_cmp - ../actual &&
		test_expect_code 1 dig diff-roots "$name" HEAD >../actual && printf "M\tfile\nA\tfile-3\n" | test_cmp - ../actual &&
		rm -rf ../out.d && dig extract -q --at="$name" ../out.d file && grep -x 2 ../out.d/file &&
		rm -rf ../out.d && dig checkout-root -q "$name" ../out.d && grep -x 2 ../out.d/file &&
		dig export -q --full --at="$name" ../one.dig && dig ls ../one.dig >../actual && test $(wc -l <../actual) = 3 &&
		dig export -q --since="$name" ../since.dig && dig export-states -q --since="$name" ../since2.dig &&
		cmp ../since.dig ../since2.dig && echo "$name" | dig prune-layers --dry-run --stdin >../actual &&
		grep "would drop 1 state, kept 2" ../actual || { echo "$name"; return 1; }
	done
'

test_expect_success 'a time before the first state is an error that has the time of this one' '
	cd w && test_expect_code 128 dig ls @{2023-11-13} 2>../err && cat ../err &&
	grep "@{2023-11-13}.* names no state: it lies before the first state, @1 of 2023-11-14 22:13:20 UTC" ../err &&
	test_expect_code 128 dig ls "HEAD@{2023-11-14 22:12}" 2>../err && grep "before the first state" ../err &&
	dig ls "HEAD@{2023-11-14 22:13}" >../out && dig ls @{now} >../out && dig ls @{yesterday} >../out && grep file-3 ../out &&
	test_expect_code 128 dig ls "@{300 years ago}" 2>../err && grep "before the first state" ../err
'

test_expect_success 'where a clock was set back, the highest generation counts' '
	cp -R w back && cd back && echo 4 >file && dig add -q -A && DIG_COMMIT_TIME=1700050000 dig commit -q -m "set back" &&
	dig cat @{2023-11-15}:file >../out && echo 4 | test_cmp - ../out && dig cat @{2023-11-14}:file >../out && echo 1 | test_cmp - ../out &&
	dig cat "@{@1700050000}:file" >../out && echo 4 | test_cmp - ../out && dig cat "@{@1700049999}:file" >../out && echo 1 | test_cmp - ../out &&
	dig log --oneline --since=2023-11-15 --until=2023-11-15 >../out && sed "s/ .*//" ../out >../actual && printf "@4\n@2\n" | test_cmp - ../actual
'

test_expect_success 'a time that names a state whose content was dropped is told so' '
	cp -R w thin && cd thin && dig gc -q --keep-last=1 --now && test_expect_code 128 dig ls @{2023-11-15} 2>../err && grep "the content of @2 was dropped" ../err &&
	dig log --oneline @{2023-11-15} >../out && grep "^@2 .*(dropped)" ../out
'

test_expect_success 'a day is one of the zone of TZ' '
	cd w && TZ=XXX-9 dig ls @{2023-11-15} >../out && test $(wc -l <../out) = 2 &&
	TZ=XXX-9 dig ls @{2023-11-16} >../out && test $(wc -l <../out) = 3 && TZ=XXX-9 dig ls @{2023-11-16T09:00Z} >../out &&
	test $(wc -l <../out) = 3
'

test_expect_success 'what is no time, or no name, is told' '
	cd w && for name in "@{}" "@{soon}" "HEAD@{2023-02-30}" "@{yesterday" "@{yesterday}x" "HEAD@{a}~x"
	do
		test_expect_code 128 dig ls "$name" 2>../err && grep "a time is\|a time stands in braces" ../err || { cat ../err; return 1; }
	done &&
	test_expect_code 128 dig show v33 2>../err && grep "neither HEAD, .* a tag, .*; did you mean .v3.?" ../err &&
	test_expect_code 128 dig show v1~x 2>../err && grep "behind v1~ there must be a number" ../err &&
	test_expect_code 128 dig show v1~1 2>../err && grep "before @1 there are only 0" ../err &&
	test_expect_code 128 dig show nothing-near 2>../err && ! grep "did you mean" ../err
'

test_expect_success 'names of other things are no names of tags' '
	cd w && for name in HEAD head @1 @ @{now} abcd 00000000 a/b ../x .. . .x x. a..b "a b" a:b a~1 x.lock x.tmp-1 "$(printf "a\nb")" "$(printf "a\033b")" \
		"$(printf %0201d 0)" x.dig
	do
		test_expect_code 129 dig tag -- "$name" 2>../err && grep "cannot be a tag" ../err || { echo "$name"; return 1; }
	done &&
	test_expect_code 129 dig tag -- -d 2>../err && test_expect_code 129 dig tag "" 2>../err && ls .dig/tags >../actual &&
	printf "%s\n" v1 v2 v3 | test_cmp - ../actual
'

test_expect_success 'a tag is moved with -f only; a tag of the same state is no mistake' '
	cd w && dig tag -q v1 @1 && test_expect_code 128 dig tag v1 @2 2>../err && grep "the tag .v1. names @1 already; -f moves it" ../err &&
	dig tag -q -f v1 @2 && dig tag v1 -l >../out && grep "^v1	@2 " ../out && dig tag -qf v1 @1
'

test_expect_success 'patterns choose; -d deletes' '
	cd w && dig tag -q other && dig tag -l "v?" >../out && test $(wc -l <../out) = 3 && test_expect_code 1 dig tag -l w\* &&
	dig tag -d other >../out && grep -x ".other. was @3 .*" ../out &&
	test_expect_code 128 dig tag -d v11 2>../err && grep "there is no tag .v11.; did you mean" ../err &&
	test_expect_code 129 dig tag -d 2>../err && test_expect_code 129 dig tag -d -l v1 2>../err &&
	test_expect_code 129 dig tag a @1 @2 2>../err && test_expect_code 129 dig tag --lock 2>../err
'

test_expect_success 'a locked tag is neither moved nor deleted; its lock gets longer only' '
	cd w && dig tag -q --lock-until=2099-01-01 kept @1 && dig tag -l kept >../out && cat ../out &&
	grep "locked until 2099-01-01 23:59:59 UTC" ../out &&
	test_expect_code 128 dig tag -d kept 2>../err && grep "is locked at @1, and stays" ../err &&
	test_expect_code 128 dig tag -f kept @2 2>../err && grep "is locked at @1, and stays there" ../err &&
	test_expect_code 128 dig tag --lock-until=2098-01-01 kept @1 2>../err && grep "can only be made longer" ../err &&
	dig tag -q kept @1 && dig tag -l kept >../out && grep 2099-01-01 ../out && dig tag -q --lock-until=2100-01-01 kept @1 &&
	dig tag -q --lock kept @1 && dig tag --json -l kept >../out && cat ../out &&
	echo "{\"schema\":1,\"name\":\"kept\",\"generation\":1,\"root\":\"$root1\",\"locked\":true,\"locked_until\":null,\"dropped\":false}" |
	test_cmp - ../out && test_expect_code 128 dig tag --lock-until=2200-01-01 kept @1 2>../err &&
	test_expect_code 129 dig tag --lock-until=2020-01-01 late 2>../err && grep "lies in the past" ../err &&
	test_expect_code 129 dig tag --lock-until=soon late 2>../err && grep "is no time" ../err && ! test -e .dig/tags/late
'

# A lock whose end has passed: 2001-09-09, written by hand.
test_expect_success PYTHON 'a lock that has ended holds nothing' '
	cd w && cat >../lock.py <<-\EOF &&
	import binascii, struct, sys
	root = bytes.fromhex(sys.argv[1])
	head = b"DIGTAG01" + struct.pack("<HHHHI", 2, 0, 0, 0, 0)
	head += struct.pack("<I", binascii.crc32(head))
	body = head + struct.pack("<Q", 1) + root + struct.pack("<Bq", 1, 1000000000)
	open(sys.argv[2], "wb").write(body + struct.pack("<I", binascii.crc32(body)))
	EOF
	python3 ../lock.py $root1 .dig/tags/ended && dig tag ended -l >../out && cat ../out && ! grep locked ../out &&
	dig check -q && dig tag -q -f ended @2 && dig tag -q -d ended
'

test_expect_success 'gc keeps the state of a locked tag, and drops that of another one' '
	cp -R w gc && cd gc && dig tag -qd v1 v2 v3 && dig tag -q plain @2 && dig gc -n --keep-last=1 >../out && cat ../out &&
	grep "would drop 1 state, kept 2" ../out && dig gc -q --keep-last=1 --now && dig cat @1:file >../out && echo 1 | test_cmp - ../out &&
	test_expect_code 128 dig cat plain:file 2>../err && grep "dropped" ../err && dig tag plain -l >../out && grep "dropped$" ../out &&
	test_expect_code 128 dig tag --lock plain @2 2>../err && grep "has dropped" ../err && dig check -q &&
	dig gc -q --keep-last=1 --keep-tag=plain --now
'

test_expect_success 'several make tags at once: each tag is whole, and of one name one wins' '
	cp -R w many && cd many &&
	for i in 1 2 3 4 5 6 7 8
	do
		{ dig tag -q t$i @1; echo $? >>../statuses; } & { dig tag -q same @$((i % 3 + 1)) 2>/dev/null; echo $? >../same.$i; } &
	done && wait && grep -c "^0$" ../statuses >../out && grep -x 8 ../out && dig tag -l "t?" >../out && test $(wc -l <../out) = 8 &&
	grep -l "^0$" ../same.* >../won && test -s ../won && dig tag -l same >../out && test $(wc -l <../out) = 1 && dig check -q && ! ls .dig/tags | grep tmp
'

test_expect_success STRACE 'a tag is synced before it has its name, and its directory after' '
	cd w && strace -f -e trace=fdatasync,fsync,rename,renameat,renameat2 -o ../trace dig-tag -q durable @1 && cat ../trace &&
	sed -n "/fdatasync/,\$p" ../trace | sed -n "/rename.*durable/,\$p" | grep fsync
'

test_expect_success 'a damaged tag is told by check, by its name and by gc; strange files are no tags' '
	cp -R w bad && cd bad && printf x >>.dig/tags/v2 && : >.dig/tags/v9.tmp-77 && test_expect_code 4 dig check 2>../err >../out && cat ../err ../out &&
	cat ../err ../out | grep "tags/v2" && test_expect_code 4 dig ls v2 2>../err && grep "tags/v2" ../err &&
	test_expect_code 4 dig gc -q --keep-last=1 2>../err && dig ls @2 >../out && dig tag -q new && ! test -e .dig/tags/v9.tmp-77 &&
	test_expect_code 4 dig tag >../out 2>../err && grep "dig tag -f v2 ROOT" ../err && dig -C ../w tag | grep -v "^v2	" >../expect && test -s ../expect && dig tag -d -q new && test_expect_code 4 dig tag >../out 2>../err && test_cmp ../expect ../out
'

test_expect_success 'a tag that is damaged, or empty after a power cut, is made anew with -f, and with nothing less' '
	for damage in empty cut byte
	do
		rm -rf bad && cp -R w bad && (
			cd bad && tag=.dig/tags/v2 && case $damage in
			empty) : >$tag ;;
			cut) head -c 40 ../w/$tag >$tag ;;
			byte) printf x | dd of=$tag bs=1 seek=30 conv=notrunc 2>/dev/null ;;
			esac && cp $tag ../was && test_expect_code 4 dig tag -q v2 @2 2>../err && cmp $tag ../was &&
			test_expect_code 4 dig tag -d v2 2>../err && cmp $tag ../was && test_expect_code 4 dig gc -q --keep-last=1 2>../err &&
			dig tag -q -f v2 @2 && dig check -q && dig ls v2 >../out
		) || return 1
	done
'

test_expect_success 'a tag of a state that the store does not have is told' '
	dig init other >/dev/null && cd other && echo x >x && dig add -q -A && dig commit -q -m x && mkdir -p .dig/tags && cp ../w/.dig/tags/v3 ../w/.dig/tags/v1 .dig/tags &&
	for tag in v1 v3
	do
		test_expect_code 128 dig ls $tag 2>../err && grep "which this store does not have" ../err || return 1
	done && test_expect_code 4 dig check >../out 2>&1 && grep "tags/v1" ../out
'

test_expect_success 'many tags are listed and looked up' '
	cp -R w thousand && cd thousand && for i in 1 2 3 4 5 6 7 8 9 0; do for j in 1 2 3 4 5 6 7 8 9 0; do for k in 1 2 3 4 5 6 7 8 9 0; do cp .dig/tags/v1 .dig/tags/tag-$i$j$k || return 1; done; done; done &&
	dig tag >../out && test $(grep -c "^tag-" ../out) = 1000 && dig ls tag-500 >../actual && printf "file\nfile-1\n" | test_cmp - ../actual && dig check -q &&
	test_expect_code 128 dig ls tag-x00 2>../err && grep "did you mean .tag-.00" ../err
'

test_expect_success 'tags do not travel' '
	cd w && dig push -q ../remote && dig clone -q ../remote ../clone && cd ../clone && dig tag >../out && test_cmp /dev/null ../out &&
	cd ../w && dig export -q ../all.dig && dig init --store-id=$(dig info store-id) ../imported >/dev/null && cd ../imported && dig import -q ../all.dig &&
	dig tag >../out && test_cmp /dev/null ../out
'

test_done
