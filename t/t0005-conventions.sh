#!/bin/sh

test_description='what holds for every tool: options, statuses, output that is not lost'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..
(cd "$source_directory" && ls plumbing porcelain) |
	sed -n 's/\.cpp$//p; s/\.sh$//p' | grep -vx dig | sed 's/^/dig-/' >tools
# These are left out where there is no libcurl.
test -x "$DIG_BUILD/dig-fetch-url" || sed -i "/fetch-url/d; /remote-http/d; /remote-s3/d" tools
test -x "$DIG_BUILD/dig-serve" || sed -i "/^dig-serve$/d" tools

# A store with two states, something staged, and something that nobody added.
mkdir tree && cd tree || exit 1
dig init >/dev/null && echo one >one && echo -dash >-dash && dig add -q -A &&
	dig commit -q -m first && dig add -q --stdin --path=zero <one && dig commit -q -m second &&
	echo two >two && dig add -q two && echo three >three &&
	chunk=$(dig-chunk one | cut -d' ' -f3) && export chunk || exit 1
cd "$TRASH" || exit 1

# sample TOOL runs it with arguments that make it print something, in the tree.  A new tool
# needs a line here.
sample () {
	case $1 in
	dig-add) dig-add --show-plumbing -A ;;
	dig-apply-ranges) dig-apply-ranges -h ;; # prints nothing else
	dig-cat) dig-cat HEAD:one ;;
	dig-check) dig-check --quick ;;
	dig-checkpoint) dig-checkpoint ;;
	dig-check-ignore) echo '*.o' | dig-check-ignore -v -n one ;;
	dig-checkout-root | dig-reset | dig-rm) $1 -h ;; # print nothing else
	dig-chunk) dig-chunk one ;;
	dig-clone) dig-push -q "$TRASH/clone$$.remote" && dig-clone -n "$TRASH/clone$$.remote" "$TRASH/clone$$" ;;
	dig-commit) dig-commit --allow-empty -m again ;;
	dig-config) dig-config core.compression ;;
	dig-count) dig-count ;;
	dig-diff) dig-diff @1 ;;
	dig-diff-index)
		dig-update-index --remove one && dig-diff-index
		sample_status=$?
		dig-reset -q one && return $sample_status
		;;
	dig-diff-roots) dig-diff-roots @1 HEAD ;;
	dig-diff-work) dig-diff-work ;;
	dig-estimate) dig-estimate ;;
	dig-export) dig-export - ;;
	dig-export-states) dig-export-states --since=@1 - ;;
	dig-extract) dig-extract -h ;;
	dig-fetch | dig-fetch-states) dig-push -q "$TRASH/fetched$$" && $1 "$TRASH/fetched$$" ;;
	dig-find) dig-find "*" ;;
	dig-gc) dig-gc --dry-run ;;
	dig-fetch-url) dig-fetch-url "file://$PWD/one" ;;
	dig-get) dig-get /one ;;
	dig-hash-object) dig-hash-object one ;;
	dig-help) dig-help ;;
	dig-import) dig-export -q - | dig-import - ;;
	dig-index-layer) dig-export -q - | dig-index-layer - ;;
	dig-info) dig-info root ;;
	dig-init) dig-init "sub$$" ;;
	dig-init-store) dig-init-store "store$$" ;;
	dig-list-roots) dig-list-roots ;;
	dig-log) dig-log ;;
	dig-key) dig-key new "$TRASH/key$$" ;;
	dig-ls) dig-ls ;;
	dig-ls-index) dig-ls-index ;;
	dig-ls-root) dig-ls-root ;;
	dig-ls-work) dig-ls-work ;;
	dig-merge-layers) dig-merge-layers --dry-run ;;
	dig-prune-layers) dig-prune-layers --dry-run ;;
	dig-prove) dig-prove HEAD:one ;;
	dig-push | dig-send-states) $1 "$TRASH/$1.$$" ;;
	dig-remote) dig-remote check "$TRASH/checked$$" ;;
	dig-remote-file) echo check | dig-remote-file "$TRASH/objects" ;;
	dig-remote-http) echo check | dig-remote-http http://127.0.0.1:1/ ;;
	dig-remote-s3) echo "get . 0 1" | dig-remote-s3 s3://bucket ;;
	dig-remote-ssh) echo check | DIG_SSH=echo dig-remote-ssh ssh://host/directory ;;
	dig-repack) dig-repack --dry-run ;;
	dig-restore) dig-restore -n one ;;
	dig-serve)
		timeout 1 dig-serve --listen=127.0.0.1:0
		test $? = 124 # it was serving until then
		;;
	dig-show) dig-show ;;
	dig-show-layer) dig-show-layer ;;
	dig-show-staging) dig-show-staging ;;
	dig-stats) dig-stats ;;
	dig-status) dig-status ;;
	dig-tag) dig-tag -q -f sample && dig-tag ;;
	dig-tar-root) dig-tar-root HEAD ;;
	dig-update-index) dig-ls-work three | dig-update-index --add -n --stdin ;;
	dig-update-root) dig-update-root "$(dig-write-layer --allow-empty -m more)" ;;
	dig-urn) dig-urn one ;;
	dig-verify) dig-prove HEAD:one | dig-verify - ;;
	dig-verify-proof) dig-prove HEAD:one | dig-verify-proof --root="$(dig-info root)" - ;;
	dig-verify-store) dig-verify-store --quick ;;
	dig-write-layer) dig-write-layer --allow-empty -m more ;;
	*) return 99 ;;
	esac
}

