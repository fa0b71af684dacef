#!/bin/sh

test_description='where content is cut, and the ids of its chunks, do not depend on how they are found'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/ways-lib.sh"

# The tiers are moved down: chunks of 17 MiB are of 64 KiB first and of up to 8 MiB behind 5 MB.
DIG_CONFIG='chunking.small_file_threshold=512KB
chunking.medium_file_threshold=2MB
chunking.large_file_chunk_size=64KB
chunking.huge_file_threshold=5MB'
export DIG_CONFIG
workers='1 2 7 16 64' buffers='4096 5000 64KB 1MB 16MB'

test_expect_success 'content of many kinds, which is longer than some buffers and shorter than others' '
	make_ways && seeded 7M 1 >random && seeded --text 3M 2 >text &&
	{ cat text random && head -c 3M /dev/zero && cat random && echo end; } >content &&
	dig-chunk content >expect && test $(wc -l <expect) -gt 30 && dig-hash-object content >expect.root
'

# A copy that nobody reads through the page cache, and that is not in it.
cp content uncached && sync uncached && dd if=uncached iflag=nocache count=0 2>/dev/null

# Whether it is read past the cache: not on each file system, and not by each kernel.  A file for each
# thread, since a call that another one interrupts is told in two parts.
is_read_past_cache () {
	rm -f calls.* && strace -ff -o calls -e trace=openat,pread64 dig-chunk uncached >actual &&
	descriptor=$(cat calls.* | sed -n 's/.*O_DIRECT|O_CLOEXEC) = //p') && test -n "$descriptor" &&
	grep -q "^pread64($descriptor, \".* = [1-9]" calls.*
}

ways='file stream mapped'
! test_have_prereq STRACE || ! is_read_past_cache || {
	test_set_prereq PAST_CACHE
	ways="$ways direct"
}

# same GEAR SHA256 WORKERS BUFFER WAY: the chunks are those that are expected.
same () {
	settings="$DIG_CONFIG
performance.max_worker_threads=$3
performance.buffer_size=$4"
	case $5 in
	file) set -- "$@" content ;;
	direct) set -- "$@" uncached ;;
	mapped)
		set -- "$@" content
		settings="$settings
performance.memory_map_threshold=64KB"
		;;
	stream) set -- "$@" --stdin ;;
	esac
	echo "$1 $2 $3 $4 $5" >>runs
	cat content | DIG_GEAR_KERNEL=$1 DIG_SHA256_KERNEL=$2 DIG_CONFIG=$settings dig-chunk "$6" >actual &&
	cmp expect actual || { echo "with $*"; return 1; }
}

# pick NUMBER WORD...: the word of that number, from 0 on and round and round.
pick () {
	number=$(($1 % ($# - 1) + 1))
	shift $number
	echo $1
}

kernels () {
	sed -n "s/^DIG_$1_KERNEL=//p" ways
}

test_expect_success 'the content as it is read past the cache, or from a pipe' '
	dig-chunk uncached >actual && test_cmp expect actual &&
	cat content | dig-chunk --stdin >actual && test_cmp expect actual
'

# Each size with each number of workers, each way with each of both, and each pair of kernels.
test_expect_success 'some of each, by turns' '
	: >runs && turn=0 && for gear in $(kernels GEAR)
	do
		for sha256 in $(kernels SHA256)
		do
			pairs="$pairs $gear/$sha256"
		done
	done &&
	for i in 0 1 2 3 4
	do
		for j in 0 1 2 3 4
		do
			pair=$(pick $turn $pairs) && turn=$((turn + 1)) &&
			same ${pair%/*} ${pair#*/} $(pick $i $workers) $(pick $j $buffers) $(pick $((i + j)) $ways) || return 1
		done
	done && sort -u runs >different && test $(wc -l <different) = 25
'

test_expect_success PAST_CACHE 'what is not in the page cache is read past it, and does not come into it' '
	is_read_past_cache && test_cmp expect actual && is_read_past_cache
'

test_expect_success LONG 'each kernel, number of workers, size of a buffer and way' '
	: >runs && for gear in $(kernels GEAR)
	do
		for sha256 in $(kernels SHA256)
		do
			for worker_count in $workers
			do
				for buffer in $buffers
				do
					for way in $ways
					do
						same $gear $sha256 $worker_count $buffer $way || return 1
					done
				done
			done
		done
	done &&
	set -- $(kernels GEAR) && count=$# && set -- $(kernels SHA256) && count=$((count * $#)) && set -- $ways &&
	sort -u runs >different && test $(wc -l <different) = $((count * 25 * $#))
'

test_done
