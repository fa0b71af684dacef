#!/bin/sh

test_description='as many workers as are asked for, in the same memory, and the same content'

. "$(dirname "$0")/test-lib.sh"

# Files of each tier: the tiers are moved down, so that files of some MiB have chunks of up to 8 MiB.
DIG_CONFIG='chunking.small_file_threshold=512KB
chunking.medium_file_threshold=2MB
chunking.large_file_chunk_size=64KB
chunking.huge_file_threshold=5MB'

test_expect_success 'files of many kinds, with holes at odd places' '
	mkdir files && cd files && seeded 21M 1 >random && seeded --text 9M 2 >text && seeded 5M 3 >>text &&
	cat random text random >again &&
	for at in 0 1 3 4097 6000 9000 13000
	do
		truncate -s 30M holes.$at && seeded 3M $at | dd of=holes.$at bs=1K seek=$at conv=notrunc status=none &&
		seeded 1M $at | dd of=holes.$at bs=1K seek=$((at + 5555)) conv=notrunc status=none || return 1
	done &&
	truncate -s 17M zeros && for i in $(seq 300)
	do
		mkdir -p small/$((i / 50)) && seeded $((i * 37 % 5000)) $i >small/$((i / 50))/$i || return 1
	done &&
	seeded 200K 5 >middle.1 && seeded --text 900K 6 >middle.2 && : >empty && ln -s text link
'

# taken WORKERS MEMORY SETTING...: the manifest root of all files, with these settings.
taken () {
	workers=$1 memory=$2
	shift 2
	export DIG_CONFIG="$DIG_CONFIG
performance.max_worker_threads=$workers
performance.max_memory_usage=$memory
$(printf "%s\n" "$@")"
	rm -rf s && cp -al files s && (
		cd s && dig-init-store >/dev/null && dig-ls-work | dig-update-index --add --stdin --metrics=../metrics &&
		dig-commit -q -m one && dig-verify-store -q && dig-ls-root HEAD | cut -f 1 >../listed &&
		dig-cat HEAD:holes.4097 | cmp - holes.4097 && dig-cat HEAD:again | cmp - again &&
		dig-ls-root HEAD | digest
	)
}

digest () {
	sha256sum | cut -d " " -f 1
}

test_expect_success 'one worker' '
	taken 1 80MB >expect && test -s listed
'

for workers in 2 7 16 64
do
	test_expect_success "$workers workers" '
		taken $workers 80MB >actual && test_cmp expect actual && grep -x "workers $workers" metrics
	'
done

test_expect_success 'with the least memory that may be set' '
	for workers in 1 2 64
	do
		taken $workers 16MB >actual && test_cmp expect actual && grep -x "workers $workers" metrics || return 1
	done
'

test_expect_success 'read in other ways, and not compressed' '
	taken 16 80MB performance.async_io=false >actual && test_cmp expect actual &&
	taken 16 16MB performance.memory_map_threshold=64KB >actual && test_cmp expect actual &&
	taken 16 16MB performance.batch_size=7 performance.buffer_size=4KB core.compression=none >actual && test_cmp expect actual
'

test_expect_success 'a stream, with and without much memory' '
	cat files/again files/holes.3 files/text >stream && cd files && dig-init-store >/dev/null &&
	dig-hash-object ../stream >../expect.stream &&
	for workers in 1 3 64
	do
		for memory in 16MB 80MB
		do
			cat ../stream | dig -c performance.max_worker_threads=$workers -c performance.max_memory_usage=$memory \
				hash-object --stdin >../actual && test_cmp ../expect.stream ../actual || return 1
		done
	done
'

test_done
