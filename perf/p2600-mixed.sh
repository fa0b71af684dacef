#!/bin/sh
# The specification's mixed case: 10,000 small files and 5 of 100 MB.

. "$(dirname "$0")/perf-lib.sh"

count=$(pick 10000 1000)
size=$(pick 100000000 10000000)
tree=$data/mixed-$count

mix () {
	cp -r "$data/small-$count" small &&
		for number in 1 2 3 4 5
		do
			seeded $size $((number + 10)) >large.$number || return 1
		done
}

name="$count small and 5 of $(name_of $size)"
needs="small $count && once $tree mix"
bytes="\$(du -sb $tree | cut -f1)"

perf "$name: add and commit" --needs "$needs" --tree "$tree" --bytes "$bytes" --prepare 'dig init' \
	'dig add -A && dig commit -q -m one'
storing_peers "$tree" 'git' 'zstd' 'restic' 'borg' 'casync' 'cp'

perf "$name: status" --needs "$needs" --tree "$tree" --prepare "stored $tree" 'dig status'

perf "$name: extract, sync" --needs "$needs" --bytes "$bytes" --prepare "stored $tree" \
	'dig extract back && sync -f .'
restoring_peers "$tree" 'cp' 'git' 'restic' 'borg' 'casync'

perf "$name: check" --needs "$needs" --bytes "$bytes" --prepare "stored $tree" 'dig check'

perf_done
