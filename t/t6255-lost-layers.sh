#!/bin/sh

test_description='a layer is lost: what is whole stays readable, and new commits work'

. "$(dirname "$0")/test-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2
core.merge_layers=false'
export DIG_CONFIG

test_expect_success 'a store of three states' '
	dig-init-store --store-id=$(printf %064d 5) kept >/dev/null &&
	(
		cd kept && mkdir d && for number in 1 2 3
		do
			seq $number 20000 >f$number && seeded 90K $number >d/r$number && echo $number >again && commit_all $number || exit 1
		done
	)
'

# begin: w is a fresh copy of the store.
begin () {
	rm -rf w && cp -a kept w
}

commits_work () {
	echo new >n && echo changed >>f1 && dig-add n f1 && dig-status >../status && grep "new: *n" ../status &&
	grep ": *f1" ../status && dig-commit -q -m next 2>../err && dig-cat HEAD:n >../actual && test_cmp n ../actual &&
	dig-cat HEAD:f1 | cmp - f1 && dig-status >../status && ! grep "staged" ../status
}

test_expect_success 'the newest layer is lost, and the staging area knows what it had' '
	begin &&
	(
		cd w && mv $(layer_of 3) ../lost && commits_work && grep "@3 cannot be read.*staging area knows" ../err &&
		dig-ls -r HEAD >../actual && printf "%s\n" again d/r1 d/r2 d/r3 f1 f2 f3 n >../expect && test_cmp ../expect ../actual &&
		dig-cat HEAD:d/r2 | cmp - d/r2 && test_expect_code 4 dig-cat HEAD:d/r3 >/dev/null &&
		test_expect_code 4 dig-verify-store 2>../err && grep "d/r3. in @4 is damaged" ../err && ! grep "d/r2" ../err
	)
'

test_expect_success '... good files added again heal the new state, and the lost layer put back heals all' '
	(
		cd w && dig-add --reread . && dig-commit -q -m again && dig-cat HEAD:d/r3 | cmp - d/r3 &&
		test_expect_code 4 dig-verify-store 2>../err && grep "@3" ../err && ! grep "@[45]" ../err &&
		cp ../lost $(layer_of 3) && dig-verify-store -q
	)
'

test_expect_success '... or its files are in the work tree' '
	begin &&
	(
		cd w && rm $(layer_of 3) && cp f1 ../f1 && commits_work && cp ../f1 f1 && dig-check -q --heal-from=. 2>/dev/null &&
		dig-verify-store -q
	)
'

test_expect_success 'what was staged can be dropped' '
	begin &&
	(
		cd w && rm $(layer_of 3) && echo new >n && echo changed >>f1 && dig-add n f1 && dig-reset -q 2>../err &&
		grep "@3 cannot be read.*go on from @2" ../err && dig-ls-index | cut -f 2 >../actual &&
		printf "%s\n" again d/r1 d/r2 d/r3 f1 f2 f3 >../expect && test_cmp ../expect ../actual && rm n &&
		dig-status >../status && grep "modified: *f1" ../status && test $(grep -c ":" ../status) = 2 && commits_work
	)
'

test_expect_success 'the staging area is lost, too: it goes on from the last state that can be read' '
	begin &&
	(
		cd w && rm -r .dig/staging $(layer_of 3) && dig-status >../status 2>../err &&
		grep "@3 cannot be read.*go on from @2" ../err && grep "f3" ../status && dig-add . && dig-commit -q -m next &&
		dig-ls -r HEAD >../actual && printf "%s\n" again d/r1 d/r2 d/r3 f1 f2 f3 >../expect && test_cmp ../expect ../actual &&
		for file in $(cat ../expect); do dig-cat HEAD:$file | cmp - $file || exit 1; done &&
		dig-status >../status && ! grep ":" ../status
	)
'

test_expect_success '... and the state log' '
	begin &&
	(
		cd w && rm -r .dig/staging .dig/states $(layer_of 3) && dig-add . && dig-commit -q -m next &&
		for file in again d/r1 d/r2 d/r3 f1 f2 f3; do dig-cat HEAD:$file | cmp - $file || exit 1; done
	)
'

test_expect_success 'an older layer is lost' '
	for number in 1 2
	do
		begin &&
		(
			cd w && mv $(layer_of $number) ../lost && commits_work && dig-cat HEAD:d/r3 | cmp - d/r3 &&
			test_expect_code 4 dig-cat HEAD:d/r$number >/dev/null && cp ../lost $(layer_of $number) && dig-verify-store -q
		) || return 1
	done
'

test_expect_success 'the chunk index is lost with the newest layer' '
	begin &&
	(cd w && mv $(layer_of 3) ../lost && rm -r .dig/chunk-index && commits_work && cp ../lost $(layer_of 3) && dig-verify-store -q)
'

test_expect_success 'all layers are lost' '
	begin &&
	(
		cd w && rm .dig/layers/* && commits_work && dig-add --reread . && dig-commit -q -m again && dig-extract -q --at=HEAD ../out &&
		diff -r --exclude=.dig . ../out
	)
'

test_expect_success 'a merged file is lost' '
	begin &&
	(
		cd w && dig-repack -q && rm .dig/layers/*.merged && commits_work && dig-add --reread . && dig-commit -q -m again &&
		rm -rf ../out && dig-extract -q --at=HEAD ../out && diff -r --exclude=.dig . ../out &&
		test_expect_code 4 dig-verify-store 2>../err && grep "merged" ../err && ! grep "@[45]" ../err
	)
'

# Nodes are in the last block of a layer, and end where the first section begins.
test_expect_success PYTHON 'the list of files of the newest state is damaged' '
	begin &&
	(
		cd w && flip_bit $(layer_of 3) $(python3 -c "
import struct, sys
data = open(sys.argv[1], \"rb\").read()
table, count = struct.unpack_from(\"<QI\", data, len(data) - 80)
print(min(struct.unpack_from(\"<Q\", data, table + 24 * i + 8)[0] for i in range(count)) - 20)" $(layer_of 3)) &&
		test_expect_code 4 dig-verify-store 2>../err && grep "block [0-9]* with node" ../err &&
		commits_work && dig-cat HEAD:d/r3 | cmp - d/r3 && grep "@3 cannot be read" ../err
	)
'

test_done
