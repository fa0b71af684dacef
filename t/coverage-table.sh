#!/bin/sh
# coverage-table.sh TREE: which part of the lines of each module has run, as the counters of a tree
# that was built with COVERAGE=yes say.  Run from the top of the source; "make coverage" does.
#
# It takes gcov's plain text, which GCC's gcov and llvm-cov agree on.  Code in a header is counted
# once, whatever number of objects have it; a line has run when it has in any of them.  What a
# process has run that SIGKILL or a crash ended is never seen.

tree=${1:?usage: coverage-table.sh TREE}
source=$(pwd -P)
tree=$(cd "$tree" && pwd -P) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT TERM

# The counters lie beside the objects, or below counts/X, under the name that they would have had.
# An object that was never used has none.
find "$tree" -name '*.gcda' | sort >"$scratch/counters"
find "$tree" -name '*.gcno' | sort >"$scratch/notes"
sed "s|.*$tree/||; s|\.gcda\$||" "$scratch/counters" | sort -u >"$scratch/used"
sed "s|.*$tree/||; s|\.gcno\$||" "$scratch/notes" | grep -vxF -f "$scratch/used" >>"$scratch/counters"

cd "$scratch" || exit 1
while read -r counters
do
	name=${counters##*"$tree"/}
	name=${name%.gcda}
	# A directory for each, since two sources may have one name.  gcov reads the sources.
	mkdir object && cd object && ln -s "$source/libdig" "$source/plumbing" "$source/porcelain" \
		"$tree/$name.gcno" . || exit 1
	test "$name" = "$counters" || ln -s "$counters" . || exit 1
	${GCOV:-gcov} -r -s "$source" -o . "${name##*/}.o" >/dev/null 2>&1
	cat ./*.gcov 2>/dev/null
	cd .. && rm -rf object
done <counters |
awk '
{
	count = $0
	sub(/:.*/, "", count)
	gsub(/[ *]/, "", count)
	rest = substr($0, index($0, ":") + 1)
	line = rest + 0
	text = substr(rest, index(rest, ":") + 1)
}
line == 0 && text ~ /^Source:/ { file = substr(text, 8); sub(/^\.\//, "", file); next }
file !~ /^(libdig|plumbing|porcelain)\// || count == "-" || count !~ /^([0-9]+|#####|=====)/ { next }
{ lines[file ":" line] += count + 0 }
END {
	for (at in lines) {
		module = at
		sub(/\.[a-z]+:[0-9]+$/, "", module)
		all[module]++
		run[module] += lines[at] > 0
	}
	for (module in all) {
		printf "%6.1f %% %6d %6d   %s\n", 100 * run[module] / all[module], run[module], all[module], module
		sum += all[module]
		sum_run += run[module]
	}
	if (sum > 0)
		printf "%6.1f %% %6d %6d   %s\n", 100 * sum_run / sum, sum_run, sum, "~all"
}' | LC_ALL=C sort -k5 | sed 's/~all/all of it/; 1i\
   run    lines     of   module'
