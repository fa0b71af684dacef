#!/bin/sh
# What a path was, and what differs between states: the answer has to come at once.

. "$(dirname "$0")/perf-lib.sh"

count=$(pick 78000 20000)
commits=$(pick 1000 200)
files=$data/small-$count
path=000/00/07.txt

# For --prepare: a store in $work with the tree, a revision in which each 50th file has the content of the
# one before it, and states that change some files each, one of them $path in each tenth.
revised () {
	perf_store=$state/store-$tree-revised-$count-$1
	once "$perf_store" perf_write_revised "$1" && echo "store: $perf_store/.dig" >.dig
}

perf_write_revised () {
	perf_write_store "$files" && dig ls-root HEAD >entries &&
		awk -F'\t' 'NR % 50 == 0 { print before "\t" $2 } { before = $1 }' entries | dig update-index --index-info &&
		dig commit -q -m revision || return
	perf_state=1
	while test $perf_state -le $1
	do
		awk -F'\t' -v n=$perf_state -v path=$path '
			$2 == path && n % 10 == 0 { print (n % 20 ? before : $1) "\t" $2 }
			NR > 1 && $2 != path && NR % 15601 == n * 7919 % 15601 { print before "\t" $2 }
			{ before = $1 }' entries |
			dig update-index --index-info && dig commit -q --allow-empty -m "$perf_state" || return
		perf_state=$((perf_state + 1))
	done
}

perf "$count files: diff of two revisions" --needs "small $count" --target '50 ms' --prepare 'revised 0' \
	'dig-diff @1 @2'
perf "$count files: diff --stat of two revisions" --needs "small $count" --prepare 'revised 0' 'dig-diff --stat @1 @2'
perf "$commits commits: log" --needs "small $count" --prepare "revised $commits" 'dig-log --oneline'
perf "$commits commits: log of a file" --needs "small $count" --target '100 ms' --prepare "revised $commits" \
	"dig-log --oneline $path"
perf "$commits commits: log of a directory" --needs "small $count" --prepare "revised $commits" \
	'dig-log --oneline 000/00'
perf "$count files: find" --needs "small $count" --files $count --prepare 'revised 0' \
	"dig-find '*7.txt' >/dev/null"

perf_done
