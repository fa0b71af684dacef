#!/bin/sh

test_description='a commit killed at every system call'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

test_have_prereq STRACE || {
	skip_all='strace is needed'
	test_done
}

check_fault () {
	test $1 = 137 || { echo "status $1 at $2"; false; }
}

# crashed NAME FROM CALL N COMMAND...: NAME.dig is what the command leaves of FROM when it is
# killed at that call.
crashed () {
	crashed_name=$1 call=$3 number=$4
	restore $2 &&
	shift 4 &&
	test_expect_code 137 at_call $call $number signal=KILL "$@" <input &&
	cp -a w/.dig $crashed_name.dig
}

test_expect_success 'an undisturbed run' '
	make_crash_tree && record_expectations && cp records input
'

test_expect_success 'a killed dig-write-layer leaves a store that goes on' '
	everywhere staged.dig signal=KILL dig-write-layer -m two
'

test_expect_success 'a killed dig-update-root leaves a store that goes on' '
	everywhere sealed.dig signal=KILL dig-update-root $(cat layer)
'

test_expect_success 'a killed dig-commit leaves a store that goes on' '
	everywhere staged.dig signal=KILL dig-commit -q -m two
'

# The states in which a recovery has most to do.
test_expect_success 'a recovery that is killed leaves a store that goes on' '
	crash_most=$((crash_most / 2)) &&
	crashed begun first.dig fdatasync 1 dig-update-index --add -A --stdin &&
	crashed noted staged.dig rename 1 dig-write-layer -m two &&
	crashed rooted sealed.dig rename 2 dig-update-root $(cat layer) &&
	crashed cleared sealed.dig unlink 1 dig-update-root $(cat layer) &&
	for state in begun noted sealed rooted cleared
	do
		everywhere $state.dig signal=KILL dig-update-index --add -A --stdin || return 1
	done
'

test_done
