#!/bin/sh

test_description='dig-update-index killed at every system call'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

test_have_prereq STRACE || {
	skip_all='strace is needed'
	test_done
}

check_fault () {
	test $1 = 137 || { echo "status $1 at $2"; false; }
}

test_expect_success 'an undisturbed run' '
	make_crash_tree && record_expectations && cp records input
'

test_expect_success 'an add that is killed at any system call leaves a store that goes on' '
	everywhere first.dig signal=KILL dig-update-index --add -A --stdin
'

test_expect_success 'an add of paths that is killed goes on, too' '
	(cd w && find . -name .dig -prune -o -type f -print) >input &&
	everywhere first.dig signal=KILL dig-update-index --add --stdin-paths
'

test_done
