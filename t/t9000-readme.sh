#!/bin/sh

test_description='the tours of README.md and dig-tutorial(7), run as they are printed'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/session-lib.sh"

source_directory=$TEST_DIRECTORY/..
sed -n '/^```console$/,/^```$/{ /^```/d; p; }' "$source_directory/README.md" >readme
literal_blocks <"$source_directory/Documentation/dig-tutorial.7" >tutorial

for session in readme tutorial
do
	mkdir $session.work
	run_session $session $session $session.work
	test_expect_success "the $session has a session to run" '
		test $number -ge 10
	'
done

test_done
