#!/bin/sh

test_description='files that change or go away while they are read'

. "$(dirname "$0")/test-lib.sh"

tab='	'

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

# while_written COMMAND...: COMMAND runs while log is touched, disk changes here and there, and again is emptied and
# filled, all the time; each reading of them waits, so that none is without a change.
while_written () {
	rm -f written &&
	{ python3 -c '
import itertools, os, time
# A file system that is busy holds up one of the two, and not the other.
writes = os.fork() == 0
parent = os.getppid()
disk = os.open("disk", os.O_RDWR)
for n in itertools.count():
    if not writes:
        os.utime("log")
        time.sleep(0.002)
        continue
    if os.getppid() != parent:
        break
    os.pwrite(disk, b"%08d" % n, n * 151552 % (2 << 20))
    with open("again", "wb") as file:
        if n % 2:
            file.write(b"x" * 300000)
    if n == 9:
        open("written", "w").close()
    time.sleep(0.002)
' & } &&
	writer=$! &&
	until test -e written
	do
		kill -0 $writer && sleep 0.01 || return 1
	done &&
	DIG_CONFIG="performance.async_io=false
performance.buffer_size=4MB" strace -f -qq -o /dev/null -P log -P disk -e trace=pread64 -e signal=none \
		-e inject=pread64:delay_enter=400000 "$@"
	written_status=$?
	kill $writer && { wait $writer; rm -f written; return $written_status; }
}

test_expect_success PYTHON,STRACE 'what is always written is named and not taken, unless one asks for it' '
	dig-init-store v >/dev/null && cd v && seeded 2M 1 >disk && seeded 300 2 >log && : >again && echo quiet >quiet &&
	echo written >.digignore &&
	test_expect_code 3 while_written dig-add -A --changing=fail 2>../err &&
	while_written dig-add -A --changing=store --metrics=../metrics 2>../marked &&
	grep "disk. changed while it was read; --changing=store" ../err && grep "log. changed while it was read" ../err &&
	grep "warning: .disk. changed while it was read; it is stored as it was read" ../marked &&
	grep "warning: .log. changed while it was read" ../marked && ! grep quiet ../err ../marked &&
	number=$(grep -c warning ../marked) && grep "^files_changed_while_read $number$" ../metrics &&
	dig-status >../actual && sed -n "/^changed while it was read, and staged/,/^[^ ]/s/^  //p" ../actual >../listed &&
	grep -x disk ../listed && grep -x log ../listed && ! grep "could not be read" ../actual
'

test_expect_success PYTHON,STRACE 'the mark is in the state, and in what shows states' '
	cd v && dig-commit -q -m written && dig-log >../actual && grep "^Changed while read.*: $number files" ../actual &&
	dig-show >../actual && grep "^A${tab}disk  (changed while it was read)" ../actual && grep "^A${tab}quiet$" ../actual &&
	dig-ls -l >../actual && grep "disk  (changed while it was read)" ../actual && ! grep "quiet  " ../actual &&
	dig-show-layer >../actual && grep "^changed-files $number$" ../actual && dig-verify-store -q &&
	dig-cat HEAD:log >../actual && seeded 300 2 | cmp - ../actual &&
	dig-cat HEAD:disk >../actual && test $(wc -c <../actual) = 2097152 &&
	dig-checkout-root HEAD ../out && cmp ../out/log log
'

test_expect_success PYTHON,STRACE 'the next add that finds it whole takes the mark away' '
	cd v && sleep 0.1 && dig-add -q -A 2>../err && test_cmp /dev/null ../err &&
	test_expect_code 1 dig-diff-index >../actual && grep "^M${tab}log$" ../actual &&
	dig-commit -q -m whole && dig-log -n 1 >../actual && ! grep Changed ../actual &&
	dig-ls -l >../actual && ! grep "changed while" ../actual &&
	for file in disk log again quiet
	do
		dig-cat HEAD:$file >../actual && cmp $file ../actual || return 1
	done &&
	dig-add -A && test_expect_code 1 dig-commit -m nothing
'

test_expect_success PYTHON,STRACE 'the mark stands beside a digest of the whole file' '
	cd v && while_written dig -c core.file_digest=true add --changing=store log disk && dig-commit -q -m digest &&
	dig-verify-store -q && dig-ls -l >../actual && grep "disk  (changed while it was read)" ../actual
'

# Kept for ever, as version-1 is: the mark and its number in the header are optional parts of that version.
golden=$TEST_DIRECTORY/golden/version-1-changed
reference=$TEST_DIRECTORY/reference/dig_reference.py
root=39c95bbe27b1b8bc84ded7d5a555555ebaf38e97e25f90b338381ca19611a62b

test_expect_success PYTHON,STRACE 'the mark is written as it always was' '
	dig-init-store --store-id=$(printf 0123456789abcdef%.0s 1 2 3 4) g >/dev/null && cd g &&
	dig-config core.record_mtime false && dig-config core.compression none &&
	seeded 2M 1 >disk && echo log >log && : >again && echo whole >whole &&
	while_written dig-add --changing=store log && dig-add whole && dig-commit -q -m one && dig-info root >../actual && echo $root | test_cmp - ../actual &&
	for file in $(cd "$golden" && ls -d roots layers/*)
	do
		cmp "$golden/$file" .dig/$file || return 1
	done
'

test_expect_success PYTHON 'what was written with the mark is read, and the reference reads the same' '
	mkdir old && cp -R "$golden" old/.dig && chmod -R u+w old/.dig && cd old && dig-verify-store -q &&
	dig-info root >../actual && echo $root | test_cmp - ../actual && dig-ls -l >../actual &&
	grep "log  (changed while it was read)$" ../actual && grep "whole$" ../actual &&
	dig-show-layer >../actual && grep "^changed-files 1$" ../actual &&
	python3 "$reference" store "$golden" >../actual && grep "$root" ../actual
'

test_expect_success 'wrong usage of --changing is told' '
	dig-init-store u >/dev/null && cd u && echo log >log &&
	test_expect_code 129 dig-add --changing=maybe log && test_expect_code 129 dig-add --changing= log &&
	test_expect_code 129 dig-add --by-reference --changing=store log && dig-add --by-reference --changing=fail log &&
	test_expect_code 129 dig-add --changing=store --stdin --path=x </dev/null &&
	test_expect_code 129 dig-update-index --remove --changing=store log &&
	dig-add --show-plumbing --changing=store log >../actual && grep "update-index.* --changing=store" ../actual
'

test_expect_success UNSHARE 'a file that has content and the size 0 is named, with what takes it' '
	dig-init-store kernel >/dev/null && echo other >kernel/other && : >kernel/file && cat >script <<-\EOF &&
	mount --bind /proc/version kernel/file && cd kernel || exit 1
	for option in "" --changing=store
	do
		status=0 && { dig-add -A $option 2>../err || status=$?; } &&
		test $status = 3 && grep "file.*--stdin" ../err && ! grep "changed while" ../err &&
		dig-ls-index --name-only >../actual && echo other | cmp - ../actual || exit 1
	done
	dig-add --stdin --path=file <file && dig-ls-index --name-only | grep -x file
	EOF
	unshare --map-root-user --mount sh script
'

test_done
