#!/bin/sh
# How the work of ingest and of reading is divided among many workers.  A look-up, or a read of a layer,
# sleeps for each byte here, and a sleep needs no core: so two cores show what 32 would do.  Storage and
# compression have no part in it.

. "$(dirname "$0")/perf-lib.sh"

ns=50 # a byte, so that a worker does 20 MB/s
each=$(pick 100 25 50) # MiB for each worker

# slow WORKERS TARGET DIRECTORY: MiB a second.
slow () {
	(cd "$3" && find . -type f | sed 's|^\./||' | head -n 4000 |
		xargs -s 1000000 "$(dirname "$(command -v dig-chunk)")/helper/slow-ingest" $1 $2 $ns $((each * $1 << 20)))
}

# curve NAME TARGET DIRECTORY NEEDS N:LEAST...: the rate of N workers over N times that of one.
curve () {
	name=$1 target=$2 directory=$3 needs=$4
	shift 4
	for point
	do
		figure "$name, ${point%:*} workers" --check --needs "$needs" --target "at least ${point#*:}" --unit x \
			"calculate \"\$(slow ${point%:*} $target $directory) / \$(slow 1 $target $directory) / ${point%:*}\""
	done
}

file=$(pick 256M 64M 128M)
curve 'chunks of 512 KiB' 524288 "$data/random-$file" "random $file" 2:0.95 4:0.95 8:0.9 16:0.85 32:0.75 64:0
curve 'chunks of 2 MiB' 2097152 "$data/random-$file" "random $file" 4:0.9 16:0.75
# What more memory is worth: max_memory_usage.
SLOW_INGEST_MEMORY=200000000
export SLOW_INGEST_MEMORY
curve 'chunks of 2 MiB in 200 MB' 2097152 "$data/random-$file" "random $file" 16:0.85 32:0.75
SLOW_INGEST_MEMORY=400000000
curve 'chunks of 2 MiB in 400 MB' 2097152 "$data/random-$file" "random $file" 32:0.8 64:0
unset SLOW_INGEST_MEMORY
curve 'small files' 0 "$data/small-20000" 'small 20000' 4:0.95 16:0.85 32:0

# slow_read WORKERS [DIRECTORY]: MiB a second, 13 MB/s for each worker; in a store.
slow_read () {
	rm -rf back
	DIG_CONFIG=performance.max_worker_threads=$1 slow-read 80 $((each * $1 << 19)) HEAD:file ${2-}
	rm -rf back
}

large=$(pick 4G 256M)
for how in cat extract
do
	test $how = cat && into= || into=back
	for point in 4:0.9 16:0.85 32:0
	do
		figure "$how $(name_of $large), ${point%:*} workers" --needs "random $large" --unit x \
			--target "at least ${point#*:}" --prepare "stored $data/random-$large" \
			"calculate \"\$(slow_read ${point%:*} $into) / \$(slow_read 1 $into) / ${point%:*}\""
	done
done

perf_done
