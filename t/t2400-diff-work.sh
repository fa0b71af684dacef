#!/bin/sh

test_description='dig-diff-work lists what differs between work tree and index'

. "$(dirname "$0")/test-lib.sh"

tab='	'

# differs STATUS EXPECTED [ARGUMENT...]: lines in any order, but for those of a file that was read.
differs () {
	status=$1 && printf "$2" | sort >"$TRASH/expect" && shift 2 &&
	test_expect_code $status dig-diff-work "$@" >"$TRASH/lines" && sort "$TRASH/lines" >"$TRASH/actual" &&
	test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'there must be a store' '
	test_expect_code 10 dig-diff-work
'

test_expect_success 'nothing differs after all was taken' '
	dig-init-store w >store && cd w && mkdir -p d/e void && echo file >d/e/file && echo other >d/other && ln -s d link &&
	echo gone >gone && echo mode >mode && echo time >time && echo kind >kind && echo same >same &&
	take_all && differs 0 "" && commit_staged one && differs 0 ""
'

test_expect_success 'content, mode and time, kind, what is gone and what is new' '
	cd w && echo longer >d/e/file && chmod 755 mode && touch -d @1400000000 time && rm kind gone && ln -s d kind &&
	rm link && ln -s e link && rmdir void && echo void >void && : >d/new && mkdir -p n/e/w && : >n/e/w/file && mkdir bare &&
	differs 1 "M\\td/e/file\\n?\\td/new\\nD\\tgone\\nT\\tkind\\nM\\tlink\\nM\\tmode\\n?\\tn/\\nM\\ttime\\nT\\tvoid\\n?\\tbare/\\n"
'

test_expect_success 'lines are in the order of paths, but for files that had to be read' '
	cd w && sed -n "s/^[?DT]$tab//p" ../lines >../seen && sort ../seen | test_cmp - ../seen
'

test_expect_success 'paths limit what is looked at' '
	cd w/d && differs 1 "M\\td/e/file\\n?\\td/new\\n" . && differs 1 "M\\tmode\\nD\\tgone\\n" ../mode ../gone &&
	differs 0 "" ../same other
'

test_expect_success '-q prints nothing, the status tells' '
	cd w && test_expect_code 1 dig-diff-work -q >../actual && test_cmp /dev/null ../actual &&
	dig-diff-work -q same
'

test_expect_success 'it compares with the index, not with the newest state, and changes neither' '
	cd w && dig-ls-index >../before && take_all && differs 0 "" && dig-reset -q && dig-ls-index >../actual &&
	test_cmp ../before ../actual && test_expect_code 1 dig-diff-work -q
'

test_expect_success 'a change behind size and time is found by reading' '
	cd w && commit_all two && sleep 0.1 && touch -r same ../time && echo SAME >same && touch -r ../time same &&
	differs 1 "M\\tsame\\n" && echo same >same && touch -r ../time same && differs 0 ""
'

test_expect_success 'what is ignored is not new, but what was taken before is watched' '
	cd w && test_when_finished "rm -f .digignore x.o" && echo "*.o" >.digignore && : >x.o &&
	differs 1 "?\\t.digignore\\n" && echo "same" >>.digignore && echo other >>same &&
	differs 1 "?\\t.digignore\\nM\\tsame\\n" && rm same &&
	differs 1 "?\\t.digignore\\nD\\tsame\\n" && dig-checkout-root -f HEAD . same
'

test_expect_success 'what an ignored directory or a FIFO has taken the place of is gone, and after add -A nothing differs' '
	dig-init-store r >store && cd r && echo "build" >.digignore && mkdir empty && echo f >fifo && echo b >built && ln -s f link &&
	echo u >build && dig-add -A -f && commit_staged one && rm -r empty fifo built link build &&
	mkfifo empty fifo link && mkdir built build && echo "built" >>.digignore && : >built/in && : >build/in &&
	differs 1 "M\\t.digignore\\nD\\tbuild\\nD\\tbuilt\\nT\\tempty\\nT\\tfifo\\nT\\tlink\\n" &&
	dig-add -A 2>../err && grep -c "is a fifo" ../err >../actual && echo 3 | test_cmp - ../actual && differs 0 "" &&
	commit_staged two && differs 0 "" && dig-ls-index --name-only >../actual && echo .digignore | test_cmp - ../actual &&
	dig-add -A 2>../err && test_expect_code 1 dig-write-layer -m nothing &&
	dig-status >../actual && grep "nothing to add, nothing to commit" ../actual
'

test_expect_success 'names are quoted on lines, and verbatim with -z' '
	cd w && odd=$(printf "n\\nt\\tq\\042b") && : >"$odd" && test_when_finished "rm -f *q*b" &&
	test_expect_code 1 dig-diff-work >../actual && printf "?\\t\"n\\\\nt\\\\tq\\\\\"b\"\\n" | test_cmp - ../actual &&
	test_expect_code 1 dig-diff-work -z >../actual && printf "?\\t%s\\0" "$odd" | cmp - ../actual
'

test_expect_success 'what cannot be looked at is no removal' '
	cd w && test_when_finished "chmod 755 d same" && chmod 0 d && echo hidden >same && chmod 0 same &&
	test_expect_code 1 without_override dig-diff-work >../actual && grep "^F${tab}d/*$" ../actual &&
	grep "^[FM]${tab}same$" ../actual && ! grep -e ^D -e d/e ../actual
'

test_expect_success 'wrong usage is told' '
	cd w && test_expect_code 129 dig-diff-work --cached && test_expect_code 128 dig-diff-work ../x &&
	: >unknown && test_expect_code 128 dig-diff-work >/dev/full
'

test_done
