#!/bin/sh

test_description='dig estimate tells to the byte what add and commit then write; dig stats tells what there is'

. "$(dirname "$0")/test-lib.sh"

# field NAME: of the last line of JSON on standard input.
field () {
	tail -n 1 | sed "s/.*\"$1\":\([0-9]*\).*/\1/"
}

# Bytes and number of the chunks in all layers.
stored_chunks () {
	dig stats --json | head -n 1 >store.json && field chunk_bytes <store.json && field chunks <store.json
}

# What the estimate says becomes true: of the bytes and of the chunks.
comes_true () {
	stored_chunks >before && dig estimate --json "$@" >told && dig add -q "$@" && dig commit -q -m some &&
		stored_chunks >after && field new <told >told.new && field new_chunks <told >>told.new || return
	paste before told.new after >sums && cat told sums && awk '$1 + $2 != $3 { exit 1 } END { exit NR != 2 }' sums
}

mkdir tree && cd tree && dig init -q . && printf '%s\n' 'told*' before after sums '*.json' >.digignore &&
	mkdir -p a/b c 'with space' && seeded 20M 1 >a/big && cp a/big c/the-same && seeded --text 3M 2 >a/b/text &&
	head -c 5000000 a/big >c/beginning && cp a/b/text 'with space' && : >empty &&
	ln -s a/big link && ln -s a/big c/link &&
	truncate -s 300M hole && mkdir many && seeded 4M 3 | split -b 1000 -a 4 - many/f && cp -r many more || exit 1
cd "$TRASH" || exit 1

test_expect_success 'a new tree: copies, links, holes, thousands of small files' '
	cd tree && comes_true . &&
	test "$(field files <told)" = $(find . -name .dig -prune -o -type f -print -o -type l -print |
		grep -vc -e /told -e /before -e /after -e /sums -e "\.json") &&
	test "$(field new <told)" -lt 37000000
'

test_expect_success 'again: nothing is new, and files that are known are not read' '
	cd tree && dig estimate --json --metrics=read.json >told && test "$(field new <told)" = 0 &&
	test "$(field shared <told)" = "$(field bytes <told)"
'

test_expect_success 'what changed, what moved, and what is new' '
	cd tree && printf change | dd of=a/big bs=1 seek=7000000 conv=notrunc status=none && mv c/beginning c/moved &&
	seeded 2M 9 >c/new && cat a/b/text c/new >"with space/both" && rm more/faaaa && comes_true . &&
	test "$(field new <told)" -gt 2000000 && test "$(field new <told)" -lt 7000000
'

test_expect_success 'what is staged and not committed is not new' '
	cd tree && seeded 3M 11 >c/staged && cp c/staged c/staged-too && dig add -q c/staged &&
	dig estimate --bytes c >told &&
	sed "s/ new.*//" told | tail -n 1 >actual && echo 0 | test_cmp - actual && dig commit -q -m staged
'

test_expect_success 'one path; several; a new file with twice the same' '
	cd tree && seeded 1500K 12 >once && cat once once >twice && comes_true twice once "with space" &&
	mkdir d && seeded 700K 13 >d/x && comes_true d/x
'

test_expect_success 'the figures do not depend on the number of threads' '
	cd tree && seeded 9M 20 >d/1 && cp d/1 d/2 && seeded 4M 21 | split -b 3000 -a 4 - d/s && cp -r d e &&
	dig estimate --json --depth=3 . >told.expect &&
	for threads in 1 2 7 16
	do
		dig -c performance.max_worker_threads=$threads estimate --json --depth=3 . >told &&
			test_cmp told.expect told || return 1
	done && comes_true .
'

test_expect_success 'nothing is written' '
	cd tree && seeded 2M 30 >more-of-it && find .dig -printf "%p %T@ %s\n" | sort >../before.list &&
	dig estimate . >told &&
	dig estimate --target=16KB . >told && find .dig -printf "%p %T@ %s\n" | sort >../after.list &&
	test_cmp ../before.list ../after.list && rm more-of-it
'

test_expect_success 'directories are told down to a depth, each behind what is below it' '
	cd tree && dig estimate --bytes a "with space" | cut -f2 >actual &&
	printf "%s\n" a/b a "with space" "in all" | test_cmp - actual &&
	dig estimate --depth=0 . | cut -f2 >actual && printf "%s\n" . "in all" | test_cmp - actual &&
	(cd a && dig estimate --depth=0 ../c | cut -f2) >actual && printf "%s\n" ../c "in all" | test_cmp - actual
'

test_expect_success 'the sum of the directory that was asked for is that of all' '
	cd tree && dig estimate --json --depth=0 . >top && sed 1d top | sed "s/\"path\":null/\"path\":\".\"/" >all &&
	sed 1q top | test_cmp all -
