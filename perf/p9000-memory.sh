#!/bin/sh
# The memory of every dig process that this run has measured, hence the last script.

. "$(dirname "$0")/perf-lib.sh"

# The rows of this build: its label, or "dig" if it is alone.
largest_memory () {
	awk -F'\t' -v label="$label" '
		$3 == "build" && $4 == label && $10 > most { most = $10 }
		END { if (!most) exit 1; printf "%.1f\n", most * 1024 / 1e6 }' "$perf_rows"
}

large=$(pick 4G 256M 1G)
perf "add and commit $(name_of $large)" --check --needs "random $large" --tree "$data/random-$large" \
	--prepare 'dig init' 'dig add -A && dig commit -q -m one'
perf 'add and commit 100 MB' --check --needs 'random 100000000' --tree "$data/random-100000000" \
	--prepare 'dig init' 'dig add -A && dig commit -q -m one'

figure "memory, $(name_of $large) over 100 MB" --check --spec constant-memory --target 'at most 1.2' \
	--unit x 'calculate "$(memory_of "add and commit $(name_of $large)") / $(memory_of "add and commit 100 MB")"'

figure 'memory of every dig process of this run' --check --spec memory,validate-memory --unit MB \
	largest_memory

perf_done
