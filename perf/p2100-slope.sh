#!/bin/sh
# Time and memory against the size of a file: the time is to be linear, the memory flat.

. "$(dirname "$0")/perf-lib.sh"

sizes=$(pick '1G 2G 4G 8G' '64M 128M 256M 512M')
for size in $sizes
do
	perf "add and commit $(name_of $size)" --needs "random $size" --tree "$data/random-$size" \
		--bytes "$(bytes_of $size)" --prepare 'dig init' 'dig add -A && dig commit -q -m one'
done

# What a function says of each size, the most over that of the smallest size: less is no harm,
# since what a run costs at least weighs less in a longer one.
growth () {
	for size in $sizes
	do
		"$1" "add and commit $(name_of $size)" "$(bytes_of $size)" || return 1
	done | awk '
		NR == 1 { first = $1 }
		$1 > most { most = $1 }
		END { if (NR < 4) exit 1; printf "%.3f\n", most / first }'
}

time_per_byte () {
	minimum_of "$1" | awk -v bytes="$2" '{ print $1 / bytes }'
}

figure 'time per byte, over that of the smallest' --target 'at most 1.2' --unit x 'growth time_per_byte'
figure 'memory, over that of the smallest' --target 'at most 1.2' --unit x 'growth memory_of'

perf_done