'

test_expect_success 'sizes of chunks are compared in one reading, as new stores would have them' '
	cd tree && dig estimate --json --depth=0 --target=16KB,64KB,1MB a c >told && tail -n 3 told >sizes &&
	for target in 16KB 64KB 1MB
	do
		rm -rf ../other && dig -c chunking.target=$target init -q ../other >/dev/null && cp -rP a c ../other &&
		(cd ../other && dig add -q -A && dig commit -q -m x && dig stats --json | head -n 1) >../store.json &&
		field chunk_bytes <../store.json || return 1
	done >expect &&
	sed "s/.*\"new\":\([0-9]*\).*/\1/" sizes >actual && test_cmp expect actual &&
	test_expect_code 129 dig estimate --target=1KB . && test_expect_code 129 dig estimate --target=4KB,x . &&
	test_expect_code 129 dig estimate --target=4KB,8KB,16KB,32KB,64KB .
'

test_expect_success 'it works outside of a store, too' '
	cd tree && mkdir -p ../outside/in && cp c/new ../outside/in && cp c/new ../outside &&
	(cd ../outside && dig estimate --bytes) >actual &&
	tail -n 1 actual >last &&
	printf "2097152 new, 2097152 shared, 2 files\tin all\n" | test_cmp - last
'

test_expect_success 'a path that is not there, one that is ignored, and one that cannot be read' '
	cd tree && test_expect_code 128 dig estimate nowhere 2>err && grep "cannot open .nowhere.: No such file" err &&
	test_expect_code 3 dig estimate told 2>err && grep "told. is ignored" err && dig estimate -f told &&
	test_when_finished "rm -rf secret" && mkdir secret && echo x >secret/x && chmod 0 secret/x &&
	test_expect_code 3 without_override dig estimate secret 2>err &&
	grep "cannot open .secret/x.: Permission denied" err
'

test_expect_success !SANITIZED 'memory is bounded' '
	cd tree && within-memory dig estimate . && within-memory dig estimate --target=16KB,64KB,1MB,2MB .
'

cd "$TRASH" && dig init -q stats && cd stats && seeded --text 2M 1 >one && dig add -q one && dig commit -q -m 1 &&
	seeded --text 1M 2 >two && dig add -q two && dig commit -q -m 2 && rm two && dig rm -q --cached two &&
	seeded --text 3M 3 >three && dig add -q three && dig commit -q -m 3 || exit 1
cd "$TRASH" || exit 1

test_expect_success 'dig stats counts states, content, chunks and layers' '
	cd stats && dig stats --json >json && head -n 1 json >store &&
	grep "\"states\":3,\"dropped\":0,\"entries\":5,\"bytes\":10485760,\"layers\":3" store &&
	grep "\"chunk_bytes\":6291456" store && grep "\"deduplication\":1.67" store &&
	grep -c "\"type\":\"layer\"" json >count &&
	echo 3 | test_cmp - count &&
	cat .dig/layers/*.dig | wc -c >size && grep "\"file_bytes\":$(cat size)," store &&
	dig stats >actual && grep "^States:   3$" actual && grep "^Content:  10.0 MiB in 5 entries" actual &&
	grep "^Chunks:   6.00 MiB; deduplication 1.67$" actual && grep -c "^  @" actual
'

test_expect_success 'what a state alone needs is what no other state and nothing staged has' '
	cd stats && dig stats --json @1 @2 @3 >json && sed "s/.*\"alone_stored_bytes\":\([0-9]*\).*/\1/" json >alone &&
	sed -n 1p alone >first && sed -n 2p alone >second && sed -n 3p alone >third &&
	test "$(cat first)" -lt 2000 && test "$(cat second)" -gt 100000 && test "$(cat third)" -gt "$(cat second)" &&
	dig stats @2 | grep "^@2: 2 entries, 3.00 MiB; .* in the layers are needed by it alone" &&
	seeded --text 1M 2 >again && dig add -q again && dig stats --json @2 >json && dig reset -q &&
	test "$(field alone_stored_bytes <json)" -lt 2000 &&
	before=$(cat .dig/layers/*.dig | wc -c) && printf "@1\n@3\n" | dig-prune-layers --stdin --now >/dev/null &&
	after=$(cat .dig/layers/*.dig | wc -c) && test $((before - after)) -gt $(($(cat second) * 9 / 10)) &&
	test $((before - after)) -lt $(($(cat second) * 12 / 10 + 4096)) &&
	dig stats --json | grep "\"states\":2,\"dropped\":1" && test_expect_code 128 dig stats @2
'

test_done
