#!/bin/sh

test_description='what a file system says of holes is not believed where it contradicts itself'

. "$(dirname "$0")/test-lib.sh"

# Data from 5M to 6M and from 10M on, holes before and between.
test_expect_success 'a store, and a file with holes' '
	dig-init-store w >/dev/null && cd w && seeded 1M 1 >../first && seeded 2M 2 >../second && truncate -s 10M sparse &&
	dd if=../first of=sparse bs=1M seek=5 conv=notrunc status=none && cat ../second >>sparse &&
	dig-hash-object sparse >../expect && dig-hash-object --stdin <sparse | test_cmp ../expect -
'

# told ACTION...: strace injects it into what the file system says of sparse; the content is the same all the same.
told () {
	for action
	do
		strace -f -qq -o "$TRASH/calls" -P sparse -e trace=lseek -e signal=none -e inject=lseek:$action \
			dig-hash-object sparse >"$TRASH/actual" &&
		grep -q INJECTED "$TRASH/calls" && test_cmp "$TRASH/expect" "$TRASH/actual" || return 1
	done
}

test_expect_success STRACE 'an answer below the offset is none' '
	cd w && told retval=0 retval=1 retval=1048576 retval=5242880
'

test_expect_success STRACE 'an answer in the middle of data, or beyond the end, is none' '
	cd w && told retval=5500000 retval=7340032 retval=11000000 retval=12582912 retval=1099511627776
'

test_expect_success STRACE 'an error at any call, or at all of them, makes no zeros of data' '
	cd w && for error in ENXIO EINVAL EIO
	do
		told error=$error error=$error:when=1 error=$error:when=2 error=$error:when=3 error=$error:when=4 || return 1
	done
'

test_expect_success STRACE 'what is added is right, too, and takes no more than the file' '
	cd w && strace -f -qq -o ../calls -P sparse -e trace=lseek -e signal=none -e inject=lseek:retval=0:when=3+ dig-add sparse &&
	grep -q INJECTED ../calls && dig-commit -q -m one && dig-cat HEAD:sparse | cmp - sparse
'

test_expect_success 'blocks that are only reserved are read, and are zeros' '
	cd w && { fallocate -l 3M reserved || head -c 3M /dev/zero >reserved; } && truncate -s 8M reserved && cat ../first >>reserved &&
	dig-add reserved && dig-commit -q -m two && dig-cat HEAD:reserved | cmp - reserved
'

test_expect_success STRACE 'holes that agree with the number of blocks are not read' '
	cd w && truncate -s 1G large && cat ../first >>large &&
	strace -f -qq -o ../calls -P large -e trace=pread64,lseek -e signal=none dig-hash-object large >../actual &&
	{ test $(stat -c %b large) -gt 100000 || test $(grep -c pread64 ../calls) -lt 40; }
'

test_done