# Below, each tool is run once for a property, and the offenders are collected: the tool, and what
# the property says of it.
each_tool () {
	while read -r tool
	do
		said=$(cd "$TRASH/tree" && "$@" </dev/null 2>"$TRASH/err.each") || echo "$tool $said"
	done <"$TRASH/tools" >"$TRASH/offenders"
	test_cmp /dev/null "$TRASH/offenders"
}

# What a property says of an offender.
because () {
	printf '%s\n' "$*"
	return 1
}

refuses_unknown_option () {
	"$tool" --no-such-option >"$TRASH/out" 2>"$TRASH/err"
	test $? = 129 && ! test -s "$TRASH/out" && grep -q "^usage: $tool" "$TRASH/err" &&
		grep -q "^$tool: .*no-such-option" "$TRASH/err" && test "$(wc -l <"$TRASH/err")" = 3 &&
		grep -qx "see 'dig help ${tool#dig-}'" "$TRASH/err" ||
		because 'does not refuse --no-such-option as options.parse() does (libdig/tool/options.h)'
}

test_expect_success 'an unknown option is 129, named on standard error, and nothing is on standard output' '
	each_tool refuses_unknown_option
'

prints_something () {
	sample "$tool" >"$TRASH/out" 2>"$TRASH/err"
	sample_status=$?
	test $sample_status != 99 ||
		because 'has no sample: add a line to sample() in t/t0005-conventions.sh that makes it print something' ||
		return
	test $sample_status -lt 2 && test -s "$TRASH/out" ||
		because "prints nothing, or fails, by its line in sample() of t/t0005-conventions.sh: status" \
			"$sample_status; $(cat "$TRASH/err")"
}

test_expect_success 'each tool has a sample here' '
	each_tool prints_something
'

fails_when_output_is_lost () {
	sample "$tool" >/dev/full 2>"$TRASH/err"
	lost=$?
	"$tool" -h >/dev/full 2>>"$TRASH/err"
	test $? != 0 && test $lost != 0 && test $lost != 99 && test -s "$TRASH/err" ||
		because 'succeeds, or says nothing, where what it prints is lost: print through' \
			'standard_output() (libdig/tool/records.h)'
}

test_expect_success 'output that cannot be written is a failure' '
	each_tool fails_when_output_is_lost
'

takes_dashes_for_the_end () {
	"$tool" -h >"$TRASH/help"
	"$tool" -- -h >"$TRASH/out" 2>"$TRASH/err"
	! cmp -s "$TRASH/help" "$TRASH/out" || because 'takes -h behind -- for an option'
}

test_expect_success 'nothing behind -- is an option' '
	cp -pR tree spare &&
	test_when_finished "rm -rf tree; mv spare tree" &&
	each_tool takes_dashes_for_the_end
'

test_expect_success 'a path that begins with a dash is one, behind --' '
	cd tree &&
	dig-hash-object -- -dash >../root &&
	dig-chunk -- -dash | grep "^0 6 " &&
	dig-ls-index -- -dash | grep -F "	-dash" &&
	dig-ls-root -- HEAD -dash | grep -F "	-dash" &&
	dig-ls-work -- -dash | tr "\0" "\n" | grep -F "	-dash" &&
	dig-cat -- HEAD:-dash | grep -x -e -dash &&
	test_expect_code 1 dig-check-ignore -- -dash &&
	dig-rm --cached -- -dash &&
	dig-add -- -dash &&
	dig-update-index --remove -- -dash &&
	dig-reset -q -- -dash &&
	dig-diff-work -- -dash
'

lists_its_options () {
	"$tool" --list-options >"$TRASH/out" && "$tool" --version >"$TRASH/version" &&
		grep -qx -e --help "$TRASH/out" && ! grep -qvE "^--?[A-Za-z0-9-]+$" "$TRASH/out" &&
		grep -q "^dig [0-9]" "$TRASH/version" ||
		because 'has no --list-options or --version as options.parse() has (libdig/tool/options.h)'
}

test_expect_success 'each tool lists its options and tells its version' '
	each_tool lists_its_options
'

