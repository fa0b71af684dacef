#!/bin/sh

test_description='a change of the mode, or of the time alone, is told from one of the content'

. "$(dirname "$0")/test-lib.sh"

# told EXPECTED FILE: the lines with a word in front of a section of dig status.
told () {
	printf "$1" >"$TRASH/expect" && sed -n "s/^  \([a-z ]*\):  *\([^ ]*\)$/\1: \2/p" "$2" | test_cmp "$TRASH/expect" -
}

# each_changes: something of each kind.
each_changes () {
	chmod 700 mode both void && touch -h -d @1500000000 time both link && echo CONTENT >content && touch -d @1600000000 content &&
	echo OTHER >all && chmod 700 all && echo more >>size && : >empty && touch -d @1500000000 empty
}

words='modified: all\nmode changed: both\nmodified: content\ntime changed: empty\ntime changed: link\nmode changed: mode\nmodified: size\ntime changed: time\nmode changed: void\n'

test_expect_success 'a store with some of each kind' '
	dig-init-store w >/dev/null && cd w && mkdir void && : >empty && ln -s time link &&
	for file in mode time both content all size
	do
		echo $file >$file || return 1
	done &&
	find . -name .dig -prune -o -exec touch -h -d @1600000000 {} + && sleep 0.1 && dig-add -A && dig-commit -q -m one &&
	dig-status >../actual && grep "nothing to add" ../actual && each_changes
'

test_expect_success 'dig status tells what was changed in the work tree' '
	cd w && dig-status >../actual && grep "^changed since" ../actual && told "$words" ../actual &&
	dig-status mode >../actual && told "mode changed: mode\\n" ../actual
'

test_expect_success 'and what of it is staged' '
	cd w && dig-add -A && dig-status >../actual && grep "^staged" ../actual && told "$words" ../actual &&
	dig-reset -q && dig-add time && chmod 600 time && touch -d @1600000000 time && dig-status time >../actual &&
	told "time changed: time\\nmode changed: time\\n" ../actual && touch -d @1500000000 time && chmod 644 time
'

test_expect_success 'the lists for scripts are as they always were' '
	cd w && dig-add -A && dig-status --porcelain=v1 >../actual && printf "M  %s\\n" all both content empty link mode size time void |
		test_cmp - ../actual &&
	dig-status -z >../actual && printf "M  %s\\0" all both content empty link mode size time void | cmp - ../actual &&
	printf "M\\t%s\\n" all both content empty link mode size time void >../lines &&
	test_expect_code 1 dig-diff-index >../actual && test_cmp ../lines ../actual && dig-reset -q &&
	test_expect_code 1 dig-diff-work >../actual && sort ../actual | test_cmp ../lines - && dig-add -A && dig-commit -q -m two &&
	test_expect_code 1 dig-diff-roots @1 @2 >../actual && test_cmp ../lines ../actual &&
	dig-diff -z >../actual && tr "\\n" "\\0" <../lines | cmp - ../actual
'

test_expect_success 'dig diff and dig show tell by a letter' '
	cd w && printf "M\\tall\\nm\\tboth\\nM\\tcontent\\nt\\tempty\\nt\\tlink\\nm\\tmode\\nM\\tsize\\nt\\ttime\\nm\\tvoid\\n" >../expect &&
	dig-diff >../actual && test_cmp ../expect ../actual && dig-diff @1 @2 >../actual && test_cmp ../expect ../actual &&
	test_expect_code 1 dig-diff-roots --apart @1 @2 >../actual && test_cmp ../expect ../actual &&
	dig-show >../shown && grep "^[A-Za-z]	" ../shown | test_cmp ../expect - &&
	test_expect_code 1 dig-diff -q @1 @2
'

test_expect_success 'a large file with another time is called modified, and is not read' '
	cd w && truncate -s 17M large && dig-add large && dig-commit -q -m large && chmod 600 large && dig-status >../actual &&
	told "mode changed: large\\n" ../actual && touch -d @1400000000 large && dig-status >../actual &&
	told "modified: large\\n" ../actual && chmod 644 large && dig-status >../actual && told "modified: large\\n" ../actual
'

test_done
