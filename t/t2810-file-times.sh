#!/bin/sh

test_description='edits are seen whatever the clocks of file systems and programs leave behind'

. "$(dirname "$0")/test-lib.sh"

# opened FILE COMMAND...: COMMAND opens it.
opened () {
	opened_file=$1 && shift &&
	DIG_CONFIG=performance.async_io=false \
		strace -f -qq -o "$TRASH/calls" -e signal=none -e trace=openat,openat2 "$@" &&
	grep "\"$opened_file\".*= [0-9]" "$TRASH/calls"
}

test_expect_success 'a store' '
	dig-init-store w >/dev/null && cd w && echo old >old && echo fresh >fresh && touch -d @1600000000 old &&
	sleep 0.1 && dig-add -A
'

test_expect_success STRACE 'a time of a whole second proves nothing before the second after the next' '
	cd w && is_quick= &&
	for attempt in 1 2 3 4 5 6 7 8 9
	do
		# From its beginning, so that there are two seconds for it.
		now=$(date +%s) && while test $(date +%s) = $now; do sleep 0.05; done && now=$((now + 1)) &&
		touch -d @$now fresh && sleep 0.1 && dig-add fresh &&
		opened fresh dig-add fresh; was_opened=$? &&
		test $(($(date +%s) - now)) -gt 1 || { is_quick=t; break; }
	done &&
	test "$is_quick" && test $was_opened = 0 &&
	! opened old dig-add old
'

test_expect_success STRACE '--reread opens what seems unchanged' '
	cd w && opened old dig-add --reread old && opened old dig-add -A --reread &&
	echo old >../list && opened old dig-update-index --add --reread --stdin-paths <../list &&
	dig-add --show-plumbing --reread old >../actual && grep "update-index.* --reread" ../actual &&
	test_expect_code 129 dig-add --reread --stdin --path=x </dev/null &&
	test_expect_code 129 dig-update-index --remove --reread old
'

test_expect_success PYTHON '--reread sees what was written through a mapping, and its record is no change' '
	cd w && seeded 40K 1 >mapped && python3 - <<-\EOF &&
	import mmap, subprocess, time
	with open("mapped", "r+b") as file:
	    memory = mmap.mmap(file.fileno(), 0)
	    memory[0:1] = b"1"
	    time.sleep(0.1)
	    subprocess.run(["dig-add", "mapped"], check=True)
	    memory[0:1] = b"2"
	    subprocess.run(["dig-add", "--reread", "mapped"], check=True)
	    memory.close()
	EOF
	commit_staged one && dig-cat HEAD:mapped >../actual && cmp mapped ../actual &&
	dig-add -A --reread && test_expect_code 1 dig-commit -m nothing
'

test_expect_success STRACE,UNSHARE 'a file below a mount is judged by the clock of its own file system' '
	mkdir -p m/fine m/coarse && dig-init-store m >/dev/null && cat >script <<-\EOF &&
	mount -t ramfs none m/coarse && cd m && echo x >fine/f && echo x >coarse/f && sleep 0.1 && dig-add -A &&
	strace -f -qq -o ../calls -e signal=none -e trace=openat,openat2 dig-add -A
	EOF
	unshare --map-root-user --mount sh -e script && grep "\"coarse/f\"" calls && ! grep "\"fine/f\"" calls
'

# on_ext4 INODE_SIZE CODE [WORK-TREE]: in a directory of such a file system; with a store elsewhere.
on_ext4 () {
	rm -f image && truncate -s 48M image && mkdir -p mounted && mkfs.ext4 -q -I $1 image &&
	mount -o loop image mounted &&
	(
		test -z "$3" || { DIG_DIR=$TRASH/$3/.dig && export DIG_DIR; }
		cd mounted && eval "$2"
	)
	status=$? && umount mounted && return $status
}

# As many as it says change behind an add, without a change of size.
edits_are_seen='
	dig-init-store . >/dev/null &&
	for i in $(seq 10 99)
	do
		echo $i >f$i || return 1
	done &&
	dig-add -A &&
	for i in $(seq 10 99)
	do
		echo $((109 - i)) >f$i || return 1
	done &&
	dig-diff-work -q; test $? = 1 &&
	test $(dig-diff-work | grep -c ^M) = 90 && dig-add -A && dig-commit -q -m 90 &&
	for i in $(seq 10 99)
	do
		dig-cat HEAD:f$i || return 1
	done >"$TRASH/actual" && seq 99 -1 10 | test_cmp - "$TRASH/actual" &&
	for i in 0 1 2 3 4 5 6 7 8 9
	do
		echo a$i >again && dig-add again && echo b$i >again && dig-add again &&
		test "$(dig-ls-index again | cut -d" " -f3 | cut -f1)" = "$(dig-hash-object again)" || return 1
	done
'

test_expect_success LOOP 'on ext4, times of whole seconds: 100 edits of the same size are all seen' '
	on_ext4 128 "$edits_are_seen"
