#!/bin/sh
# What lasts more than 5 seconds has to say how far it is.

. "$(dirname "$0")/perf-lib.sh"

# A file of 7 seconds, out of a pipe.
slow_pipe () {
	for part in 1 2 3 4 5 6 7
	do
		seeded 4M $part
		sleep 1
	done
}

# The longest time between two lines, the start and the end counted as lines.
longest_silence () {
	{
		date +%s.%N
		while read -r line
		do
			case $line in
			'{'*'}') date +%s.%N ;;
			*) echo "not JSON: $line" >&2 ;;
			esac
		done
		date +%s.%N
	} | awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { printf "%.2f\n", most }'
}

figure 'longest silence of --progress=json in 7 s' --check --spec progress --target 'at most 1.1' \
	--unit s --prepare 'dig init' '
	slow_pipe | { dig add --progress=json --stdin --path=pipe 2>&1 >/dev/null || echo failed >failed; } |
		longest_silence && test ! -e failed'

perf_done
