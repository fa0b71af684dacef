#!/bin/sh

test_description='every case of the unit tests'

. "$(dirname "$0")/test-lib.sh"

if ! test -x "$DIG_BUILD/unit"
then
	skip_all='the unit tests are not built; run "make tests"'
	test_done
fi

# A line of result and suite/case for each case.
report_as_lines='
BEGIN { RS = "<"; FS = "\"" }
/^TestSuite / { path[++depth] = $2 }
/^\/TestSuite/ { depth-- }
/^TestCase / {
	name = ""
	for (i = 2; i <= depth; i++)
		name = name path[i] "/"
	print $4, name $2
}'

# One process for all cases; each is reported below as a test of its own.  201 is Boost.Test's
# status when cases fail.
test_expect_success 'the unit tests run to their end' '
	status=0 &&
	{ "$DIG_BUILD/unit" --report_format=XML --report_level=detailed --report_sink=report \
		--log_sink=failures || status=$?; } &&
	awk "$report_as_lines" report >cases &&
	cat failures &&
	{ test $status = 0 || test $status = 201; }
'
test -e cases || test_done

while read -r result name
do
	test_expect_success "$name" '
		{ test $result = passed || { grep -F "\"$name\"" failures; false; }; }
	'
done <cases

test_done
