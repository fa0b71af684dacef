#!/bin/sh

test_description='a new tool by the steps of Documentation/Contributing: the next step is asked for'

. "$(dirname "$0")/test-lib.sh"

if ! command -v mandoc >/dev/null
then
	skip_all='there is no mandoc'
	test_done
fi

# A copy of the sources, where dig-count is new: it has its source, and nothing else.
source_directory=$TEST_DIRECTORY/..
mkdir tree && for directory in Documentation completion libdig plumbing porcelain t
do
	cp -R "$source_directory/$directory" tree || exit 1
done
documentation=tree/Documentation
mv $documentation/dig-count.1 page && cp $documentation/dig.1 list && cp tree/t/t0005-conventions.sh conventions &&
	rm tree/t/t3250-count.sh && sed -i "/dig.count/d" tree/t/t7*.sh &&
	sed '/^\.It Xr dig-count 1/{N;d;}' list >$documentation/dig.1 &&
	sed '/^	dig-count)/d' conventions >tree/t/t0005-conventions.sh || exit 1

# run NAME [-i]: a script of the copy; it leaves its directory in ours.
run () {
	TEST_TMPDIR=$TRASH sh tree/t/$1 $2 >said 2>&1
}

test_expect_success 'where a tool has only its source, t0002 asks for page and test' '
	test_must_fail run t0002-pages.sh && cat said &&
	grep "dig-count has no page: write Documentation/dig-count.1" said &&
	grep "dig-count has no test: write t/tNNNN-count.sh" said
'

test_expect_success 'and t0005 for a sample' '
	test_must_fail run t0005-conventions.sh -i && cat said &&
	grep "dig-count has no sample: add a line to sample() in t/t0005-conventions.sh" said
'

test_expect_success 'with these it has to be listed in dig(1); a SYNOPSIS that is not its usage is shown' '
	sed "s/^\.Op Fl z/.Op Fl y/" page >$documentation/dig-count.1 && cp "$TEST_DIRECTORY/t3250-count.sh" tree/t &&
	test_must_fail run t0002-pages.sh && cat said &&
	grep "Documentation/dig.1 has to list, .*: dig-count(1) count entries" said &&
	grep "the usage of dig-count .* is not the SYNOPSIS of Documentation/dig-count.1" said &&
	! grep "has no page" said && ! grep "has no test" said
'

test_expect_success 'and with all of them the tests pass' '
	cp page $documentation/dig-count.1 && cp list $documentation/dig.1 && cp conventions tree/t/t0005-conventions.sh &&
	run t0002-pages.sh && grep "^ok" said
'

# The steps are told where the tests send people.
test_expect_success 'Contributing names the five things' '
	for thing in plumbing/NAME.cpp Documentation/dig-NAME.1 Documentation/dig.1 "sample()" t/tNNNN-NAME.sh
	do
		grep -F "$thing" "$source_directory/Documentation/Contributing" || return 1
	done
'

test_done
