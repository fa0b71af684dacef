#!/bin/sh
# add from a file system whose reads take 5 ms each (slow-reads.cpp), as those of a network do.  The store
# is in memory where there is /dev/shm, so that only reading is slow.
#
# With io_uring, direct I/O and what is asked for ahead, a worker has many reads under way, and two workers
# hide nearly all of the latency: the time over that without a wait shows it.  Where io_uring is refused,
# as it is in many containers, a worker reads small files one by one, and more workers hide it.

. "$(dirname "$0")/perf-lib.sh"

skipped () {
	echo "$perf_script: skipped: $1" >&2
	perf_done
	exit 0
}

slow=$state/slow
test -w /dev/fuse && command -v fusermount3 >/dev/null || skipped 'there is no FUSE for this user'
pkg-config --exists fuse3 2>/dev/null || skipped 'the development files of libfuse 3 are not installed'
# shellcheck disable=SC2046
${CXX:-g++} -std=c++20 -O2 -o "$slow-reads" "$PERF_HOME/slow-reads.cpp" $(pkg-config --cflags --libs fuse3) ||
	skipped 'slow-reads.cpp does not compile'

# seconds MS WORKERS HAS_ASYNC_IO DIRECTORY: of an add with an empty page cache.
seconds () {
	(
		store=$(mktemp -d /dev/shm/dig-perf.XXXXXX 2>/dev/null) || store=$PWD/store
		trap 'cd /; fusermount3 -q -u "$slow"; rm -rf "$store"' EXIT
		trap 'exit 130' HUP INT TERM
		mkdir -p "$slow" "$store" && "$slow-reads" $1 "$4" "$slow" && cd "$store" &&
		DIG_DIR=$store/.dig DIG_WORK_TREE=$slow && export DIG_DIR DIG_WORK_TREE &&
		dig init >&2 && dig -c performance.max_worker_threads=$2 -c performance.async_io=$3 \
			add -q -A --metrics=metrics && sed -n 's/^processing_time //p' metrics
	)
}

# least N COMMAND...: the least of the numbers that N runs print.
least () {
	runs=$1
	shift
	for run in $(seq $runs)
	do
		"$@" || exit 1
	done | sort -g | sed q
}

# views NAME DIRECTORY UNIT COUNT NEEDS
views () {
	for workers in $(pick '2 32' 2)
	do
		figure "$1, $workers workers: 5 ms a read over none" --needs "$5" --target 'at most 2' --unit x \
			"calculate \"\$(least 3 seconds 5 $workers true $2) / \$(least 3 seconds 0 $workers true $2)\""
	done
	for workers in $(pick '2 4 8 16 32 64' '4 32')
	do
		figure "$1, one by one, $workers workers" --needs "$5" --unit "$3" \
			"calculate \"$4 / \$(seconds 5 $workers false $2)\""
	done
}

size=$(pick 1G 256M) files=$(pick 20000 5000)
views "$(name_of "$size")" "$data/random-$size" MB/s "$(($(bytes_of "$size") >> 20))" "random $size"
views "$files files" "$data/small-$files" files/s "$files" "small $files"
figure "$files files, one by one: 32 workers over 2" --needs "small $files" --target 'at least 8' --unit x \
	"calculate \"\$(seconds 5 2 false $data/small-$files) / \$(seconds 5 32 false $data/small-$files)\""

perf_done
