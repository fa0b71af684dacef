#!/bin/sh
# A large add that is killed halfway, and again: how much of the work is done twice.

. "$(dirname "$0")/perf-lib.sh"

large=$(pick 4G 1G)
bytes=$(bytes_of $large)
name=$(name_of $large)
tree=$data/random-$large

# Kills the add and its children when half of the bytes have come to the store.
kill_halfway () {
	setsid dig add -A &
	adding=$!
	while kill -0 $adding 2>/dev/null && test "$(du -sb .dig | cut -f1)" -lt $((bytes / 2))
	do
		sleep 0.02
	done
	kill -9 -$adding && { wait $adding || :; }
}

perf "add $name after a kill halfway" --needs "random $large" --tree "$tree" \
	--prepare 'dig init && kill_halfway' 'dig add -A'
peer 'add without a kill' --program sh --target '0.7 x' --prepare 'dig init' 'dig add -A'

perf_done
