#!/bin/sh

test_description='states leave a store in one file, and come into another'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2
core.merge_layers=false'
export DIG_CONFIG

states () {
	dig-list-roots | cut -d " " -f 1,2
}

# same_state ROOT STORE...: each store has the same files in it.
same_state () {
	root=$1 && shift && rm -rf first &&
	for store
	do
		rm -rf out && (cd "$store" && dig-extract -q --at="$root" ../out) && { test -d first || mv out first; } &&
		{ test ! -d out || diff -r first out; } || return 1
	done
}

test_expect_success 'a store of five states' '
	dig-init-store w >/dev/null &&
	(
		cd w && mkdir d && for number in 1 2 3 4 5
		do
			seq $number 30000 >f$number && seeded 300K $number >d/r$number && cp f$number again && rm -f f$((number - 3)) &&
			ln -sf r$number d/link && commit_all $number || exit 1
		done
	)
'

test_expect_success 'all states go into an empty store, which becomes the same one' '
	(cd w && dig export -q ../all && states >../expect && dig-info store-id root manifest-root >>../expect) &&
	dig-init-store x >/dev/null &&
	(cd x && dig import ../all >../err && dig-verify-store -q && states >../actual && dig-info store-id root manifest-root >>../actual) &&
	test_cmp expect actual && grep "@1 to @5" err && for number in 1 2 3 4 5; do same_state @$number w x || return 1; done
'

test_expect_success 'what was imported already is no change' '
	(cd x && find .dig -type f ! -name "*lock" | sort | xargs sha256sum >../before && dig import ../all >../err &&
		find .dig -type f ! -name "*lock" | sort | xargs sha256sum >../after) &&
	test_cmp before after && grep "has @1 to @5 already" err
'

test_expect_success 'states come one after the other, through a pipe, too' '
	dig-init-store y >/dev/null && (cd w && dig export --at=@2 - 2>/dev/null) | (cd y && dig import -q -) &&
	for number in 3 4 5
	do
		(cd w && dig export -q --since=@$((number - 1)) --at=@$number ../one) && size=$(wc -c <one) && test $size -lt 420000 &&
		(cd y && dig import -q - <../one && dig-verify-store -q) || return 1
	done &&
	(cd y && states >../actual && dig-info store-id root manifest-root >>../actual) && test_cmp expect actual && same_state HEAD w y
'

test_expect_success 'a layer file of a store is taken, too' '
	dig-init-store z >/dev/null &&
	(
		cd z && for number in 1 2 3 4 5
		do
			dig import -q ../w/$(cd ../w && layer_of $number) || exit 1
		done && dig-verify-store -q && states >../actual && dig-info store-id root manifest-root >>../actual
	) &&
	test_cmp expect actual && ! ls z/.dig/layers | grep merged
'

test_expect_success 'the store goes on: commits, gc, repack' '
	for store in x y z
	do
		(
			cd $store && echo six >six && dig-add six && dig-commit -q -m six && dig-verify-store -q && dig-cat @6:d/r5 | cmp - ../w/d/r5 &&
			cp -a .dig ../$store.dig && dig-gc -q --keep-last=1 && dig-verify-store -q && dig-repack -q && dig-verify-store -q &&
			dig-cat HEAD:d/r5 | cmp - ../w/d/r5 && rm -rf .dig && mv ../$store.dig .dig
		) || return 1
	done
'

test_expect_success 'states that were dropped are dropped in the other store' '
	cp -a w dropped && (cd dropped && printf "@%s\n" 2 5 | dig-gc -q --stdin --now && dig export -q ../thin) &&
	dig-init-store v >/dev/null && (cd v && dig import -q ../thin && dig-verify-store -q && states >../actual &&
		dig-info store-id root manifest-root >>../actual && test_expect_code 128 dig-cat @3:f3 2>../err) &&
	test_cmp expect actual && grep "dropped" err && same_state @2 w v && same_state @5 w v && test $(wc -c <thin) -lt $(wc -c <all)
'

test_expect_success 'what a state has and the one before it had does not travel' '
	(
		cd w && cp d/r1 moved && echo more >>f5 && dig-add moved f5 && dig-commit -q -m six && dig export-states -q --since=@5 ../six &&
		test $(wc -c <../six) -lt 120000
	)
'

