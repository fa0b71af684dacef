#!/bin/sh

test_description='rules that the files of the tree keep'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'each script that is run has its run bit, and what is sourced has none' '
	cd "$TEST_DIRECTORY" &&
	for file in *.sh
	do
		case $file in
		*-lib.sh) test ! -x "$file" ;;
		*.sh) test -x "$file" ;;
		esac || echo "$file"
	done >"$TRASH/actual" &&
	test_cmp /dev/null "$TRASH/actual"
'

test_expect_success 'a script runs as t/README says' '
	(cd "$TEST_DIRECTORY" && ./t1000-hash-object.sh) >actual 2>&1 && tail -n 1 actual | grep "^1\.\."
'

test_done
