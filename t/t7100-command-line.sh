#!/bin/sh

test_description='the command line of the commands for people: options anywhere, one error for one mistake'

. "$(dirname "$0")/test-lib.sh"

dig init tree >/dev/null && cd tree && mkdir d && echo one >a && echo two >d/b && echo dash >-x &&
	dig add -A -q 2>/dev/null && dig commit -q -m first && echo more >>a && dig add -q a && dig commit -q -m second ||
	exit 1
cd "$TRASH" || exit 1

# complains STATUS LINE COMMAND...: that is the only line on standard error.
complains () {
	expected_status=$1 && printf '%s\n' "$2" >"$TRASH/expect" && shift 2 &&
	test_expect_code $expected_status "$@" >"$TRASH/out" 2>"$TRASH/actual" && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'options stand anywhere before --' '
	cd tree && test_expect_code 1 dig diff @1 @2 -q >../out 2>&1 && test_cmp /dev/null ../out &&
	dig diff @2 @2 --quiet && dig diff @1 -z @2 a >../actual && printf "M\ta\0" | cmp - ../actual &&
	dig diff @1 @2 a --ranges >../actual && echo "0 4 0 9 replaced" | test_cmp - ../actual &&
	dig extract ../first --at=@1 a -q && echo one | test_cmp - ../first/a && ! test -e ../first/d &&
	dig extract ../first -f --at @2 && test_cmp a ../first/a &&
	dig check --quick -q && dig init ../other --store-id=$(printf %064d 9) >../out && grep "other/.dig" ../out
'

test_expect_success 'behind -- there are no options' '
	cd tree && dig extract -- ../dash -x && echo dash | test_cmp - ../dash/-x && ! test -e ../dash/a &&
	dig extract ../dash2 -- -x && echo dash | test_cmp - ../dash2/-x &&
	dig diff @1 @2 -- a && test_expect_code 129 dig check -- -q && (cd .. && dig init -- -dir) >../out && test -e ../-dir/.dig
'

test_expect_success 'an unknown option is an error wherever it stands, and nothing is done' '
	cd tree &&
	for command in "diff @1 @2 --qiet" "diff @1 -x" "extract ../none --att=@1" "extract --now ../none" "check --quik" "init ../none --store"
	do
		test_expect_code 129 dig $command >../out 2>../err && test_cmp /dev/null ../out && test $(wc -l <../err) -le 3 &&
		grep "^see .dig help ${command%% *}.$" ../err && ! test -e ../none || { echo "$command"; return 1; }
	done
'

test_expect_success 'wrong usage is a line of what, a line of usage, a line of where to read on' '
	complains 129 "$(printf "%s\n" "dig add: no path given; '\''-A'\'' adds everything" "usage: dig add [OPTION...] PATH..." \
		"see '\''dig help add'\''")" dig -C tree add &&
	complains 129 "$(printf "%s\n" "dig rm: arguments are missing" "usage: dig rm [-f] [--cached] PATH..." "see '\''dig help rm'\''")" dig -C tree rm &&
	dig add -h >out && sed "/^$/,\$d" out >usage && ! grep dig-add usage && grep "^dig add --stdin" usage
'

test_expect_success 'what fails is told in the words that were typed' '
	cd tree && complains 1 "dig commit: nothing is staged" dig commit -m none &&
	complains 1 "dig-commit: nothing is staged" dig-commit -m none &&
	complains 128 "dig extract: '\''nope'\'' is not in HEAD" dig extract ../none nope &&
	complains 128 "dig cat: '\''nope'\'' is not in HEAD" dig cat HEAD:nope &&
	complains 128 "dig get: '\''nope'\'' is not in HEAD" dig get /nope &&
	complains 128 "dig init: there is a store already: '\''$TRASH/tree/.dig'\''" dig init . &&
	complains 10 "dig check: there is no store here or above; make one with '\''dig init'\''" dig -C / check
'

test_expect_success 'a plain mistake is told once' '
	cd tree && ln -s d link &&
	complains 128 "dig add: '\''/etc'\'' lies outside the work tree '\''$TRASH/tree'\''" dig add /etc &&
	complains 128 "dig add: an empty path names nothing; use '\''.'\'' for the directory itself" dig add a "" &&
	complains 128 "dig add: '\''.dig'\'' cannot be added: it belongs to the store" dig add .dig &&
	complains 128 "dig add: '\''../x'\'' lies outside the work tree" dig add ../x &&
	complains 128 "dig add: '\''link/b'\'' lies behind the symbolic link '\''link'\''; add it where it is" dig add link/b &&
	complains 128 "dig add: cannot open '\''nope'\'': No such file or directory" dig add nope &&
	rm link && dig status --porcelain=v1 >../out && test_cmp /dev/null ../out
'

test_expect_success 'what belongs to the store is skipped beside other paths' '
	cd tree && echo new >new && dig add new .dig 2>../err && grep "warning: .\.dig. is skipped" ../err &&
	echo "A  new" >../expect && dig status --porcelain=v1 >../actual && test_cmp ../expect ../actual &&
	dig reset -q && dig add .dig/format ./new 2>../err && dig status --porcelain=v1 >../actual && test_cmp ../expect ../actual &&
	dig rm -q -f new && dig reset -q
'

test_expect_success 'a list that was broken off is still no list' '
	cd tree && test_expect_code 128 dig-ls-work a /etc >../records 2>../err && printf "A\0" | cmp - ../records &&
	dig-ls-work >../records && tr "\0" "\n" <../records | sed "\$s/.*/A/" | tr "\n" "\0" >../broken &&
	rm a && test_expect_code 128 dig-update-index --add -A --stdin <../broken 2>../err &&
	dig status --porcelain=v1 >../actual && echo " D a" | test_cmp - ../actual && ! grep "end record" ../err && dig extract -f . a
'

test_expect_success 'options of dig add that belong together are asked for together' '
	cd tree &&
	for options in --path=p --mode=100755 --mtime=0 --checkpoint-every=1M
	do
		test_expect_code 129 dig add $options a 2>../err && grep "go with --stdin" ../err || { echo "$options"; return 1; }
	done &&
	test_expect_code 129 dig add --from-command --path=p --checkpoint-every=1M -- echo 2>../err &&
	grep "a command that fails must leave nothing staged" ../err &&
	test_expect_code 129 dig add --stdin --checkpoint-every=1M 2>../err && grep "needs --path=PATH" ../err &&
	test_expect_code 129 dig add 2>../err && grep "no path given" ../err
'

test_expect_success 'shown commands can be pasted into a shell, whatever the names' '
	cd tree && name="it'\''s \$HOME" && echo text >"$name" &&
	dig add --show-plumbing -- "$name" >../shown && sh ../shown && dig status --porcelain=v1 >../actual &&
	printf "A  %s\n" "$name" | test_cmp - ../actual && dig rm -q -f "$name" && dig reset -q &&
	echo streamed | dig add --stdin --path="$name" --mode=100755 --checkpoint-every=1M --show-plumbing >../shown &&
	grep -F -e "--checkpoint-every=1M --mode=100755" ../shown
'

test_done
