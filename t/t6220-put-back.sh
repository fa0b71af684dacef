#!/bin/sh

test_description='a store that was put back from an older copy, in whole or in part'

. "$(dirname "$0")/test-lib.sh"

# grow LINE FIRST LAST: generations FIRST to LAST, each with a file of its own and a changed one.
grow () {
	for number in $(seq $2 $3)
	do
		seeded 3K $1$number >$1$number && echo $1$number >now &&
		commit_all $1$number >/dev/null || return 1
	done
}

# holds LINE FIRST LAST: the state has these files, as they are.
holds () {
	for number in $(seq $2 $3)
	do
		dig-cat HEAD:$1$number >../actual && cmp $1$number ../actual || return 1
	done
}

# Four generations, a copy, five more that are lost; a run covers eight of the nine.
test_expect_success 'a store with a copy of an earlier time' '
	dig-init-store w >/dev/null &&
	(
		cd w && grow 1 1 4 && cp -a .dig ../early && grow 2 5 9 && ls .dig/chunk-index/8.run &&
		cp -a .dig ../late
	)
'

# Behind the eighth generation the run of the lost ones would fit again, by its numbers.
test_expect_success 'a run of states that are lost does not hide what has to be stored' '
	cp -a w run &&
	(
		cd run && cp -a ../early/. .dig/ && ls .dig/chunk-index/8.run &&
		rm 2* && grow 3 5 7 && cp ../late/chunk-index/8.run .dig/chunk-index/ &&
		cp ../w/25 ../w/26 . && dig-add -A && dig-commit -q -m eight &&
		cp ../w/27 ../w/28 . && dig-add -A && dig-commit -q -m nine &&
		holds 1 1 4 && holds 3 5 7 && holds 2 5 8 && dig-verify-store -q
	)
'

test_expect_success 'a run of another store, or a newer one, is no hindrance' '
	for run in run late
	do
		rm -rf other && cp -a w other &&
		(
			cd other && cp ../late/chunk-index/8.run ../8.run &&
			{ test $run = late || cp ../run/.dig/chunk-index/*.run ../8.run; } &&
			rm -rf .dig && cp -a ../early .dig && cp ../8.run .dig/chunk-index/8.run &&
			dig-verify-store -q && holds 1 1 4 &&
			grow 4 5 9 && holds 4 5 9 && dig-verify-store -q
		) || return 1
	done
'

# In both histories the sixth generation has the same content, and in another place of its block.
test_expect_success 'a run of another history, which knows an item elsewhere in the same layer, is no damage' '
	rm -rf one two && dig-init-store one >/dev/null && (cd one && grow 1 1 5) && cp -a one two &&
	(cd one && seeded 5K 6 >x && commit_all six >/dev/null && grow 2 7 8) &&
	(
		cd two && for number in 1 2 3 4 5 6 7 8
		do
			seeded 2K 30$number >0$number || return 1
		done &&
		seeded 5K 6 >x && commit_all six >/dev/null &&
		rm -rf .dig/chunk-index && cp -a ../one/.dig/chunk-index .dig/ && ls .dig/chunk-index/8.run &&
		dig-verify-store -q && dig-cat HEAD:x | cmp - x && dig-cat HEAD:08 | cmp - 08
	)
'

test_expect_success 'the index of a lost state is brought up to the one that is there' '
	cp -a w index &&
	(
		cd index && rm -rf .dig && cp -a ../early .dig && rm -rf .dig/staging && cp -a ../late/staging .dig/ &&
		dig-status --porcelain=v1 >../actual && sed -n "s/^.. //p" ../actual >../paths &&
		printf "%s\n" 25 26 27 28 29 now | test_cmp - ../paths &&
		dig-add -A && dig-commit -q -m five && holds 2 5 9 && dig-verify-store -q
	)
'

# The copy of the content that was staged against the lost states is in no layer now.
test_expect_success 'what is staged and relied on a lost state is taken from its file' '
	cp -a w staged &&
	(
		cd staged && cp 25 copied && dig-add copied && cp -a .dig/staging ../staging &&
		rm -rf .dig && cp -a ../early .dig && rm -rf .dig/staging && cp -a ../staging .dig/ &&
		cp -a .dig ../unsure &&
		dig-commit -q -m five && dig-cat HEAD:copied >../actual && cmp 25 ../actual && dig-verify-store -q
	)
'

test_expect_success '... and is not committed where there is no such file any more' '
	(
		cd staged && rm -rf .dig && cp -a ../unsure .dig && echo other >copied &&
		test_must_fail dig-commit -q -m five 2>../err && grep "copied" ../err &&
		test $(dig-list-roots | wc -l) = 4 && dig-verify-store -q
	)
'

test_expect_success LONG 'a run of the staging area counts for its journal only' '
	dig -c chunking.target=4KB init runs >/dev/null &&
	(
		cd runs && seeded 150M 5 >large && dig-add large && ls .dig/staging/1.run && cp .dig/staging/1.run .. &&
		dig-reset && echo small >small && dig-add small && cp ../1.run .dig/staging/ &&
		dig-add large && dig-commit -q -m one && dig-cat HEAD:large >../actual && cmp large ../actual &&
		dig-verify-store -q
	)
'

test_done
