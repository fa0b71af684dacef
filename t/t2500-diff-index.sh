#!/bin/sh

test_description='dig-diff-index lists what the next commit would change'

. "$(dirname "$0")/test-lib.sh"

# staged STATUS EXPECTED
staged () {
	printf "$2" >"$TRASH/expect" && test_expect_code $1 dig-diff-index >"$TRASH/actual" &&
	test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'there must be a store; in an empty one nothing is staged' '
	test_expect_code 10 dig-diff-index && dig-init-store w >store && cd w && staged 0 ""
'

test_expect_success 'before the first commit everything is new' '
	cd w && mkdir d void && echo file >d/file && echo mode >mode && echo time >time && echo kind >kind && echo gone >gone &&
	echo content >content && take_all &&
	staged 1 "A\\tcontent\\nA\\td/file\\nA\\tgone\\nA\\tkind\\nA\\tmode\\nA\\ttime\\nA\\tvoid\\n"
'

test_expect_success 'after it nothing is staged' '
	cd w && commit_staged one && staged 0 "" && dig-diff-index -q
'

test_expect_success 'new, changed, gone and of another kind, in order' '
	cd w && echo more >content && chmod 700 mode && touch -d @1400000000 time && rm kind gone && ln -s d kind &&
	echo inner >void/inner && staged 0 "" && take_all &&
	staged 1 "M\\tcontent\\nD\\tgone\\nT\\tkind\\nM\\tmode\\nM\\ttime\\nD\\tvoid\\nA\\tvoid/inner\\n" &&
	test_expect_code 1 dig-diff-index -q >../actual && test_cmp /dev/null ../actual
'

test_expect_success 'what is staged and taken back is no difference' '
	cd w && dig-checkout-root -f HEAD . content gone kind mode time && rm -r void && mkdir void &&
	dig-checkout-root -f HEAD . && take_all && staged 0 "" &&
	echo new >new && take_all && staged 1 "A\\tnew\\n" && rm new && take_all && staged 0 "" &&
	test_expect_code 1 dig-write-layer -m nothing
'

test_expect_success 'names are quoted on lines, and verbatim with -z' '
	cd w && odd=$(printf "n\\nt\\tq\\042b") && : >"$odd" && take_all &&
	staged 1 "A\\t\"n\\\\nt\\\\tq\\\\\"b\"\\n" &&
	test_expect_code 1 dig-diff-index -z >../actual && printf "A\\t%s\\0" "$odd" | cmp - ../actual
'

test_expect_success 'wrong usage is told, and output that cannot be written' '
	cd w && test_expect_code 129 dig-diff-index x && test_expect_code 128 dig-diff-index >/dev/full
'

test_done
