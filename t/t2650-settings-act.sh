#!/bin/sh

test_description='each setting of the specification, set to another value, has its effect'

. "$(dirname "$0")/test-lib.sh"

# with SETTING... -- COMMAND...
with () {
	DIG_CONFIG=
	while test "$1" != --
	do
		DIG_CONFIG="$DIG_CONFIG$1
"
		shift
	done
	shift
	(export DIG_CONFIG && "$@")
}

# cuts SETTING...: how many chunks the file "large" has.
cuts () {
	with "$@" -- dig-chunk large >chunks && wc -l <chunks
}

# metric NAME FILE
metric () {
	sed -n "s/^$1 //p" "$2"
}

# calls NAME SETTING... -- COMMAND...: the system calls of that name, one a line in "calls".
calls () {
	traced=$1 && shift &&
	with_settings= &&
	while test "$1" != --
	do
		with_settings="$with_settings$1
" && shift
	done &&
	shift &&
	with "$with_settings" -- strace -f -qq -y -o ../calls -e trace=$traced -e signal=none "$@" >/dev/null
}

# staged SETTING...: the blocks of a pack with the files of "small", and then nothing is staged.
staged_blocks () {
	with "$@" -- dig-add small >/dev/null && dig-write-layer -m blocks >layer &&
	dig-show-layer "$(cat layer)" >shown && sed -n 's/^blocks //p' shown &&
	rm -rf .dig && dig-init-store >/dev/null
}

test_expect_success 'files to work on' '
	seeded 6M 1 >large && seeded --text 3000 2 >text &&
	mkdir w w/small && cd w && dig-init-store >/dev/null &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12
	do
		seeded 3000 $i >small/$i || return 1
	done
'

# Where the first 1 MB has chunks of 256 KB and the rest of 1 MB, there are about ten.
test_expect_success 'chunking.*: one size for all, and the size of each tier' '
	usual=$(cuts) &&
	test $(cuts chunking.target=64KB) -gt $((usual * 4)) &&
	test $(cuts chunking.small_file_chunk_size=16KB) -gt $((usual + 20)) &&
	test $(cuts chunking.small_file_threshold=6MB) -gt $((usual + 5)) &&
	test $(cuts chunking.medium_file_chunk_size=64KB) -gt $((usual + 30)) &&
	test $(cuts chunking.medium_file_threshold=2MB chunking.large_file_chunk_size=64KB) -gt $((usual + 20)) &&
	test $(cuts chunking.medium_file_threshold=2MB chunking.huge_file_threshold=3MB \
		chunking.huge_file_chunk_size=32KB) -gt $((usual + 40))
'

test_expect_success 'performance.max_worker_threads: so many workers' '
	cd w && cp ../large . &&
	for i in 1 2
	do
		with performance.max_worker_threads=$i -- dig-add --metrics=../metrics large &&
		test $(metric workers ../metrics) = $i && dig-reset || return 1
	done
'

test_expect_success 'performance.max_memory_usage: less memory' '
	cd w && seeded 24M 4 >larger &&
	dig-add --metrics=../metrics larger && dig-reset &&
	with performance.max_memory_usage=16MB -- dig-add --metrics=../less larger && dig-reset && rm larger &&
	test $(metric memory_peak ../less) -lt $(metric memory_peak ../metrics)
'

# Twelve files in blocks of their own, or together.
test_expect_success 'performance.batch_size, checkpoint_interval: how many files are taken at once' '
	cd w &&
	usual=$(staged_blocks performance.batch_size=100) &&
	test $(staged_blocks performance.batch_size=1) = $((usual + 11)) &&
	test $(staged_blocks performance.checkpoint_interval=1) = $((usual + 11))
'

# A file of several chunks comes first, and its chunk list waits for others to be stored with.
test_expect_success 'performance.checkpoint_interval: a killed add has recorded all but so many small files' '
	mkdir k && cd k && dig-init-store >/dev/null && seeded 1M 1 >a && mkdir b && seeded 1000K 2 | split -b 1K -a 3 -d - b/ &&
	dig-ls-work >../records && mkfifo ../feed &&
	{ DIG_CONFIG=performance.checkpoint_interval=100 dig-update-index --add --stdin <../feed & } && pid=$! &&
	exec 5>../feed && head -z -n -1 ../records >&5 && rounds=0 &&
	until test $(wc -c <.dig/staging/journal) -gt 100000
	do
		sleep 0.1
		rounds=$((rounds + 1)) && test $rounds -lt 200 || { kill -9 $pid; return 1; }
	done &&
	kill -9 $pid && { wait $pid || :; } && exec 5>&- &&
	dig-update-index --add --stdin --metrics=../metrics <../records && test $(metric files_processed ../metrics) -lt 500 &&
	dig-verify-store -q && test $(dig-ls-index | wc -l) = 1001
