#!/bin/sh

test_description='content stays in the remote until it is asked for: dig clone --lazy'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2'
export DIG_CONFIG

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

# Helpers that count requests, and that spoil what passes through them.
mkdir bin && cat >bin/dig-remote-counted <<\EOF
#!/bin/sh
place=${1#counted://} && tee -a "$REQUESTS" | dig-remote-file "$place"
EOF
cat >bin/dig-remote-liar <<\EOF
#!/usr/bin/env python3
import os, subprocess, sys
helper = subprocess.Popen(["dig-remote-file", sys.argv[1][len("liar://"):]],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
how = os.environ["LIAR"]
for line in sys.stdin.buffer:
    helper.stdin.write(line)
    helper.stdin.flush()
    head = helper.stdout.readline()
    body = bytearray(helper.stdout.read(int(head.split()[1])) if head.startswith(b"ok ") else b"")
    if line.startswith(b"get packs/"):
        if how == "gone":
            head, body = b"missing\n", b""
        elif how == "always" or not os.path.exists(how):
            for i in range(200, len(body), 997):
                body[i] ^= 1
            if how != "always":
                open(how, "w").close()
    sys.stdout.buffer.write(head + body)
    sys.stdout.buffer.flush()
EOF
cat >bin/spoil <<\EOF
#!/usr/bin/env python3
import glob, sys
for name in glob.glob("x/.dig/cache/parts-*"):
    content = bytearray(open(name, "rb").read())
    if sys.argv[1] == "spots":
        content[::999] = bytes(len(content[::999]))
    elif sys.argv[1] == "half":
        del content[len(content) // 2:]
    elif sys.argv[1] == "head":
        content[:60] = bytes(60)
    elif sys.argv[1] == "empty":
        del content[:]
    elif sys.argv[1] == "more":
        content += b"rubbish" * 99
    elif sys.argv[1] == "end":
        content[-70000:] = bytes(70000)
    open(name, "wb").write(content)
EOF
chmod +x bin/* && PATH=$TRASH/bin:$PATH && REQUESTS=$TRASH/requests && export REQUESTS

# requests: how many of one kind there were since the last call.
requests () {
	LC_ALL=C grep -aoE "^(get|list|put-new|delete|check) [a-z-]*" "$REQUESTS" | wc -l
	: >"$REQUESTS"
}

# lazy: a new clone, x.
lazy () {
	rm -rf x out && dig clone -q --lazy "${1:-counted://$TRASH/remote}" x && requests >/dev/null
}

test_expect_success 'a lazy clone has all states, and a small part of the bytes' '
	DIG_CONFIG="chunking.target=64KB" dig-init-store w >/dev/null &&
	(
		cd w && mkdir -p deep/er && for number in $(seq 400)
		do
			seq $number 3000 >deep/er/f$number || exit 1
		done && seeded 9M 1 >large && commit_all 1 >/dev/null && seeded 3M 2 >later && rm deep/er/f7 && commit_all 2 >/dev/null &&
		dig push -q "$TRASH/remote" && states >../expect
	) &&
	dig clone --lazy "counted://$TRASH/remote" x >out && grep "^@1 to @2, .* stay in the remote" out &&
	test "$(du -sk x | cut -f 1)" -lt "$(($(du -sk remote | cut -f 1) / 8))" && (cd x && states >../actual) && test_cmp expect actual && test "$(ls x)" = "" &&
	(cd x && dig-ls-root HEAD >../actual) && (cd w && dig-ls-root HEAD) | test_cmp - actual &&
	(cd x && dig-verify-store 2>../err && dig-log && test_expect_code 1 dig-diff-roots @1 HEAD) && grep "up to @2 lies in a remote" err
'

test_expect_success 'a file comes with a few requests, and the second time with none' '
	lazy && (
		cd x && dig-cat HEAD:deep/er/f9 >../actual && requests >../first && dig-cat HEAD:deep/er/f9 >../again && requests >../second &&
		dig-cat --range=5000000-5000099 HEAD:large >../range && requests >../third
	) &&
	test_cmp w/deep/er/f9 actual && test_cmp actual again && tail -c +5000001 w/large | head -c 100 | test_cmp - range &&
	test "$(cat first)" -le 3 && test "$(cat second)" = 0 && test "$(cat third)" -le 3
'

test_expect_success 'neighbours come together' '
	lazy && (cd x && dig-extract --at=HEAD ../out deep) && requests >asked && diff -r w/deep out/deep && test "$(cat asked)" -le 6 &&
	rm -rf out && (cd x && dig-extract --at=@1 ../out) && requests >asked && test_cmp w/large out/large && test "$(cat asked)" -le 12
'

test_expect_success 'what is kept is bounded, and may be off' '
	lazy && (cd x && dig-config remote.cache_size 4MB && dig-extract --at=HEAD ../out && test "$(du -sk .dig/cache | cut -f 1)" -le 4200 && ls .dig/cache >../names) &&
	test $(grep -c parts- names) -le 2 && diff -r --exclude=.dig w out && rm -rf out x/.dig/cache && (cd x && dig-config remote.cache_size 0 && dig-extract --at=HEAD ../out && test ! -e .dig/cache) &&
	diff -r --exclude=.dig w out
'

test_expect_success PYTHON 'what is kept may be damaged, cut and removed at any time' '
	lazy && (cd x && dig-cat HEAD:large >/dev/null) &&
	for how in spots half head empty more end
	do
		spoil $how && for turn in 1 2
		do
			(cd x && dig-cat HEAD:large) | test_cmp w/large - || return 1
		done && requests >/dev/null && (cd x && dig-cat HEAD:large) | test_cmp w/large - && test "$(requests)" = 0 || { echo "$how"; return 1; }
	done && rm -rf x/.dig/cache && (cd x && dig-cat HEAD:large) | test_cmp w/large -
'

test_expect_success 'several processes share what is kept' '
	lazy && for reader in 1 2 3 4
	do
		(cd x && dig-cat HEAD:large >../large.$reader && dig-cat HEAD:later >../later.$reader) &
	done && wait && for reader in 1 2 3 4
	do
		test_cmp w/large large.$reader && test_cmp w/later later.$reader || return 1
	done && rm large.* later.*
'

test_expect_success 'nothing is kept where nothing can be, and content comes all the same' '
	lazy && rm -rf x/.dig/cache && : >x/.dig/cache && (cd x && dig-cat HEAD:large) | test_cmp w/large - && test ! -s x/.dig/cache && rm x/.dig/cache && mkdir x/.dig/cache && ln -s /dev/full x/.dig/cache/parts-1 &&
	(cd x && dig-cat HEAD:large) | test_cmp w/large -
'

test_expect_success 'an older file of the remote does not say that content stays there, and it is found' '
	lazy && rm -rf x/.dig/cache && sed -i "/^lazy$/d" x/.dig/remotes/origin && ! grep -x lazy x/.dig/remotes/origin && (cd x && dig-cat HEAD:large) | test_cmp w/large - &&
	(cd x && dig remote add aside "$TRASH/nowhere" && dig remote add broken nohelper://x && rm -rf .dig/cache && dig-cat HEAD:large) | test_cmp w/large -
'

# --- remotes that fail ----------------------------------------------------------------------------

# through URL: x reads from there, and keeps nothing of what it has read.
through () {
	rm -rf x/.dig/cache && sed -i "1s,.*,$1," x/.dig/remotes/origin
}

test_expect_success PYTHON 'a remote that gives wrong bytes is asked again, and then named' '
	lazy && through "liar://$TRASH/remote" && (cd x && LIAR=$TRASH/lied dig-cat HEAD:large) | test_cmp w/large - && test -e lied && rm -rf x/.dig/cache &&
	(cd x && LIAR=always test_expect_code 4 dig-cat HEAD:large 2>../err >../out && LIAR=always test_expect_code 4 dig-extract --at=HEAD ../partly deep) &&
	test ! -s out && test -z "$(find partly -type f 2>/dev/null)" && (cd x && LIAR=$TRASH/lied dig-cat HEAD:large) | test_cmp w/large -
'

test_expect_success PYTHON 'what the remote has not any more is said, with a status of its own' '
	lazy && through "liar://$TRASH/remote" && (cd x && LIAR=gone test_expect_code 12 dig-cat HEAD:large 2>../err >../out) && test ! -s out && grep "is gone from the remote" err &&
	through "nowhere://$TRASH/remote" && (cd x && test_expect_code 12 dig-cat HEAD:large 2>../err) && test -s err &&
	rm x/.dig/remotes/origin && (cd x && test_expect_code 12 dig-cat HEAD:large 2>../err && dig remote add --lazy other ../remote && dig-cat HEAD:large) | test_cmp w/large - && grep "dig remote add --lazy" err
'

test_expect_success PYTHON 'tables of a pack that are damaged leave the store as it was' '
	rm -rf spoilt y && cp -a remote spoilt && dig-init-store y >/dev/null && (cd y && dig remote add --lazy origin ../spoilt) && pack=$(ls -S spoilt/packs/* | tail -n 1) && cp $pack kept &&
	size=$(wc -c <kept) && tables=$(dig-show-layer kept 2>/dev/null | sed -n "s/^items //p") && for at in $(seq 1 97 $((tables * 40))) 1 2 8 20 40 60 70 79 80 90 100
	do
		cp kept $pack && python3 -c "
import sys
f = open(sys.argv[1], \"r+b\"); f.seek(-int(sys.argv[2]), 2); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 64]))" $pack $at &&
		(cd y && test_expect_code 4 dig-fetch-states -q 2>../err && test "$(dig-info generation)" = 0 && test -z "$(ls .dig/layers)") || { echo $at; return 1; }
	done && cp kept $pack && (cd y && dig fetch -q && states) | test_cmp expect -
'

# --- work goes on ---------------------------------------------------------------------------------

test_expect_success 'commits over lazy states are pushed, and fetched lazily' '
	lazy "$TRASH/remote" && (cd x && dig-extract -f --at=HEAD . deep && dig-add deep && echo more >deep/more && dig-add deep/more && dig-commit -q -m 3 && test "$(wc -c <$(layer_of 3))" -lt 200000 && dig push -q && states >../expect) &&
	dig clone -q "$TRASH/remote" z && (cd z && dig-verify-store -q && states >../actual && seeded 1M 9 >new && dig-add new && dig-commit -q -m 4 && dig push -q) && test_cmp expect actual &&
	test_cmp x/deep/more z/deep/more && (cd x && dig fetch >../out && dig-cat HEAD:new) | test_cmp z/new - && grep "^@4, .* stay in the remote" out && (cd x && dig-verify-store -q && states) >actual && (cd z && states) | test_cmp - actual
'

test_expect_success 'content that the remote has is not stored again' '
	(cd x && cp ../w/large again && dig-add again && dig-commit -q -m 5 && du -k $(layer_of 5)) >size && test $(cut -f 1 size) -lt 100 && (cd x && dig push -q) && (cd z && dig fetch -q && dig-cat HEAD:again) | test_cmp w/large -
'

test_expect_success 'gc, repack and remote know what lies elsewhere' '
	(
		cd x && test_expect_code 128 dig-gc --keep-last=1 2>../err && grep "dig repack --fetch" ../err && dig-repack -q && dig-cat @1:deep/er/f7 >../actual && test_expect_code 128 dig remote remove origin 2>../err && grep "lies only there" ../err &&
		states >../expect && dig repack --fetch && rm -rf .dig/cache && dig remote remove origin && states >../now && dig-verify-store -q 2>../err && ! grep remote ../err && dig-gc -q --now --keep-last=2
	) && test_cmp expect now && test_cmp w/deep/er/f8 x/deep/er/f8
'

test_expect_success 'a file with such states alone is not taken' '
	lazy && rm -rf y && dig-init-store y >/dev/null && (cd y && test_expect_code 128 dig-import ../x/.dig/layers/*.merged 2>../err && test "$(dig-info generation)" = 0) && grep "its content is in a remote" err
'

test_expect_success STRACE 'a lazy fetch may be killed at any call' '
	calls=pwrite64,pwritev,pwritev2,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat,ftruncate &&
	rm -rf k kept.k && dig-init-store k >/dev/null && (cd k && dig remote add --lazy origin ../remote) && cp -a k kept.k && (cd k && strace -f -qq -o ../calls -e trace=$calls dig-fetch-states -q && states) >after && count=$(grep -c "(" calls) && test $count -gt 15 &&
	for number in $(seq 1 $count)
	do
		rm -rf k && cp -a kept.k k && (cd k && { strace -f -qq -o ../calls -e trace=$calls -e inject=$calls:signal=KILL:when=$number dig-fetch-states -q || :; } >/dev/null 2>&1
			case $(dig-info generation) in 0|5) ;; *) exit 1 ;; esac && dig-fetch-states -q && states | test_cmp ../after - && dig-verify-store -q && dig-cat HEAD:large | test_cmp ../w/large -) >said 2>&1 || { echo "call $number" && cat said; return 1; }
	done
'

test_done
