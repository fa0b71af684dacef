#!/bin/sh

test_description='what was staged and dropped again is in no layer'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

# lines WORD COUNT: lines that can be found in what is not compressed, chunk by chunk.
lines () {
	seq -f "$1 %.0f" $2
}

# new_store NAME: with a file "kept" that is staged, of some chunks.
new_store () {
	dig-init-store $1 &&
	(
		cd $1 &&
		dig-config core.compression none &&
		lines kept 40000 >kept &&
		dig-add kept
	)
}

# committed SIZE: the pack has what was dropped, the layer, of which at most so many KiB are
# allocated, has not; the store is sound, and kept comes back.
committed () {
	grep -aq dropped .dig/staging/pack &&
	dig-commit -q -m one &&
	! grep -aq dropped .dig/layers/* &&
	dig-verify-store &&
	dig-cat HEAD:kept | cmp - kept &&
	test $(du -k .dig/layers/* | cut -f1) -le $1
}

test_expect_success 'what was staged last is cut off after a reset' '
	new_store reset && cd reset &&
	lines dropped 100000 >more && dig-add more && dig-reset -q more &&
	committed 700 &&
	test $(cat .dig/layers/* | wc -c) -lt 700000
'

test_expect_success 'what is followed by more leaves a hole' '
	new_store between && cd between &&
	lines dropped 100000 >more && dig-add more &&
	lines behind 150000 >behind && dig-add behind &&
	dig-rm --cached more &&
	committed 2600 &&
	test $(cat .dig/layers/* | wc -c) -gt 3500000 &&
	dig-cat HEAD:behind | cmp - behind
'

test_expect_success 'of files that were added together one can go' '
	new_store together && cd together &&
	mkdir d && for i in 1 2 3 4 5 6 7 8 9
	do
		lines "dropped $i" 20000 >d/a$i && lines "stays $i" 20000 >d/b$i || return 1
	done &&
	dig-add d && dig-reset -q d/a1 d/a2 d/a3 d/a4 d/a5 d/a6 d/a7 d/a8 d/a9 &&
	printf "100644 %s %s\tagain\n" $(wc -c <d/a1) $(dig-hash-object d/a1) >../info &&
	rm d/a? && committed 4000 &&
	test_expect_code 128 dig-update-index --index-info <../info &&
	dig-extract ../back && diff -r d ../back/d
'

test_expect_success 'of small files in one block most can go' '
	new_store small && cd small &&
	mkdir d && for i in 1 2 3 4 5 6 7 8 9
	do
		echo "dropped $i" >d/$i || return 1
	done &&
	echo stays >d/s && dig-add d && dig-rm -f d/1 d/2 d/3 d/4 d/5 d/6 d/7 d/8 d/9 &&
	committed 700 && dig-cat HEAD:d/s | grep -x stays
'

test_expect_success 'content that a newer add replaced goes' '
	new_store newer && cd newer &&
	lines dropped 100000 >more && dig-add more &&
	lines instead 90000 >more && dig-add more &&
	lines dropped 100000 | dig-add --stdin --path=stream &&
	lines stream 90000 | dig-add --stdin --path=stream &&
	committed 3700 &&
	dig-cat HEAD:more | cmp - more
'

test_expect_success 'a command that failed leaves nothing beside what is staged' '
	new_store command && cd command &&
	test_expect_code 128 dig-update-index --add --from-command --path=more -- \
		sh -c "seq -f \"dropped %.0f\" 100000 && false" &&
	committed 700
'

test_expect_success 'a file that is not what was added by reference leaves nothing' '
	new_store reference && cd reference &&
	lines replaced 1000000 >more && touch -d @1600000000 more && dig-add --by-reference more &&
	sed "s/replaced/dropped!/" more >other && cat other >more && touch -d @1600000000 more &&
	test_expect_code 128 dig-commit -m none && dig-reset -q more &&
	committed 700
'

test_expect_success STRACE 'an add that was killed and is not made again leaves nothing' '
	new_store killed && cd killed &&
	lines dropped 1000000 >more &&
	test_expect_code 128 strace -f -qq -o ../calls -e trace=pwritev2 -e signal=none \
		-e inject=pwritev2:signal=KILL:when=2 dig-add more &&
	committed 700
'

# killed_add: the store has a file that a killed add has begun, with a checkpoint behind 1 MB.
killed_add () {
	new_store $1 && cd $1 && dig-config performance.checkpoint_bytes 1MB && lines begun 2000000 >begun &&
	test_expect_code 128 strace -f -qq -o ../calls -e trace=pwritev2 -e signal=none \
		-e inject=pwritev2:signal=KILL:when=3 dig-add begun && dig-status >../status && grep "an add did not end" ../status
}

test_expect_success STRACE 'what a killed add had begun goes with the next add of something else, which says so' '
	killed_add other && lines dropped 100000 >more && dig-add more 2>../err &&
	grep "warning: .* that an interrupted add of .begun. had stored are dropped" ../err &&
	! grep -aq begun .dig/staging/pack && dig-status >../status && ! grep "did not end" ../status &&
	dig-commit -q -m one && ! grep -aq begun .dig/layers/* && dig-add begun 2>../err && ! grep warning ../err &&
	dig-commit -q -m two && dig-verify-store && dig-cat HEAD:begun | cmp - begun
'

test_expect_success STRACE '... and with the next commit' '
	killed_add committed && dig-commit -q --allow-empty -m one 2>../err && grep "interrupted add of .begun." ../err &&
	! grep -aq begun .dig/layers/* && test $(wc -c <$(layer_of 1)) -lt 500000 && dig-status >../status &&
	! grep "did not end" ../status
'

test_expect_success STRACE '... and with a reset' '
	killed_add gone && dig-reset -q 2>../err && grep "that an interrupted add had stored are dropped" ../err &&
	test ! -e .dig/staging/pack && dig-status >../status && ! grep "did not end" ../status
'

test_expect_success STRACE '... but the same add goes on with it' '
	killed_add same && dig-add begun 2>../err && ! grep warning ../err && dig-commit -q -m one && dig-verify-store &&
	dig-cat HEAD:begun | cmp - begun
'

test_expect_success STRACE '... even while somebody else adds, whose content stays' '
	killed_add shared && mkfifo ../held && { dig-add -q --stdin --path=stream <../held & } && adding=$! &&
	exec 9>../held && lines other 1000 >&9 && lines dropped 1000 >more && dig-add more 2>../err && ! grep warning ../err &&
	dig-status >../status && exec 9>&- && wait $adding && rm ../held && dig-add begun && dig-commit -q -m one &&
	dig-verify-store && dig-cat HEAD:begun | cmp - begun && lines other 1000 >../expect && dig-cat HEAD:stream | cmp - ../expect
'

test_expect_success 'what dig-hash-object stored stays until it is committed' '
	new_store loose && cd loose &&
	lines loose 100000 >loose && root=$(dig-hash-object -w loose) &&
	lines dropped 1000 >more && dig-add more && dig-reset -q more &&
	test_expect_code 128 dig-update-index --add --from-command --path=none -- false &&
	dig-commit -q -m kept &&
	printf "100644 %s %s\tloose\n" $(wc -c <loose) $root | dig-update-index --index-info &&
	dig-commit -q -m loose && dig-verify-store &&
	dig-cat HEAD:loose | cmp - loose &&
	lines more 50000 >more && dig-add more && root=$(dig-hash-object -w more) && dig-reset -q &&
	printf "100644 %s %s\tmore\n" $(wc -c <more) $root | dig-update-index --index-info &&
	dig-commit -q -m more && dig-verify-store && dig-cat HEAD:more | cmp - more
'

test_expect_success 'content that was dropped can be staged again, after a commit without a root, too' '
	new_store again && cd again &&
	lines dropped 100000 >more && lines stays 30000 >stays && dig-add more stays && dig-reset -q more &&
	layer=$(dig-write-layer -m none) && ! grep -aq dropped .dig/layers/$layer.dig &&
	dig-add more && dig-verify-store && dig-commit -q -m again && dig-verify-store &&
	dig-cat HEAD:more | cmp - more && dig-cat HEAD:stays | cmp - stays &&
	dig-cat HEAD:kept | cmp - kept
'

test_expect_success 'while somebody else adds, everything stays' '
	new_store others && cd others &&
	lines dropped 100000 >more && dig-add more && dig-reset -q more &&
	mkfifo ../fifo &&
	{ dig-update-index --add --stdin-content --path=slow <../fifo & slow=$!; } &&
	exec 7>../fifo &&
	{ until find /proc/$slow/fd -lname "*/journal" | grep -q .; do :; done; } &&
	dig-commit -q -m one && grep -aq dropped .dig/layers/* &&
	echo slow >&7 && exec 7>&- && wait $slow && dig-commit -q -m two &&
	dig-verify-store && dig-cat HEAD:kept | cmp - kept && dig-cat HEAD:slow | grep -x slow
'

# synced COMMAND...: prints how often it syncs.
synced () {
	strace -f -qq -o ../calls -e trace=fsync,fdatasync "$@" && grep -c sync\( ../calls
}

test_expect_success STRACE 'only a commit that drops something syncs more often' '
	new_store syncs && cd syncs &&
	test $(synced dig-commit -q -m one) = 6 &&
	lines dropped 1000 >more && lines stays 1000 >stays && dig-add more stays && dig-reset -q more &&
	test $(synced dig-commit -q -m two) -le 9
'

test_expect_success STRACE 'where no hole can be made there are zeros' '
	new_store zeros && cd zeros &&
	lines dropped 100000 >more && dig-add more && lines behind 150000 >behind && dig-add behind &&
	dig-reset -q more &&
	strace -f -qq -o ../calls -e trace=fallocate -e inject=fallocate:error=EOPNOTSUPP \
		dig-write-layer -m zeros >../layer &&
	grep INJECTED ../calls && dig-update-root $(cat ../layer) && dig-verify-store &&
	! grep -aq dropped .dig/layers/$(cat ../layer).dig &&
	test $(wc -c <.dig/layers/$(cat ../layer).dig) -gt 3500000
'

check_fault () {
	case $fault$1 in
	kill137 | full0 | full128) return ;;
	esac
	echo "status $1 at $2" && cat err && false
}

also_holds () {
	! grep -aq dropped w/.dig/layers/*
}

writing_calls="$writing_calls fallocate"

# Something dropped lies between what stays, with nodes in one block, and at the end.
test_expect_success STRACE 'a commit that drops something can be killed at any call' '
	make_crash_tree && record_expectations && cp records input &&
	(
		cd w && dig-config core.compression none &&
		lines dropped 30000 >x1 && lines dropped 60000 >d/x2 &&
		take_all && dig-rm -f x1 d/x2 &&
		lines "dropped last" 30000 | dig-add --stdin --path=x3 && dig-reset -q x3
	) &&
	cp -a w/.dig dropped.dig &&
	fault=kill everywhere dropped.dig signal=KILL dig-write-layer -m two &&
	grep -aq dropped dropped.dig/staging/pack
'

test_expect_success STRACE 'its calls can fail' '
	fault=full everywhere dropped.dig error=ENOSPC dig-write-layer -m two
'

# Where most is left to be done.
test_expect_success STRACE 'what it left can be recovered by a command that is killed' '
	for at in 1 2
	do
		restore dropped.dig &&
		test_expect_code 137 at_call rename $at signal=KILL dig-write-layer -m two &&
		cp -a w/.dig begun$at.dig &&
		fault=kill everywhere begun$at.dig signal=KILL dig-update-index --add -A --stdin || return 1
	done
'

test_expect_success STRACE 'a journal that it left is not cut where it is damaged' '
	restore begun2.dig &&
	printf XXXXXXXX | dd of=w/.dig/staging/journal bs=1 seek=100 conv=notrunc 2>/dev/null &&
	cd w &&
	test_expect_code 4 dig-verify-store &&
	test_expect_code 4 dig-update-index --add --stdin-paths <../input
'

test_done