'

test_expect_success 'performance.compression_threshold: what is shorter stays as it is' '
	cd w && cp ../text . &&
	for size in 4KB 1KB
	do
		with performance.compression_threshold=$size -- dig-add text &&
		dig-write-layer -m $size >layer && wc -c <.dig/layers/$(cat layer).dig >../layer-$size &&
		rm -rf .dig && dig-init-store >/dev/null || return 1
	done &&
	test $(cat ../layer-1KB) -lt $(($(cat ../layer-4KB) - 500))
'

test_expect_success STRACE 'performance.buffer_size: so much is read at once' '
	cd w &&
	calls pread64 performance.async_io=false performance.buffer_size=64KB -- dig-hash-object ../large &&
	grep -E "large>,.*, 65536, [0-9]+\) = 65536" ../calls &&
	! grep -E "large>,.* = [0-9]{6}" ../calls
'

test_expect_success STRACE 'performance.async_io: many files at once' '
	cd w &&
	printf "small/1\nsmall/2\n" >../two && ring="dig-update-index --add --stdin-paths" &&
	calls io_uring_setup -- $ring <../two && dig-reset -q && cp ../calls ../with-ring &&
	calls io_uring_setup performance.async_io=false -- $ring <../two && dig-reset -q &&
	grep io_uring_setup ../with-ring &&
	! grep io_uring_setup ../calls
'

test_expect_success 'performance.async_io: the same content either way' '
	cd w &&
	dig-hash-object small/* ../large >../expect &&
	with performance.async_io=false -- dig-hash-object small/* ../large >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success STRACE 'performance.memory_map_threshold: larger files are mapped' '
	cd w &&
	calls mmap performance.memory_map_threshold=6MB -- dig-hash-object ../large &&
	grep large ../calls &&
	calls mmap performance.memory_map_threshold=7MB -- dig-hash-object ../large &&
	! grep large ../calls &&
	dig-hash-object ../large >../expect &&
	with performance.memory_map_threshold=1MB -- dig-hash-object ../large >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success STRACE 'performance.checkpoint_bytes: what is on storage when' '
	cd w &&
	calls fdatasync -- dig-add large && grep -c fdatasync ../calls >../usual &&
	rm -rf .dig && dig-init-store >/dev/null &&
	calls fdatasync performance.checkpoint_bytes=1MB -- dig-add large &&
	test $(grep -c fdatasync ../calls) -gt $(cat ../usual)
'

test_expect_success 'performance.chunk_cache_size: what was decoded is there' '
	cd w && dig-add small && dig-write-layer -m small >layer && dig-update-root $(cat layer) &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12
	do
		echo HEAD:small/$i || return 1
	done >../names &&
	dig-cat --batch --metrics=../metrics <../names >../expect &&
	with performance.chunk_cache_size=0 -- dig-cat --batch --metrics=../without <../names >../actual &&
	test_cmp ../expect ../actual &&
	test $(metric cache_hits ../metrics) -gt 5 &&
	test $(metric cache_hits ../without) = 0
'

test_expect_success STRACE 'performance.file_cache_size: nodes are read once' '
	cd w &&
	calls pread64 -- dig-cat --batch <../names && grep -c layers ../calls >../usual &&
	calls pread64 performance.file_cache_size=0 -- dig-cat --batch <../names &&
	test $(grep -c layers ../calls) -gt $(($(cat ../usual) + 10))
'

test_expect_success 'core.compression, compression_level: how much is stored' '
	cd w && seeded --text 300K 3 >more &&
	for setting in compression=none compression=zlib compression_level=1 compression_level=19
	do
		with core.$setting -- dig-add more && wc -c <.dig/staging/pack >../$setting && dig-reset more || return 1
	done &&
	test $(cat ../compression=none) -gt 300000 &&
	test $(cat ../compression=zlib) -lt $(cat ../compression=none) &&
	test $(cat ../compression_level=19) -lt $(cat ../compression_level=1)
'

# With one file there is nothing that waits for the storage, so that auto tries less hard.
test_expect_success 'core.compression=auto: stored in another way, and the same content' '
	cd w && rm -rf .dig && seq 1 100000 | sed "s/$/, and some words that are always the same/" >lines &&
	for compression in auto zstd
	do
		dig-init-store >/dev/null && with core.compression=$compression -- dig-add lines &&
		wc -c <.dig/staging/pack >../pack.$compression && commit_staged $compression &&
		dig-ls-root HEAD >../state.$compression &&
		dig-cat HEAD:lines | cmp - lines && rm -rf .dig || return 1
	done &&
	! cmp ../pack.auto ../pack.zstd && grep lines ../state.auto && test_cmp ../state.auto ../state.zstd &&
	test $(cat ../pack.auto) -lt $(($(cat ../pack.zstd) * 106 / 100))
'

test_done
