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

test_expect_success 'with more memory than they can use' '
	for workers in 1 2
	do
		taken $workers 400MB >actual && test_cmp expect actual || return 1
	done
'

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

# Its chunks grow to 8 MiB behind the first MiB.
test_expect_success 'a stream, with and without much memory' '
	cat files/again files/holes.3 files/text >stream && mkdir other && cd other &&
	export DIG_CONFIG="chunking.medium_file_threshold=2MB
chunking.huge_file_threshold=5MB" && dig-init-store >/dev/null &&
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

# The reader gives up waiting now and then, with nothing.
test_expect_success 'a stream that pauses between the bytes of a chunk' '
	dig-init-store paused >/dev/null && cd paused && (
		unset DIG_CONFIG
		for part in 1 2 3
		do
			seeded 700K $part && sleep 2.2 || exit 1
		done | dig-add -q --stdin --path=p --checkpoint-every=1s && dig-commit -q -m one &&
		for part in 1 2 3
		do
			seeded 700K $part || exit 1
		done | { cat >../whole && dig-cat HEAD:p | cmp - ../whole; } &&
		dig-hash-object ../whole >../one && dig-hash-object --stdin <../whole | test_cmp ../one - &&
		dig-verify-store -q
	)
'

# value NAME FILE
value () {
	sed -n "s/^$1 //p" "$2"
}

test_expect_success 'the workers that are asked for, and how many of them the memory keeps at work' '
	rm -rf s && cp -al files s && cd s && unset DIG_CONFIG && dig-init-store >/dev/null &&
	dig -c performance.max_worker_threads=64 -c performance.max_memory_usage=16MB \
		add -q -A --explain --metrics=../little 2>../err &&
	test $(value workers_wanted ../little) = 64 && test $(value workers_at_work ../little) -lt 16 &&
	grep -E "; the memory keeps about $(value workers_at_work ../little) of 64 workers at work" ../err &&
	enough=$(sed -n "s/.* performance.max_memory_usage=\([0-9]*MB\) would keep all of them/\1/p" ../err) &&
	test "${enough%MB}" -gt 80 &&
	dig -c performance.max_worker_threads=64 -c performance.max_memory_usage=$enough \
		add -q -A --reread --explain --metrics=../much 2>../err &&
	test $(value workers_wanted ../much) = 64 && test $(value workers_at_work ../much) = 64 &&
	! grep "the memory" ../err &&
	dig add -q -A --reread --metrics=../usual.json && grep "\"workers_wanted\":[1-9].*,\"workers_at_work\":[1-9]" ../usual.json &&
	dig commit -q -m one && for command in "dig get /random" "dig extract ../taken" "dig check -q"
	do
		dig -c performance.max_worker_threads=64 -c performance.max_memory_usage=16MB ${command#dig } \
			--metrics=../little >/dev/null &&
		test $(value workers_wanted ../little) = 64 && test $(value workers_at_work ../little) -lt 32 || return 1
	done
'

! command -v taskset >/dev/null || test_set_prereq TASKSET

# cores COMMAND...: how many workers start where nobody asks for a number.
cores () {
	rm -rf s && cp -al files s && (
		unset DIG_CONFIG && cd s && dig-init-store >/dev/null && dig-ls-work |
			"$@" dig-update-index --add --stdin --metrics=../metrics
	) && sed -n "s/^workers //p" metrics
}

test_expect_success TASKSET 'one core, one worker' '
	test "$(cores taskset -c "$(taskset -cp $$ | sed "s/.*: //; s/[-,].*//")")" = 1
'

# in_group COMMAND...: in a control group below this process's own, with 1.5 cores and 32 MB.
cat >in-group <<\EOF
#!/bin/sh
place=/sys/fs/cgroup
if test -e $place/cgroup.controllers
then
	group=$place/dig-test.$$
	mkdir $group && echo "150000 100000" >$group/cpu.max && echo 33554432 >$group/memory.max && echo $$ >$group/cgroup.procs
else
	group=$place/cpu/dig-test.$$ memory=$place/memory/dig-test.$$
	mkdir $group $memory && echo 100000 >$group/cpu.cfs_period_us && echo 150000 >$group/cpu.cfs_quota_us &&
	echo 33554432 >$memory/memory.limit_in_bytes && echo $$ >$group/tasks && echo $$ >$memory/tasks
fi || { rmdir $group $memory; exit 125; }
echo $group $memory >>"$(dirname "$0")/groups"
exec "$@"
EOF
chmod +x in-group && ! "$TRASH/in-group" true 2>/dev/null || test_set_prereq CGROUP

# Most commands take some of the memory that the group counts for the page cache.
test_expect_success CGROUP,!SANITIZED 'a core and a half are two workers, and 32 MB are enough for everything' '
	workers=$(cores "$TRASH/in-group") && test $workers = $(test $(nproc) = 1 && echo 1 || echo 2) &&
	unset DIG_CONFIG && cd s && dig-commit -q -m one && dig-ls-root HEAD >../listed &&
	for command in "dig-add -q --reread -A" "dig-commit -q --allow-empty -m two" \
		"dig-extract -q ../out" "dig-verify-store -q" "dig-cat HEAD:again" "dig-status"
	do
		"$TRASH/in-group" $command >/dev/null || { echo "$command: $?"; return 1; }
	done &&
	dig-ls-root HEAD | test_cmp ../listed - && diff -r ../files ../out
'

test -e groups || : >groups
while read -r groups
do
	rmdir $groups
done <groups 2>/dev/null

test_done