needs_a_store () {
	case $tool in
	# These need none.
	dig-chunk | dig-config | dig-estimate | dig-fetch-url | dig-hash-object | dig-help | dig-info | dig-init | dig-init-store | \
		dig-clone | dig-key | dig-verify | dig-verify-proof | dig-remote-file | dig-remote-http | dig-remote-s3 | dig-remote-ssh)
		return ;;
	dig-add) set -- -A ;;
	dig-apply-ranges) set -- HEAD HEAD one one ;;
	dig-cat | dig-get) set -- /one ;;
	dig-diff-roots) set -- HEAD HEAD ;;
	dig-check-ignore | dig-find | dig-prove | dig-restore | dig-rm | dig-urn) set -- one ;;
	dig-checkout-root) set -- HEAD there ;;
	dig-tar-root) set -- HEAD ;;
	dig-commit | dig-write-layer) set -- -m none ;;
	dig-extract) set -- there ;;
	dig-export | dig-export-states | dig-import | dig-index-layer) set -- - ;;
	dig-update-index) set -- --remove one ;;
	dig-update-root) set -- "$chunk" ;;
	*) set -- ;;
	esac
	cd "$TRASH/nowhere" && "$tool" "$@" >"$TRASH/out" 2>"$TRASH/err"
	sample_status=$?
	test $sample_status = 10 && ! test -s "$TRASH/out" && grep -q "store" "$TRASH/err" ||
		because "ends with $sample_status outside of a store, and not with 10: needs_a_store() in" \
			"t/t0005-conventions.sh needs a line with its arguments, or with its name if it needs no store"
}

test_expect_success 'outside of a store a tool that needs one ends with 10 and says so' '
	mkdir -p nowhere &&
	each_tool needs_a_store &&
	find nowhere >left &&
	echo nowhere | test_cmp - left
'

# Records with NUL as lines that can be compared.
shown () {
	tr '\0\n' '\n@'
}

test_expect_success 'a name with a newline passes all lists with -z' '
	cp -pR tree newline && cd newline &&
	name=$(printf "new\nline") &&
	echo text >"$name" &&
	printf "%s\0" "$name" >../name &&
	dig-hash-object "$name" >../root &&
	dig-hash-object -z --stdin-paths <../name | tr "\0" "\n" | test_cmp ../root - &&
	printf "\n\n\nnew@line\n" >../expect &&
	{ dig-check-ignore -zvn --stdin <../name | shown >../actual; } &&
	test_cmp ../expect ../actual &&
	dig-diff-work -z "$name" | shown | grep -x "[?]	new@line" &&
	dig-status -z | shown | grep -x "[?][?] new@line" &&
	dig-update-index --add -z --stdin-paths <../name &&
	dig-ls-index -z --name-only "$name" | test_cmp ../name - &&
	dig-ls-index -z | shown | grep "	new@line$" &&
	dig-diff-index -z | shown | grep -x "A	new@line" &&
	dig-commit -q -m newline &&
	dig-ls-root -z --name-only HEAD "$name" | test_cmp ../name - &&
	dig-ls -z | shown | grep -x "new@line" &&
	dig-ls -rz | shown | grep -x "new@line" &&
	printf "HEAD:%s\0" "$name" | dig-cat -z --batch | tr "\0" "\n" >../actual &&
	printf "%s 5\ntext\n\n" "$(cat ../root)" | test_cmp - ../actual &&
	dig-update-index --remove -z --stdin-paths <../name &&
	dig-diff-index -z | shown | grep -x "D	new@line" &&
	dig-reset -q
'

test_expect_success 'without -z such a name is one line, quoted, and is read back' '
	cd newline &&
	dig-ls-index --name-only "$name" >../quoted &&
	printf "\"new\\\\nline\"\n" | test_cmp - ../quoted &&
	echo more >>"$name" &&
	dig-update-index --add --stdin-paths <../quoted &&
	dig-diff-index | grep -F "M	\"new\\nline\"" &&
	dig-commit -q -m more
'

test_expect_success 'what ls-index prints is what --index-info takes' '
	cd newline &&
	dig-ls-index >../before &&
	dig-update-index --index-info <../before &&
	dig-ls-index | test_cmp ../before -
'

if command -v bash >/dev/null
then
	test_set_prereq BASH
fi

# complete WORD...: what bash offers for the last of the words.
complete () {
	bash -c ". \"$source_directory/completion/dig.bash\" && COMP_WORDS=(dig \"\$@\") COMP_CWORD=\$# &&
		_dig && printf \"%s\\n\" \"\${COMPREPLY[@]}\"" bash "$@"
}

test_expect_success BASH 'bash completes commands, the options that they have, and pages' '
	complete com | grep -x commit &&
	complete -C . -c core.author=x ver | grep -x verify-store &&
	complete help chec | grep -x check-ignore &&
	complete help lay | grep -x layer-format && complete help digi | grep -x digignore &&
	complete help gl | grep -x glossary && complete help --li | grep -x -e --list &&
	complete commit --al | grep -x -e --allow-empty &&
	complete check --q | grep -x -e --quick
'

test_done
