#!/bin/sh

test_description='dig-apply-ranges makes the file of one state from that of another, or changes nothing'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'states of files with all kinds of edits' '
	dig-init-store w >store && cd w &&
	seeded 5M 1 >inserted && cp inserted deleted && cp inserted overwritten && cp inserted moved && cp inserted cut &&
	cp inserted longer && cp inserted hole && echo one >small && : >nothing && seeded 100K 6 >emptied &&
	commit_all one &&
	{ head -c 2000000 inserted && seeded 300K 2 && tail -c +2000001 inserted; } >new && mv new inserted &&
	{ head -c 1000000 deleted && tail -c +3000001 deleted; } >new && mv new deleted &&
	seeded 100K 3 | dd of=overwritten bs=64K seek=37 conv=notrunc status=none &&
	{ tail -c 1500000 moved && head -c -1500000 moved; } >new && mv new moved &&
	truncate -s 3M cut && seeded 400K 4 >>longer &&
	fallocate -p -o 1M -l 3M hole && truncate -s 60M hole && echo "a longer one" >small && echo some >nothing && : >emptied &&
	commit_all two
'
files="inserted deleted overwritten moved cut longer hole small nothing emptied"

test_expect_success 'each file becomes the other one, forth and back, beside and in place' '
	cd w &&
	for file in $files
	do
		dig-cat @1:$file >../copy && chmod 640 ../copy && dig-apply-ranges @1 @2 $file ../copy &&
		cmp $file ../copy && test $(stat -c %a ../copy) = 640 &&
		dig-apply-ranges @2 @1 $file ../copy && dig-cat @1:$file | cmp - ../copy &&
		inode=$(stat -c %i ../copy) && dig-apply-ranges --in-place @1 @2 $file ../copy &&
		cmp $file ../copy && test $inode = $(stat -c %i ../copy) &&
		dig-apply-ranges --in-place @2 @1 $file ../copy && dig-cat @1:$file | cmp - ../copy || return 1
	done &&
	test "$(echo ../copy*)" = ../copy
'

test_expect_success 'holes stay holes' '
	cd w && dig-cat @1:hole >../copy && dig-apply-ranges @1 @2 hole ../copy && cmp hole ../copy &&
	test $(du -k ../copy | cut -f 1) -lt 5000 &&
	dig-apply-ranges --in-place @2 @1 hole ../copy && dig-apply-ranges --in-place @1 @2 hole ../copy &&
	cmp hole ../copy && test $(du -k ../copy | cut -f 1) -lt 5000
'

test_expect_success 'a file with other content is left alone' '
	cd w && dig-cat @1:moved >../copy && printf x | dd of=../copy bs=1 seek=4000000 conv=notrunc status=none &&
	cp -p ../copy ../before && stat -c "%i %Y" ../copy >../stat &&
	for option in "" --in-place
	do
		test_expect_code 5 dig-apply-ranges $option @1 @2 moved ../copy 2>../err &&
		grep "copy. does not have the content of .moved. of @1.*nothing is written" ../err || return 1
	done &&
	cmp ../before ../copy && stat -c "%i %Y" ../copy | test_cmp ../stat - &&
	dig-cat @1:moved >../copy && echo more >>../copy &&
	test_expect_code 5 dig-apply-ranges @1 @2 moved ../copy && truncate -s 100 ../copy &&
	test_expect_code 5 dig-apply-ranges @1 @2 moved ../copy && test "$(echo ../copy*)" = ../copy
'

test_expect_success 'a file that is the new one already is left alone' '
	cd w && cp inserted ../copy && stat -c "%i %Y" ../copy >../stat &&
	dig-apply-ranges @1 @2 inserted ../copy 2>../err && grep "has the content of .inserted. of @2 already" ../err &&
	dig-apply-ranges -q --in-place @1 @2 inserted ../copy 2>../err && test_cmp /dev/null ../err &&
	stat -c "%i %Y" ../copy | test_cmp ../stat -
'

test_expect_success 'a link is followed, and what is no regular file is refused' '
	cd w && dig-cat @1:small >../copy && ln -s copy ../link && dig-apply-ranges @1 @2 small ../link &&
	test -h ../link && cmp small ../copy && mkdir ../directory && mkfifo ../fifo &&
	for file in ../directory ../fifo ../nowhere
	do
		test_expect_code 128 dig-apply-ranges @1 @2 small $file || return 1
	done &&
	test_expect_code 128 dig-apply-ranges @1 @2 small-one ../copy 2>../err && grep "small-one. is not in @1" ../err &&
	test_expect_code 129 dig-apply-ranges --resume @1 @2 small ../copy
'

# strace counts the calls of each thread.
test_expect_success STRACE 'after a kill at any write the file is the old one, or can be resumed' '
	cd w &&
	for step in 1 2 3
	do
		dig-cat @1:deleted >../copy &&
		{ strace -f -qq -o ../calls -e trace=pwritev2,copy_file_range,ftruncate \
			-e inject=pwritev2,copy_file_range,ftruncate:signal=KILL:when=$step \
			dig -c performance.max_worker_threads=1 apply-ranges @1 @2 deleted ../copy || :; } &&
		grep KILL ../calls && dig-cat @1:deleted | cmp - ../copy &&
		rm -f ../copy.tmp-* &&
		{ strace -f -qq -o ../calls -e trace=pwritev2,ftruncate -e inject=pwritev2,ftruncate:signal=KILL:when=$step \
			dig -c performance.max_worker_threads=1 apply-ranges --in-place @1 @2 deleted ../copy || :; } && grep KILL ../calls &&
		dig-apply-ranges --in-place --resume @1 @2 deleted ../copy && cmp deleted ../copy || return 1
	done
