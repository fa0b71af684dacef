#!/bin/sh

test_description='whatever comes into the index removes what cannot stand beside it'

. "$(dirname "$0")/test-lib.sh"

tab=$(printf '\t')

# store NAME: a store in which d/x and d-x are committed.
store () {
	mkdir $1 && (
		cd $1 && dig-init-store . >/dev/null && mkdir d && echo 1 >d/x && echo 1 >d-x && echo 1 >e &&
		dig add -A && dig commit -q -m1
	)
}

S () {
	dig status --porcelain=v1 >../actual && test_cmp - ../actual
}

# line PATH AS: what --index-info takes, the content of PATH at another path.
line () {
	dig-ls-index $1 | sed "s|$tab.*|$tab$2|"
}

listed () {
	dig-ls-index --name-only >../actual && printf "%s\n" "$@" | test_cmp - ../actual
}

test_expect_success 'reset of what a staged file displaced drops the file' '
	store reset && (
		cd reset && rm -r d && echo file >d && dig add -A && dig reset -q d/x && listed d-x d/x e &&
		S <<-\END &&
		?? d
		 D d/x
		END
		test_expect_code 1 dig commit -q -m2 2>/dev/null
	)
'

test_expect_success 'reset of a file drops what was staged below it' '
	store below && (
		cd below && rm e && mkdir e && echo 1 >e/x && echo 1 >e/y && echo 1 >e-x && dig add -A && dig reset -q e &&
		listed d-x d/x e e-x && dig commit -q -m2
	)
'

test_expect_success 'lists, in either order, on one side and on the other of what is there' '
	store lists && (
		cd lists && line e d >../info && dig-update-index --index-info <../info && listed d d-x e &&
		line e d/x/y >../info && dig-update-index --index-info <../info && listed d-x d/x/y e &&
		{ line e p && line e p-x && line e p/q && line e p/r/s; } >../info && dig-update-index --index-info <../info &&
		listed d-x d/x/y e p-x p/q p/r/s &&
		{ line e p/a && line e p/q && line e p0 && line e p; } >../info && dig-update-index --index-info <../info &&
		listed d-x d/x/y e p p-x p0 &&
		{ line e d && line e d/x/z; } >../info && dig-update-index --index-info <../info && listed d-x d/x/z e p p-x p0 &&
		{ line e r/b/c && line e r && line e r/a; } >../info && dig-update-index --index-info <../info &&
		listed d-x d/x/z e p p-x p0 r/a && dig commit -q -m2 && dig check -q
	)
'

test_expect_success 'a stream, by-reference and an add at the same time as another' '
	store others && (
		cd others && echo s | dig add --stdin --path=d/x/y/z && listed d-x d/x/y/z e &&
		echo s | dig add --stdin --path=d && listed d d-x e && dig reset -q &&
		rm -r d && echo 1 >d && dig add --by-reference d && listed d d-x e && dig commit -q -m2 &&
		mkfifo ../fifo && { dig-update-index --add --stdin <../fifo & pid=$!; } && exec 7>../fifo &&
		rm d && mkdir d && echo 1 >d/new && echo d/new | dig-update-index --add --stdin-paths && rm -r d && echo 22 >d &&
		dig-ls-work d >&7 && exec 7>&- && wait $pid && listed d d-x e && dig commit -q -m3
	)
'

# The first sync comes when all is in the journal and nothing in the index.
test_expect_success STRACE 'a file that a killed add had finished, once it is recovered' '
	store killed && (
		cd killed && echo 2 >d/x && echo 2 >d/y && dig add d && rm -r d && echo file >d && echo d >../input &&
		{ strace -f -qq -o ../calls -e inject=fdatasync:signal=KILL \
			dig-update-index --add --stdin-paths <../input; status=$?; } && test $status = 137 &&
		listed d-x d/x d/y e && dig-update-index --add --stdin-paths </dev/null && listed d d-x e &&
		S <<-\EOF &&
		A  d
		D  d/x
		EOF
		dig commit -q -m2 && test "$(dig cat HEAD:d)" = file && dig-verify-store -q
	)
'

test_expect_success 'a state that came from another staging area leaves alone what is staged here' '
	store elsewhere && (
		cd elsewhere && rm e && mkdir e && echo 1 >e/x && dig add -A && listed d-x d/x e/x &&
		line d-x d >../info && mkdir ../area && (
			DIG_STAGING_DIR=$TRASH/area && export DIG_STAGING_DIR &&
			dig-update-index --index-info <../info && dig commit -q -m2
		) &&
		echo 2 >e/x && dig add e && dig-ls-index --name-only >../actual &&
		printf "%s\n" d d-x e/x | test_cmp - ../actual && dig commit -q -m3 && dig check -q
	)
'

test_expect_success 'what dig-ls-index -s prints stages the same again, removals too' '
	store trip && (
		cd trip && rm d-x && echo 1 >n && mkdir hollow && touch -d @1600000000.5 d/x && dig add -A &&
		printf "1\\n" | dig add --stdin --path=stream && dig-ls-index -s >../staged && dig reset -q &&
		dig-ls-index -s >../none && test_cmp /dev/null ../none &&
		dig-update-index --index-info <../staged && dig-ls-index -s | test_cmp ../staged - &&
		dig-ls-index -s | dig-update-index --index-info && dig-ls-index -s | test_cmp ../staged - &&
		dig commit -q -m2 && dig-ls-root HEAD >../root &&
		grep "1600000000500000000${tab}d/x" ../root && ! grep d-x ../root
	)
'

test_expect_success 'a state that is listed is restored, removals and times included' '
	(
		cd trip && rm -r d e && echo 3 >d && mkdir e && echo 4 >e/f && touch n && dig add -A && dig rm stream &&
		dig commit -q -m3 && for state in @1 @2 @3
		do
			dig-ls-root $state | dig-update-index --index-info --replace && dig commit -q --allow-empty -m again &&
			dig-ls-root $state >../expect && dig-ls-root HEAD | test_cmp ../expect - || exit 1
		done &&
		dig-ls-root HEAD | dig-update-index --index-info --replace && test_expect_code 1 dig commit -q -m none 2>/dev/null &&
		dig-update-index --index-info --replace </dev/null && dig commit -q -m nothing && dig-ls-root | test_cmp /dev/null -
	)
'

test_expect_success '... with digests of whole files' '
	mkdir digests && (
		cd digests && dig-init-store . >/dev/null && dig config core.file_digest true && echo 1 >a && dig add -A && dig commit -q -m1 &&
		dig config core.file_digest false && echo 2 >a && dig add -A && dig commit -q -m2 &&
		dig-ls-root @1 | dig-update-index --index-info --replace && dig commit -q -m3 &&
		dig-ls-root @1 >../expect && grep " sha256=4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865$tab" ../expect &&
		dig-ls-root | test_cmp ../expect -
	)
'

test_expect_success 'a mode of 0 removes, and --replace goes with lists alone' '
	store zero && (
		cd zero && printf "0 0 %064d\td/x\n000000 1 %064d\tabsent\n" 0 0 >../info && dig-update-index --index-info <../info &&
		S <<-\END &&
		?? d/
		D  d/x
		END
		test_expect_code 129 dig-update-index --add --replace --stdin </dev/null
	)
'

test_done