test_expect_success 'other stores, missing states and other histories are refused, and nothing is changed' '
	dig-init-store other >/dev/null && (cd other && echo o >o && commit_all o) && dig-init-store empty >/dev/null &&
	cp -a x forked && (cd forked && echo other >six && dig-add six && dig-commit -q -m forked) &&
	for at in other:128 empty:128 forked:1
	do
		store=${at%:*} &&
		(cd $store && find .dig -type f ! -name "*lock" | sort | xargs sha256sum >../before &&
			test_expect_code ${at#*:} dig import ../six 2>../err &&
			find .dig -type f ! -name "*lock" | sort | xargs sha256sum >../after) && cat err && test_cmp before after || return 1
	done
'

test_expect_success 'a store with something staged does not become another one' '
	dig-init-store staged >/dev/null &&
	(cd staged && echo a >a && dig-add a && test_expect_code 128 dig import ../all 2>../err && dig-commit -q -m a && dig-verify-store -q) &&
	grep "another store" err
'

test_expect_success 'other chunking parameters come with the states' '
	DIG_CONFIG="chunking.target=4KB" dig-init-store small >/dev/null && (cd small && seeded 100K 9 >f && commit_all f && dig export -q ../small.all) &&
	dig-init-store taken >/dev/null && (cd taken && dig import -q ../small.all && dig-info chunking >../actual && seeded 100K 9 >f && dig-status >../status) &&
	grep "0:4KB" actual && (cd taken && dig-add f 2>../err) && grep " 0 bytes new" err &&
	DIG_CONFIG="chunking.target=64KB" dig-init-store set >/dev/null &&
	(cd set && dig-config chunking.target 64KB && test_expect_code 128 dig import ../small.all 2>../err && dig-verify-store -q) && grep "chunking.target" err
'

test_expect_success 'a file that is damaged or cut anywhere changes nothing' '
	dig-init-store safe >/dev/null && size=$(wc -c <six) &&
	for at in 0 9 30 2000 $((size / 2)) $((size - 700)) $((size - 300)) $((size - 81)) $((size - 20)) $((size - 1))
	do
		cp all bad && flip_bit bad $at && (cd safe && test_expect_code 4 dig import ../bad 2>/dev/null) || return 1
		head -c $at all >bad && (cd safe && test_expect_code 4 dig import ../bad 2>/dev/null) || return 1
	done &&
	(cd safe && test $(dig-info generation) = 0 && test -z "$(ls .dig/layers)" && dig-verify-store -q && dig import -q ../all && dig-verify-store -q)
'

test_expect_success 'content that is neither in the file nor in the store is told' '
	(cd w && dig-export-states -q --since=@4 --at=@5 ../five && dig export -q --at=@4 ../four) && dig-init-store lacking >/dev/null &&
	(
		cd lacking && dig import -q ../four && mv .dig/layers/*.merged .. && test_expect_code 4 dig import ../five 2>../err &&
		test $(dig-info generation) = 4 && test -z "$(ls .dig/layers)" && mv ../*.merged .dig/layers && dig import -q ../five && dig-verify-store -q
	)
'

test_expect_success 'an export from a store with damage fails, and leaves no file' '
	cp -a w hurt && (cd hurt && flip_bit $(layer_of 2) 5000 && test_expect_code 4 dig export -q ../none 2>../err) && test ! -e none
'

test_expect_success 'nothing to export' '
	(cd w && test_expect_code 1 dig export --since=HEAD ../none 2>../err) && grep "no state after @6" err && test ! -e none &&
	dig-init-store void >/dev/null && (cd void && test_expect_code 1 dig export ../none 2>../err) && grep "no state yet" err
'

test_expect_success STRACE 'an import that is killed at any call leaves all states or none' '
	calls=pwrite64,pwritev,pwritev2,fdatasync,fsync,rename,renameat,renameat2,openat,unlink,ftruncate,mkdir &&
	dig-init-store k >/dev/null && (cd k && dig import -q ../four) && (cd w && dig export -q --since=@4 ../rest) && cp -a k/.dig kept.dig &&
	(cd k && rm -rf .dig && cp -a ../kept.dig .dig && strace -f -qq -o ../calls -e trace=$calls dig-index-layer -q ../rest) &&
	count=$(wc -l <calls) && test $count -gt 20 && whole=0 &&
	for number in $(seq 1 $((count + 1)))
	do
		rm -rf k/.dig && cp -a kept.dig k/.dig &&
		(cd k && { strace -f -qq -o ../calls -e trace=$calls \
			-e inject=$calls:signal=KILL:when=$number dig-index-layer -q ../rest || :; } >/dev/null 2>&1
		 test $(dig-info generation) = 4 || test $(dig-info generation) = 6 || exit 1
		 test $(dig-info generation) = 4 || { whole=$((whole + 1)) && dig-cat HEAD:moved | cmp - ../w/moved && echo n >n && dig-add n && dig-commit -q -m n; } || exit 1
		 dig-verify-store -q && dig import -q ../rest && dig-cat @6:moved | cmp - ../w/moved && dig-verify-store -q) >said 2>&1 ||
			{ echo "call $number" && cat said; return 1; }
	done
'

test_done