'

test_expect_success 'what no range covers is compared before a file is resumed' '
	cd w && dig-cat @1:overwritten >../copy && printf x | dd of=../copy bs=1 seek=5000000 conv=notrunc status=none &&
	cp ../copy ../before &&
	test_expect_code 5 dig-apply-ranges --in-place --resume @1 @2 overwritten ../copy 2>../err &&
	grep "nothing is written" ../err && cmp ../before ../copy &&
	dig-cat @1:overwritten >../copy && printf x | dd of=../copy bs=64K seek=37 conv=notrunc status=none &&
	dig-apply-ranges --in-place --resume @1 @2 overwritten ../copy && cmp overwritten ../copy
'

test_expect_success STRACE 'a file system without copies by the kernel gets copies through memory' '
	cd w && dig-cat @1:moved >../copy &&
	strace -f -qq -o ../calls -e trace=copy_file_range,ioctl -e inject=copy_file_range,ioctl:error=EOPNOTSUPP \
		dig-apply-ranges @1 @2 moved ../copy && grep copy_file_range ../calls && cmp moved ../copy
'

test_expect_success 'a damaged chunk of a range is corrupt, and the file stays' '
	cp -r w damaged && cd damaged && dig-cat @1:small >../copy &&
	layer=$(ls -t .dig/layers/*.dig | head -n 1) && chmod u+w $layer &&
	dd if=/dev/zero of=$layer bs=1 seek=64 count=2000 conv=notrunc status=none &&
	{ dig-apply-ranges @1 @2 inserted ../copy || :; } && dig-cat @1:small | cmp - ../copy
'

# 200 files in two states: edits by a seed, several in each file.
cat >edits.py <<\EOT
import random, sys
random.seed(int(sys.argv[1]))
def noise(size): return random.randbytes(size)
def make():
    parts = []
    for _ in range(random.randint(0, 6)):
        size = random.randint(0, 90000)
        parts.append(bytes(size) if random.random() < .3 else noise(size))
    return b''.join(parts)
def edit(data):
    kind = random.choice(['insert', 'delete', 'overwrite', 'move', 'copy', 'truncate', 'extend', 'hole', 'swap'])
    at = random.randint(0, len(data)); size = random.choice([1, 13, 4096, random.randint(0, 60000)])
    part = data[at:at + size]
    if kind == 'insert': return data[:at] + noise(size) + data[at:]
    if kind == 'delete': return data[:at] + data[at + size:]
    if kind == 'overwrite': return data[:at] + noise(len(part)) + data[at + size:]
    if kind == 'hole': return data[:at] + bytes(size) + data[at + size:]
    if kind == 'truncate': return data[:at]
    if kind == 'extend': return data + (bytes(size) if random.random() < .5 else noise(size))
    rest = data if kind == 'copy' else data[:at] + data[at + size:]
    to = random.randint(0, len(rest))
    return rest[:to] + part + rest[to:]
for i in range(200):
    old = make(); new = old
    for _ in range(random.randint(1, 5)): new = edit(new)
    open('old/%d' % i, 'wb').write(old); open('new/%d' % i, 'wb').write(new)
EOT

# The ranges of all files, applied by what dig-diff-roots(1) says of them.
cat >apply.py <<\EOT
import os, subprocess
replaced = moved = 0
for i in range(200):
    old, new = open('../old/%d' % i, 'rb').read(), open('../new/%d' % i, 'rb').read()
    copy, at, last = bytearray(old), 0, None
    lines = subprocess.run(['dig-diff-roots', '--ranges', '@1', '@2', 'f/%d' % i], stdout=subprocess.PIPE).stdout
    for line in lines.decode().splitlines():
        offset, size, new_offset, new_size, kind = line.split()
        offset, size, new_offset, new_size = map(int, (offset, size, new_offset, new_size))
        assert new_offset >= at and (size or new_size)
        at = new_offset + new_size
        assert offset != new_offset and size == new_size if kind == 'moved' else offset == new_offset
        assert kind == 'moved' or size == new_size or at == len(new) or offset + size >= len(old)
        copy[new_offset:at] = (old if kind == 'moved' else new)[offset:offset + new_size].ljust(new_size, b'?')
        moved += kind == 'moved'; replaced += kind == 'replaced'
    assert copy[:len(new)] == new, i
print(replaced > 200 and moved > 100)
EOT

test_expect_success PYTHON '200 files with edits by a seed, by the ranges and by the command of the page' '
	mkdir old new && python3 edits.py 15 && mkdir many && cd many &&
	dig -c chunking.target=4KB init >/dev/null && cp -r ../old f && commit_all old &&
	rm -r f && cp -r ../new f && commit_all new && python3 ../apply.py >../actual && echo True | test_cmp - ../actual &&
	cp -r ../old ../copies &&
	seq 0 199 | xargs -P 8 -I N dig-apply-ranges -q @1 @2 f/N ../copies/N && diff -r ../new ../copies &&
	seq 0 199 | xargs -P 8 -I N dig-apply-ranges -q --in-place @2 @1 f/N ../copies/N && diff -r ../old ../copies
'

test_done
