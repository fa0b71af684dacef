#!/bin/sh

test_description='changed bytes, cut files and longer ones, in every file of a store'

. "$(dirname "$0")/test-lib.sh"

# Nobody waits for threads here.
DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

if test_have_prereq LONG
then
	step=1
else
	step=17
fi

# Two generations, something staged over them, a file of several chunks and small ones.
test_expect_success 'a small store' '
	dig-init-store --store-id=$(printf "%064d" 1) small >/dev/null &&
	(
		cd small &&
		seeded --text 1500 1 >text &&
		seeded 200 2 >bytes &&
		mkdir d &&
		echo inner >d/inner &&
		ln -s text link &&
		: >empty &&
		dig-add -A && dig-commit -q -m one &&
		echo changed >bytes &&
		echo more >d/more &&
		dig-add -A && dig-commit -q -m two &&
		echo staged >staged &&
		seeded 100 3 >d/inner &&
		dig-add -A
	)
'

test_expect_success 'a check tells of every changed byte, and no content is wrong' '
	(cd small && flip-sweep)
'

test_expect_success 'the same when nothing is staged' '
	cp -a small clean &&
	(
		cd clean &&
		dig-commit -q -m three &&
		flip-sweep roots staging/changes staging/journal
	)
'

test_expect_success 'a check tells of every cut file, and no content is wrong' '
	(cd small && flip-sweep --cut --step=$step)
'

# The journal and the pack may end with what a killed process left.
test_expect_success 'a check tells of files that are longer than they were' '
	(
		cd small &&
		flip-sweep --grow format store-id roots staging/changes $(cd .dig && echo layers/*)
	)
'

test_expect_success 'larger files: a chunk list, runs of the chunk index, a base of the index' '
	(
		DIG_CONFIG="$DIG_CONFIG
chunking.target=4KB" &&
		dig-init-store --store-id=$(printf "%064d" 1) large >/dev/null &&
		cd large &&
		for i in 1 2 3 4 5 6 7 8 9
		do
			seeded 30K $i >several &&
			echo $i >f$i &&
			dig-add -A && dig-commit -q -m $i || return 1
		done &&
		ls .dig/chunk-index/*.run &&
		flip-sweep --step=$((step * 40 - 39)) &&
		flip-sweep --step=$step $(cd .dig && ls chunk-index/*.run) &&
		flip-sweep --cut --step=$((step * 101)) $(cd .dig && ls chunk-index/*.run)
	)
'

# What the sweep finds in one process is what the commands say.
test_expect_success 'damage is exit status 4, and the file is named' '
	for file in format store-id roots staging/pack staging/journal staging/changes $(cd small/.dig && ls layers/*)
	do
		rm -rf w && cp -a small w &&
		size=$(wc -c <w/.dig/$file) &&
		printf "\\377\\0\\377" | dd of=w/.dig/$file bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null &&
		(cd w && test_expect_code 4 dig-verify-store) 2>err &&
		grep -F "$(basename $file)" err || return 1
	done
'

test_expect_success 'a missing file is exit status 4 or no store' '
	for file in roots $(cd small/.dig && ls layers/*)
	do
		rm -rf w && cp -a small w &&
		rm w/.dig/$file &&
		(cd w && test_expect_code 4 dig-verify-store) 2>err &&
		grep -F "$(basename $file)" err || return 1
	done &&
	rm -rf w && cp -a small w && rm w/.dig/format &&
	(cd w && test_must_fail dig-verify-store)
'

test_expect_success 'what one damaged layer does not hold can still be read' '
	rm -rf w && cp -a small w &&
	(
		cd w &&
		second=$(dig-list-roots -n 1 | cut -d " " -f 3) &&
		dig-ls-root @1 >../list &&
		printf "\\377" | dd of=.dig/layers/$second.dig bs=1 seek=60 conv=notrunc 2>/dev/null &&
		test_expect_code 4 dig-verify-store &&
		dig-cat @1:text >../actual
	) &&
	test_cmp small/text actual &&
	(cd w && : >.dig/layers/$(dig-list-roots -n 1 | cut -d " " -f 3).dig && dig-cat @1:text >../actual) &&
	test_cmp small/text actual
'

test_done
