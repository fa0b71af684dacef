#!/bin/sh
# Time and memory against the size of a file: the time is to be linear, the memory flat.

. "$(dirname "$0")/perf-lib.sh"

sizes=$(pick '1G 2G 4G 8G' '64M 128M 256M 512M')
for size in $sizes
do
	perf "add and commit $(name_of $size)" --needs "random $size" --tree "$data/random-$size" \
		--bytes "$(bytes_of $size)" --prepare 'dig init' 'dig add -A && dig commit -q -m one'
done

# What a function of each size's case has to say, the largest over the smallest.
spread () {
	for size in $sizes
	do
		"$1" "add and commit $(name_of $size)" "$(bytes_of $size)" || return 1
	done | sort -g | awk 'NR == 1 { least = $1 } END { if (NR < 4) exit 1; printf "%.3g\n", $1 / least }'
}

time_per_byte () {
	minimum_of "$1" | awk -v bytes="$2" '{ print $1 / bytes }'
}

figure 'time per byte, largest over smallest' --target 'at most 1.2' --unit x 'spread time_per_byte'
figure 'memory, largest over smallest' --target 'at most 1.2' --unit x 'spread memory_of'

perf_done
