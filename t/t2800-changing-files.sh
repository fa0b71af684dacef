#!/bin/sh

test_description='files that change or go away while they are read'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'a store, and a large file' '
	dig-init-store w >/dev/null && seeded 20M 1 >large && echo other >w/other
'

# cut_while STATUS SETTING CALL COMMAND...: the command ends with it, names the file, and crashes in no way; each CALL
# takes its time, and the file is cut meanwhile.
cut_while () {
	status=$1 setting="performance.buffer_size=4MB
$2" call=$3 && shift 3 &&
	cp large w/large && rm -f calls &&
	{
		(
			until grep -q "large>" calls 2>/dev/null
			do
				sleep 0.05
			done
			: >w/large
		) &
	} &&
	(
		cd w && DIG_CONFIG="$setting" && export DIG_CONFIG &&
		test_expect_code $status strace -f -qq -y -o ../calls -e trace=mmap,$call -e signal=none \
			-e inject=$call:delay_exit=200000 "$@" 2>../err
	) &&
	wait &&
	grep "large" err &&
	! grep -i "bus error\|signal" err
}

test_expect_success STRACE 'cut short while it is read' '
	cut_while 3 performance.async_io=false pread64 dig-add large other &&
	grep "cut short" err
'

test_expect_success STRACE 'cut short while it is mapped' '
	cut_while 3 performance.memory_map_threshold=1MB madvise dig-add large other &&
	grep "cut short" err
'

test_expect_success STRACE 'cut short while it is hashed' '
	cut_while 128 performance.memory_map_threshold=1MB madvise dig-hash-object large other &&
	cut_while 128 performance.async_io=false pread64 dig-hash-object large other
'

test_expect_success STRACE 'the others are taken, and what failed stays known' '
	cd w &&
	dig-ls-index --name-only >../actual && echo other >../expect && test_cmp ../expect ../actual &&
	dig-status --porcelain=v1 >../actual && grep "large" ../actual &&
	cp ../large . && dig-add large && dig-write-layer -m one >layer && dig-update-root $(cat layer) &&
	dig-cat HEAD:large >../actual && cmp large ../actual
'

test_done
