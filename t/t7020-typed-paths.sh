#!/bin/sh

test_description='paths are typed and shown from where one is'

. "$(dirname "$0")/test-lib.sh"

# shown EXPECTED COMMAND...: the paths of a list with a word in front.
shown () {
	printf "$1" >"$TRASH/expect" && shift && "$@" >"$TRASH/list" &&
	sed -n "s/^  \([a-z ]*: *\)\{0,1\}//p" "$TRASH/list" >"$TRASH/actual" && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'a store with a change of each kind' '
	dig-init-store w >/dev/null && cd w && mkdir -p a/b c && echo one >a/b/file && echo two >a/two && echo three >c/three &&
	echo top >top && dig-add -A && dig-commit -q -m one && echo more >>a/b/file && rm a/two && echo new >c/new && mkdir a/b/n &&
	: >a/b/n/x && echo staged >>top && dig-add top
'

test_expect_success 'people see paths from where they are' '
	cd w && shown "top\\na/b/file\\na/two\\na/b/n/\\nc/new\\n" dig-status && cd a &&
	shown "../top\\nb/file\\ntwo\\nb/n/\\n../c/new\\n" dig-status && cd b &&
	shown "../../top\\nfile\\n../two\\nn/\\n../../c/new\\n" dig-status && shown "file\\nn/\\n" dig-status . &&
	cd n && shown "../../../top\\n../file\\n../../two\\n./\\n../../../c/new\\n" dig-status
'

test_expect_success 'scripts see them from the top, wherever they are' '
	cd w && dig-status --porcelain=v1 >../expect && dig-status -z >../expect.z && cd a/b &&
	dig-status --porcelain=v1 | test_cmp ../../../expect - && dig-status -z | cmp ../../../expect.z - &&
	printf "M\\ta/b/file\\n?\\ta/b/n/\\n" >../../../expect && test_expect_code 1 dig-diff-work . >../../../actual &&
	test_cmp ../../../expect ../../../actual
'

test_expect_success 'what add says is from there, too, and can be typed there' '
	cd w/a && printf "add b/file\\nadd b/n/x\\nremove two\\n" >../../expect && dig-add -An . >../../actual &&
	sort ../../actual | test_cmp ../../expect - && dig-add -n ../c/new >../../actual && echo "add ../c/new" | test_cmp - ../../actual &&
	dig-ls-work . >../../records && dig-update-index --add -Anz --stdin <../../records | tr "\\0" "\\n" >../../actual &&
	grep -x "add a/b/file" ../../actual &&
	mkfifo pipe && test_when_finished "rm -f pipe ../.digignore" && dig-add . 2>../../err && grep "warning: .pipe. is skipped" ../../err &&
	test_expect_code 128 dig-add b/nothing 2>../../err && grep "open .b/nothing.:" ../../err &&
	echo two >../.digignore && : >ignored-two && echo "ignored*" >>../.digignore &&
	test_expect_code 1 dig-add ignored-two ../top 2>../../err && grep ": .ignored-two. is ignored" ../../err && rm ignored-two
'

test_expect_success 'what could not be read is named from there' '
	cd w/a && test_when_finished "rm -f secret" && echo secret >secret && chmod 0 secret &&
	test_expect_code 3 without_override dig-add secret b 2>../../err && grep "open .secret.: Permission denied" ../../err &&
	dig-status >../../actual && grep "^  secret$" ../../actual && grep "open .secret.: Permission denied" ../../actual &&
	cd .. && dig-status >../actual && grep "open .a/secret.: Permission denied" ../actual
'

test_expect_success 'a path through a symlink that leads into the work tree is inside it' '
	ln -s w to-top && ln -s w/a to-a && mkdir -p far && ln -s ../w far/near && cd w && dig-reset -q && echo again >>a/b/file &&
	for path in "$TRASH/w/a/b/file" "$TRASH/to-top/a/b/file" "$TRASH/to-a/b/file" "$TRASH/far/near/a/b/file" \
		"$TRASH/far/../to-top//a/./b/../b/file" ../w/a/b/file ../to-a/b/file
	do
		dig-add "$path" && test_expect_code 1 dig-diff-index >../actual && printf "M\\ta/b/file\\n" | test_cmp - ../actual &&
		dig-reset -q "$path" &&
		dig-diff-index -q && dig-status --porcelain=v1 "$path" >../actual && echo " M a/b/file" | test_cmp - ../actual || return 1
	done &&
	echo "$TRASH/to-a/b/file" | dig-update-index --add --stdin-paths && dig-rm --cached -f "$TRASH/to-top/a/b/file" &&
	test_expect_code 1 dig-diff-index >../actual && printf "D\\ta/b/file\\n" | test_cmp - ../actual && dig-reset -q &&
	dig-add "$TRASH/to-top" && dig-reset -q && dig-ls-index "$TRASH/to-a" | grep -c "	a/" | grep -x 2
'

test_expect_success 'a path that leads elsewhere is outside, and one behind a symlink of the work tree stays what it is' '
	cd w && ln -s a inner && test_when_finished "rm -f inner" &&
	for path in "$TRASH/far" "$TRASH/nowhere/a" /etc/passwd ../far/x "$TRASH/to-top/../far" ../w/../far
	do
		test_expect_code 128 dig-add "$path" 2>../err && grep "outside the work tree" ../err || return 1
	done &&
	test_must_fail dig-add inner/b/file 2>../err && test_must_fail dig-add "$TRASH/to-top/inner/b/file" 2>../err &&
	dig-diff-index -q
'

test_done