'

test_expect_success LOOP 'on ext4, times of nanoseconds: 100 edits of the same size are all seen' '
	on_ext4 256 "$edits_are_seen"
'

test_expect_success LOOP,STRACE 'an add does not go on in a file that may have changed within the second' '
	on_ext4 128 "
		dig-init-store . >/dev/null && dig-config performance.checkpoint_bytes 1MB &&
		seeded 8M 1 >large && dig-ls-work large >\"\$TRASH/records\" &&
		test_expect_code 137 strace -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:signal=KILL:when=2 \
			dig-update-index --add --stdin <\"\$TRASH/records\" &&
		printf X | dd of=large conv=notrunc status=none && dig-add large &&
		dig-commit -q -m one && dig-cat HEAD:large | cmp - large
	"
'

# 2300-01-01; and the last whole second of 64 bits of nanoseconds, 2262-04-11 23:47:16.
far=10413792000 last=9223372036
: >probe && touch -d @$far probe && test "$(stat -c %Y probe)" = $far && test_set_prereq FAR_TIMES

test_expect_success FAR_TIMES 'a time after 2262 becomes the last that there is, and is said' '
	dig-init-store far >/dev/null && cd far && mkdir void && echo a >far && echo b >near && ln -s far link &&
	touch -d @$far far void && touch -h -d @$far link && touch -d @$last.854775807 near &&
	dig-ls-work | tr "\\0" "\\n" | grep -c " ${last}854775807 " >../actual && echo 4 | test_cmp - ../actual &&
	dig-add near void 2>../err && grep "time of .* and of 1 more lies outside" ../err &&
	dig-add -A 2>../err && grep "time of .far. and of 1 more lies outside" ../err &&
	dig-diff-work && dig-commit -q -m far && dig-ls -l >../actual && test $(grep -c "2262-04-11 23:47:16 UTC" ../actual) = 4 &&
	dig-add -q -A --reread 2>../err && test_cmp /dev/null ../err && test_expect_code 1 dig-commit -m nothing &&
	dig-checkout-root HEAD ../near && (cd ../near && stat -c %Y far near link void) >../actual &&
	printf "$last\\n$last\\n$last\\n$last\\n" | test_cmp - ../actual
'

test_expect_success '--mtime beyond the range is its end, and is said' '
	dig-init-store given >/dev/null && cd given &&
	for time in 9223372037 -9223372037 99999999999999999999 -99999999999999999999
	do
		echo $time | dig-add --stdin --path=t$time --mtime=$time 2>../err && grep "lies outside" ../err || return 1
	done &&
	echo x | dig-add -q --stdin --path=last --mtime=$last 2>../err && test_cmp /dev/null ../err &&
	dig-commit -q -m given && dig-ls -l | sed "s/.*[0-9] \\([0-9-]* [0-9:]* UTC\\)/\\1/" >../actual &&
	cat >../expect <<-\EOF && test_cmp ../expect ../actual
	2262-04-11 23:47:16 UTC last
	1677-09-21 00:12:43 UTC t-9223372037
	1677-09-21 00:12:43 UTC t-99999999999999999999
	2262-04-11 23:47:16 UTC t9223372037
	2262-04-11 23:47:16 UTC t99999999999999999999
	EOF
'

test_expect_success 'times before 1970 are shown as the second that they lie in' '
	dig-init-store early >/dev/null && cd early && : >half && : >whole && : >day &&
	touch -d "1969-12-31 23:59:58.5" half && touch -d "1969-12-31 23:59:58" whole && touch -d "1969-12-30 23:59:59.999" day &&
	dig-add -A && DIG_COMMIT_TIME=-1 dig-commit -q -m early && dig-ls -l >../actual &&
	grep "1969-12-31 23:59:58 UTC half" ../actual && grep "1969-12-31 23:59:58 UTC whole" ../actual &&
	grep "1969-12-30 23:59:59 UTC day" ../actual &&
	dig-log >../actual && grep "Date:   1969-12-31 23:59:59 UTC" ../actual &&
	dig-checkout-root HEAD ../early.out && stat -c %y ../early.out/half ../early.out/day >../actual &&
	printf "1969-12-31 23:59:58.500000000 +0000\\n1969-12-30 23:59:59.999000000 +0000\\n" | test_cmp - ../actual
'

test_expect_success LOOP 'a file system that cannot hold a time gets the nearest, which is said' '
	dig-init-store late >/dev/null && cd late && echo kept >kept && touch -d @1600000000 kept &&
	echo late | dig-add --stdin --path=late --mtime=4294967296 && dig-add kept && dig-commit -q -m late && cd .. &&
	on_ext4 128 "
		test_expect_code 3 dig-checkout-root -f HEAD out 2>\"\$TRASH/err\" && grep \"cannot hold the time of .late.;\" \"\$TRASH/err\" &&
		echo late | cmp - out/late && dig-checkout-root HEAD fine kept
	" late
'

test_done
