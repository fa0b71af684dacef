#!/bin/sh

test_description='tools built for arm64, run by qemu-user, give the ids and bytes of those of this machine'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'where something is missing for arm64, the packages are named' '
	test_must_fail env PATH=/nowhere /bin/sh "$TEST_DIRECTORY/need-arm64.sh" 2>err &&
	grep "dpkg --add-architecture arm64" err &&
	for package in g++-aarch64-linux-gnu qemu-user libboost-test-dev:arm64 liburing-dev:arm64
	do
		grep "apt-get install.* $package" err || return 1
	done
'

# "make check-arm64" names the tree.
if test -n "$DIG_TEST_ARM64"
then
	test_set_prereq ARM64
fi

# arm64 TOOL [ARGUMENT...]: tools for people would start others, which nothing runs by qemu.
arm64 () {
	arm64_tool=$1
	shift
	qemu-aarch64 -L / "$DIG_TEST_ARM64/dig-$arm64_tool" "$@"
}

# The limit of memory in that one case is not passed on by qemu-user.
test_expect_success ARM64 'the unit tests pass' '
	qemu-aarch64 -L / "$DIG_TEST_ARM64/unit" \
		--run_test="!workers/where_the_system_has_no_thread_to_give_fewer_work"
'

test_expect_success ARM64 'the kernels of arm64 are chosen' '
	echo gear=neon sha256=armv8 >expect &&
	arm64 info kernels >actual &&
	test_cmp expect actual
'

# Times of files are part of the ids.
test_expect_success ARM64 'there is data' '
	mkdir -p data/small && cd data && seeded 9M 1 >random && seeded --text 5M 2 >text &&
	truncate -s 40M holes && printf end >>holes && : >empty && ln -s text link &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		seeded ${i}001 $i >small/r$i && seeded --text ${i}0K $i >small/t$i || return 1
	done &&
	find . -exec touch -h -d @1600000000 {} +
'

test_expect_success ARM64 'files are cut alike and have the same roots, by each kernel' '
	for target in --target=4KB --target=256KB ""
	do
		for file in random text holes empty
		do
			dig-chunk $target data/$file || return 1
		done >expect &&
		dig-hash-object $target data/random data/text data/holes data/small/* >>expect &&
		for kernels in "" DIG_GEAR_KERNEL=scalar DIG_SHA256_KERNEL=cryptopp
		do
			for file in random text holes empty
			do
				(export $kernels TZ && arm64 chunk $target data/$file) || return 1
			done >actual &&
			(export $kernels TZ && arm64 hash-object $target data/random data/text data/holes data/small/*) >>actual &&
			test_cmp expect actual || return 1
		done
	done
'

# take_all_by_arm64, commit_by_arm64 MESSAGE: take_all and commit_staged of test-lib.sh.
take_all_by_arm64 () {
	arm64 ls-work >"$TRASH/records" && arm64 update-index --add -A --stdin <"$TRASH/records"
}

commit_by_arm64 () {
	layer=$(arm64 write-layer -m "$1") && arm64 update-root $layer >/dev/null
}

# The effort of compression would follow the load of the machine.
DIG_CONFIG='core.compression=zstd'
export DIG_CONFIG

test_expect_success ARM64 'add and commit give the same state, and the same layer to the byte' '
	id=$(printf %064d 7) && cp -a data native && cp -a data cross &&
	dig-init-store --store-id=$id native && arm64 init-store --store-id=$id cross &&
	(cd native && take_all && commit_staged one && dig-info root >../expect) &&
	(cd cross && take_all_by_arm64 && commit_by_arm64 one && arm64 info root >../actual) &&
	test_cmp expect actual && diff -r native/.dig/layers cross/.dig/layers
'

test_expect_success ARM64 'a change is found and stored alike' '
	for tree in native cross
	do
		(cd $tree && rm small/r1 && printf more >>text && cp random copy && touch -d @1600000001 text copy) || return 1
	done &&
	printf "?\\tcopy\\nD\\tsmall/r1\\nM\\ttext\\n" >expect &&
	(cd native && test_expect_code 1 arm64 diff-work >../actual) && test_cmp expect actual &&
	(cd native && take_all && commit_staged two && dig-info root && dig-ls-root HEAD) >expect &&
	(cd cross && take_all_by_arm64 && commit_by_arm64 two && arm64 info root && arm64 ls-root HEAD) >actual &&
	test_cmp expect actual
'

test_expect_success ARM64 'each of the two checks and extracts what the other has stored' '
	(cd native && arm64 verify-store && arm64 checkout-root @1 ../by-arm64) &&
	(cd cross && dig-verify-store && dig-checkout-root @1 ../by-native) &&
	diff -r --no-dereference data by-arm64 && diff -r --no-dereference data by-native
'

test_expect_success ARM64 'cat gives content and ranges of it' '
	(cd native && arm64 cat HEAD~1:random >../actual) && cmp data/random actual &&
	(cd native && arm64 cat --range=1000000-1999999 HEAD:random >../actual) &&
	tail -c +1000001 data/random | head -c 1000000 | cmp - actual
'

test_expect_success ARM64 'damage is found' '
	chmod -R u+w cross && layer=$(ls -S cross/.dig/layers/* | head -n 1) &&
	printf x | dd of="$layer" bs=1 seek=1000000 conv=notrunc 2>/dev/null &&
	(cd cross && test_must_fail dig-verify-store 2>../expect && test_must_fail arm64 verify-store 2>../actual) &&
	grep "has other content" actual && test_cmp expect actual
'

test_done
