#!/bin/sh

test_description='dig-chunk cuts content where it says so itself'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/ways-lib.sh"

reference=$TEST_DIRECTORY/reference/dig_reference.py
# Published: sha256 of "hello" and a newline.
hello='0 6 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'

test_expect_success 'content that is longer than the largest segments, and shorter' '
	make_ways &&
	seeded 10M 1 >random && seeded --text 1M 2 >text && echo hello >hello && : >empty &&
	{ seeded 300K 3 && head -c 400K /dev/zero && seeded --text 300K 4; } >mixed
'

test_expect_success 'a file that is no longer than the minimum is one chunk' '
	echo $hello >expect &&
	dig-chunk hello >actual && test_cmp expect actual &&
	seeded 128K 5 >minimum &&
	dig-chunk minimum >actual && test $(wc -l <actual) = 1
'

test_expect_success 'content without a byte has no chunk' '
	dig-chunk empty >actual && test_cmp /dev/null actual &&
	dig-chunk --stdin </dev/null >actual && test_cmp /dev/null actual
'

test_expect_success 'each file begins with offset 0, in the order of the command line' '
	{ dig-chunk mixed && echo $hello && dig-chunk random && echo $hello; } >expect &&
	dig-chunk mixed hello empty random hello >actual &&
	test_cmp expect actual
'

test_expect_success 'chunks follow each other to the end, and each digest is that of its bytes' '
	dig-chunk --target=256KB random >chunks &&
	awk "\$1 != end { bad = 1 } { end += \$2 } END { exit bad || end != 10 * 1024 * 1024 }" chunks &&
	while read -r offset size digest
	do
		tail -c +$((offset + 1)) random | head -c $size | sha256sum || return 1
	done <chunks | sed "s/ .*//" >expect &&
	cut -d " " -f 3 chunks >actual && test_cmp expect actual
'

test_expect_success 'sizes lie between half and four times the target, and near it in the mean' '
	dig-chunk --target=16KB random >chunks &&
	sed "\$d" chunks | awk "\$2 < 8192 || \$2 > 65536 { bad = 1 } END { exit bad || NR < 560 || NR > 720 }"
'

test_expect_success 'runs of zeros cut at the maximum' '
	truncate -s 1M zeros &&
	dig-chunk --target=64KB zeros >actual &&
	zeros=$(head -c 256K /dev/zero | sha256sum | cut -c 1-64) &&
	for i in 0 1 2 3
	do
		echo $((i * 262144)) 262144 $zeros || return 1
	done >expect &&
	test_cmp expect actual
'

test_expect_success PYTHON 'the reference cuts there, too' '
	for target in 4KB 64KB 2MB
	do
		dig-chunk --target=$target text >actual &&
		python3 "$reference" chunk --target $target text >expect &&
		test_cmp expect actual || return 1
	done &&
	dig-chunk mixed >actual &&
	python3 "$reference" chunk mixed >expect &&
	test_cmp expect actual
'

test_expect_success PYTHON 'by offset, each tier has its target, as in the reference' '
	cat >tiers <<-\EOF &&
	chunking.small_file_chunk_size=4KB
	chunking.small_file_threshold=100KB
	chunking.medium_file_chunk_size=32KB
	chunking.medium_file_threshold=300KB
	chunking.large_file_chunk_size=8KB
	chunking.huge_file_threshold=700KB
	chunking.huge_file_chunk_size=16KB
	EOF
	python3 "$reference" chunk mixed --small-chunk 4K --small-threshold 100K --medium-chunk 32K \
		--medium-threshold 300K --large-chunk 8K --huge-threshold 700K --huge-chunk 16K >expect &&
	DIG_CONFIG=$(cat tiers) dig-chunk mixed >actual &&
	test_cmp expect actual &&
	(DIG_CONFIG=$(cat tiers) && export DIG_CONFIG && each_way dig-chunk mixed)
'

test_expect_success 'each kernel, number of threads and way of reading gives the same cuts' '
	dig-chunk random mixed text hello >expect && each_way dig-chunk random mixed text hello &&
	dig-chunk --target=4KB random >expect && each_way dig-chunk --target=4KB random
'

test_expect_success 'a kernel that is not there is an error' '
	test_expect_code 128 env DIG_GEAR_KERNEL=mmx dig-chunk text 2>err &&
	grep "DIG_GEAR_KERNEL is .mmx.: no such kernel" err &&
	test_expect_code 128 env DIG_SHA256_KERNEL=mmx dig-chunk hello
'

test_expect_success 'a file, standard input and pipes are cut alike' '
	dig-chunk random >expect &&
	dig-chunk --stdin <random >actual && test_cmp expect actual &&
	mkfifo pipe && { cat random >pipe & } &&
	dig-chunk pipe >actual && wait && test_cmp expect actual
'

test_expect_success PYTHON 'pieces of any size through a pipe are cut alike' '
	dig-chunk --target=4KB mixed >expect &&
	for seed in 1 2 3
	do
		in_pieces mixed $seed | dig-chunk --target=4KB --stdin >actual &&
		test_cmp expect actual || return 1
	done
'

test_expect_success 'an edit moves few cuts' '
	dig-chunk --target=16KB random | cut -d " " -f 3 | sort >before &&
	{ head -c 5M random && echo inserted && tail -c +5242881 random; } >inserted &&
	{ head -c 9999999 random && tail -c +10000100 random; } >removed &&
	for file in inserted removed
	do
		dig-chunk --target=16KB $file | cut -d " " -f 3 | sort >after &&
		comm -13 before after >new && test $(wc -l <new) -ge 1 && test $(wc -l <new) -le 4 || return 1
	done
'

test_expect_success 'with -z records end with NUL' '
	dig-chunk mixed hello | tr "\\n" "\\0" >expect &&
	dig-chunk -z mixed hello >actual && cmp expect actual
'

test_expect_success 'what cannot be read is named, and the other files are cut' '
	mkdir directory && seeded 10 1 >secret && chmod 0 secret &&
	echo $hello >expect && echo $hello >>expect &&
	test_expect_code 128 without_override dig-chunk hello nowhere directory secret hello >actual 2>err &&
	test_cmp expect actual &&
	grep "cannot open .nowhere.: No such file" err &&
	grep "cannot read .directory.: Is a directory" err &&
	grep "cannot open .secret.: Permission denied" err
'

test_expect_success STRACE 'a file that changes while it is read is named, and is no success' '
	cp text grows &&
	test_expect_code 128 stopped_at grows pread64 "echo more >>grows" dig-chunk grows 2>err &&
	grep "grows. changed while it was read" err
'

test_expect_success 'a store cuts as it was made to' '
	dig-chunk --target=8KB text >expect &&
	DIG_CONFIG=chunking.target=8KB dig-init-store w >store &&
	(
		cd w &&
		dig-chunk ../text >../actual && test_cmp ../expect ../actual &&
		dig-chunk --target=8KB ../text >../actual && test_cmp ../expect ../actual &&
		test_expect_code 128 dig-chunk --target=16KB ../text 2>../err &&
		grep "keeps the chunk sizes" ../err
	)
'

test_expect_success 'wrong usage is told' '
	test_expect_code 129 dig-chunk &&
	test_expect_code 129 dig-chunk --stdin text &&
	test_expect_code 129 dig-chunk --target=2KB text &&
	test_expect_code 129 dig-chunk --target=3MB text &&
	test_expect_code 129 dig-chunk --target=much text
'

test_done
