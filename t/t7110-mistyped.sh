#!/bin/sh

test_description='what names nothing is an error, and what it may have meant is said'

. "$(dirname "$0")/test-lib.sh"

dig init tree >/dev/null && cd tree && mkdir -p photos/2025 && echo one >photos/2025/shelf.jpg && echo two >readme &&
	ln -s readme link && dig add -q -A && dig commit -q -m first && echo more >>readme && dig add -q readme && dig commit -q -m second &&
	echo new >untracked || exit 1
cd "$TRASH" || exit 1

# says STATUS TEXT COMMAND...: in the tree; nothing is on standard output.
says () {
	said_status=$1 said_text=$2 && shift 2 &&
	(cd "$TRASH/tree" && test_expect_code $said_status "$@") >"$TRASH/out" 2>"$TRASH/err" && test_cmp /dev/null "$TRASH/out" &&
	{ grep -F -e "$said_text" "$TRASH/err" || { cat "$TRASH/err"; false; }; }
}

test_expect_success 'a path that names nothing is an error of every command that takes paths' '
	for command in "diff @1 @2 nowhere" "diff -q @1 @2 readme nowhere" "diff --ranges @1 @2 nowhere" "diff-roots @1 @2 nowhere" \
		"status nowhere" "status --porcelain=v1 readme nowhere" "status -z nowhere" "reset nowhere" "reset readme nowhere" \
		"ls :nowhere" "ls -r HEAD:nowhere" "extract ../none nowhere" "extract ../none readme nowhere" "rm nowhere" \
		"rm --cached nowhere" "checkout-root HEAD ../none nowhere" "diff-work nowhere" "cat HEAD:nowhere" "add nowhere"
	do
		says 128 nowhere dig $command && ! test -e none && test $(wc -l <err) = 1 || { echo "$command"; return 1; }
	done
'

test_expect_success 'a path is there when it is in the work tree, in the index or in the state' '
	cd tree && dig status untracked . photos photos/2025 readme link >../out && dig status --porcelain=v1 photos >../out && test_cmp /dev/null ../out &&
	rm readme && dig status readme >../out && dig rm -q --cached link && rm link && dig status link >../out && dig reset link 2>../err &&
	dig diff @1 @2 photos >../out && test_cmp /dev/null ../out && dig diff @0 @1 photos/2025 >../out && test -s ../out &&
	dig reset -q && dig extract -q -f .
'

test_expect_success 'a reset of a state says that it takes paths' '
	for state in HEAD HEAD~1 @1 $(cd tree && dig info root)
	do
		says 129 "$state'\'' names a state, and dig reset takes paths" dig reset $state || return 1
	done &&
	echo at >tree/@1 && says 0 "" dig reset @1 && rm tree/@1
'

test_expect_success 'commands, options, keys and states that are nearly right are guessed' '
	says 129 "did you mean '\''commit'\''?" dig comit -m x && says 129 "did you mean '\''status'\''?" dig stauts &&
	says 129 "did you mean '\''update-index'\''?" dig updateindex && says 129 "did you mean '\''--version'\''?" dig --verson &&
	says 129 "did you mean '\''--allow-empty'\''?" dig commit --alow-empty -m x && says 129 "did you mean '\''--progress'\''?" dig add --progess=json . &&
	says 129 "did you mean '\''--by-reference'\''?" dig add --by-ref . && says 129 "did you mean '\''--quick'\''?" dig check --qiuck &&
	says 128 "did you mean '\''core.compression'\''?" dig config core.compresion && says 129 "did you mean '\''store-id'\''?" dig info storeid &&
	says 128 "did you mean '\''HEAD'\''?" dig show HAED && says 128 "did you mean '\''HEAD'\''?" dig log head~1
'

test_expect_success 'paths that are nearly right are guessed, in any of their directories' '
	says 128 "did you mean '\''readme'\''?" dig ls :raedme && says 128 "did you mean '\''photos/2025/shelf.jpg'\''?" dig rm photos/2025/self.jpg &&
	says 128 "did you mean '\''photos/2025/shelf.jpg'\''?" dig cat HEAD:photo/2025/shelf.jpg &&
	says 128 "did you mean '\''photos/2025'\''?" dig extract ../none photos/2052 && says 128 "did you mean '\''untracked'\''?" dig add untraked &&
	says 128 "did you mean '\''untracked'\''?" dig status untrackt && says 128 "did you mean '\''readme'\''?" dig reset README.md &&
	says 128 "did you mean '\''readme'\''?" dig diff @1 @2 reame
'

test_expect_success 'what is far from everything is not guessed' '
	for command in "frobnicate" "ls :xyzzy" "commit --zzzzzz -m x" "info q" "cat HEAD:photos/2025/nothing-like-it" "show zz"
	do
		(cd tree && test_must_fail dig $command >../out 2>../err) && ! grep "did you mean" err || { echo "$command"; cat err; return 1; }
	done
'

test_expect_success 'before the first commit there is no state to name' '
	dig init empty >out && cd empty && for name in HEAD @1 HEAD~1
	do
		test_expect_code 128 dig extract --at=$name ../none 2>../err && grep "nothing is committed yet" ../err || return 1
	done
'

test_done
