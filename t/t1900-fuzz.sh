#!/bin/sh

test_description='parsers of bytes that nobody has checked refuse mutated ones, and do nothing worse'

. "$(dirname "$0")/test-lib.sh"

fuzz=$DIG_BUILD/fuzz

# A short run of each; t/fuzz/run makes long ones.
for target in $("$fuzz" --list)
do
	case $target in
	layer | index) runs=300 ;;
	*) runs=2000 ;;
	esac
	test_have_prereq LONG && runs=${runs}0
	test_expect_success "$target: $runs runs" '
		TMPDIR=$TRASH "$fuzz" $target --runs=$runs --seconds=600 --seed=1 "$TEST_DIRECTORY/golden" >out 2>&1 && cat out &&
		grep -x "$target: $runs runs, [1-9][0-9]* seeds, no finding" out
	'
done

test_expect_success 'there is a target for each of them' '
	"$fuzz" --list | sort >actual &&
	printf "%s\n" changed-paths chunk-run entry fetch-reply http ignore index inner-proof journal key layer layer-hints layer-table \
		node note packs-elsewhere path policy proof \
		records remote-description remote-record response-head roots s3-listing settings tag tar time tree url urn | test_cmp - actual
'

# Runs a target that has a mistake; true when it is found.
finds () {
	rm -f finding-*
	"$fuzz" selftest "$@" >out 2>err
	test $? = 134 && cat err
}

test_expect_success 'what breaks a parser is a finding, is kept, and can be played again' '
	finds --runs=5000 --seed=1 && grep "^fuzz: a finding, kept in finding-selftest-" err && mv finding-selftest-* kept &&
	finds --replay kept && printf harmless >input && "$fuzz" selftest --replay input
'

test_expect_success 'a run depends on its seed alone' '
	finds --runs=5000 --seed=1 && cmp kept finding-selftest-* && ls finding-selftest-* >name &&
	finds --runs=5000 --seed=2 && ls finding-selftest-* >other && ! cmp -s name other
'

test_done
