#!/bin/sh

test_description='random operations on work tree and index, against a model and git'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}
git --version >/dev/null 2>&1 && test_set_prereq GIT

# Syncs cost nothing in memory, and nothing here is about them.
place=$(mktemp -d /dev/shm/dig-random.XXXXXX 2>/dev/null) || place=$TRASH

# compared OPERATIONS [--git] SEED...: all the seeds at once.
compared () {
	operations=$1 option= && shift &&
	case $1 in --git) option=--git && shift ;; esac &&
	pids= && for seed in "$@"
	do
		mkdir -p "$place/$option$seed/w" &&
		{ (cd "$place/$option$seed/w" && exec python3 "$TEST_DIRECTORY/helper/random-index.py" $option $seed $operations) & pids="$pids $!"; } || return 1
	done &&
	for pid in $pids
	do
		wait $pid || return 1
	done &&
	for seed in "$@"
	do
		rm -r "$place/$option$seed" || return 1
	done
}

test_expect_success 'index, status and states are those of the model' '
	compared 700 1 2
'

test_expect_success GIT '... and of git, where it has the same' '
	compared 300 --git 1 2
'

test_expect_success LONG '... for many operations' '
	for seed in 100 102 104 106 108
	do
		compared 4000 $seed $((seed + 1)) || return 1
	done
'

test_expect_success LONG,GIT '... and for many with git' '
	for seed in 100 102 104
	do
		compared 2000 --git $seed $((seed + 1)) || return 1
	done
'

test "$place" = "$TRASH" || rm -rf "$place"
test_done
