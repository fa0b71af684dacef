#!/bin/sh

test_description='dig-info prints facts about the store, and about the machine'

. "$(dirname "$0")/test-lib.sh"

zeros=$(printf %064d 0)
store_id=$(printf %064d 4)
# H(0x02 ‖ 2 ‖ 0 ‖ u32 0 ‖ u64 0 ‖ u64 0 ‖ H()), the manifest of nothing.
nothing=7716347546030becb0cc7c27b1befb2d6ace9331d939941e384c8df0942ce856

test_expect_success 'only the kernels need no store' '
	test_expect_code 10 dig-info && test_expect_code 10 dig-info root &&
	dig-info kernels >actual && grep -x "gear=[a-z0-9]* sha256=[a-z0-9]*" actual &&
	DIG_GEAR_KERNEL=scalar DIG_SHA256_KERNEL=cryptopp dig-info kernels >actual &&
	echo gear=scalar sha256=cryptopp | test_cmp - actual
'

test_expect_success 'before the first commit the root is zeros and the generation 0' '
	dig-init-store --store-id=$store_id w >store && cd w/ && mkdir d && cd d &&
	printf "%s\\n" $zeros $nothing 0 $store_id 0 "$TRASH/w/.dig" "$TRASH/w" >../../expect &&
	dig-info root manifest-root generation store-id layers store work-tree >../../actual && test_cmp ../../expect ../../actual
'

test_expect_success 'after commits they are those of the newest state' '
	cd w && : >file && commit_all one && echo >file && commit_all two &&
	set -- $(dig-list-roots -n 1) && manifest=$(dig-show-layer | sed -n "s/^manifest //p") &&
	printf "%s\\n" 2 $2 $manifest 2 >../expect &&
	dig-info generation root manifest-root layers >../actual && test_cmp ../expect ../actual
'

test_expect_success 'without a key all are printed, each with its name' '
	cd w && dig-info >../actual &&
	for key in root manifest-root generation store-id layers layer-files pending verified chunking store work-tree kernels
	do
		echo "$key $(dig-info $key)" || return 1
	done | sort >../expect &&
	sort ../actual | test_cmp ../expect -
'

test_expect_success 'keys come in the order that is asked for, and with -z end with NUL' '
	cd w && printf "%s\\0" 2 "$TRASH/w" 2 >../expect && dig-info -z layers work-tree generation >../actual && cmp ../expect ../actual
'

test_expect_success 'store and work tree are where they are, elsewhere too' '
	dig-init-store --store=far near >store && printf "%s\\n" "$TRASH/far" "$TRASH/near" >expect &&
	(cd near && dig-info store work-tree) >actual && test_cmp expect actual &&
	printf "%s\\n" "$TRASH/w/.dig" "$TRASH/near" >expect &&
	DIG_DIR=w/.dig DIG_WORK_TREE=near dig-info store work-tree >actual && test_cmp expect actual
'

test_expect_success 'an unknown key is wrong usage' '
	cd w && test_expect_code 129 dig-info roots 2>../err && grep "no such key: .roots" ../err && test_expect_code 128 dig-info >/dev/full
'

test_done
