#!/bin/sh

test_description='system calls that fail while something is added or committed'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

test_have_prereq STRACE || {
	skip_all='strace is needed'
	test_done
}

# What is tidied up afterwards may fail: success must then be true.
check_fault () {
	case $1 in
	128)
		test -s err || { echo "no message at $2"; false; }
		;;
	0)
		:
		;;
	*)
		echo "status $1 at $2"
		cat err
		false
		;;
	esac
}

test_expect_success 'an undisturbed run' '
	make_crash_tree && record_expectations && cp records input
'

writing_calls='openat write pwritev2 fdatasync fsync rename unlink mkdir ftruncate'

test_expect_success 'a full disk at any call of an add' '
	everywhere first.dig error=ENOSPC dig-update-index --add -A --stdin
'

test_expect_success 'a full disk at any call of a commit' '
	everywhere staged.dig error=ENOSPC dig-write-layer -m two &&
	everywhere sealed.dig error=ENOSPC dig-update-root $(cat layer)
'

writing_calls='write pwritev2 fdatasync fsync rename flock'

test_expect_success 'an I/O error at any call that writes' '
	everywhere first.dig error=EIO dig-update-index --add -A --stdin &&
	everywhere staged.dig error=EIO dig-write-layer -m two &&
	everywhere sealed.dig error=EIO dig-update-root $(cat layer)
'

writing_calls='read pread64 newfstatat getdents64'

# A program with shared libraries fails before it begins.
test_expect_success !SANITIZED 'an I/O error at any call that reads' '
	everywhere staged.dig error=EIO dig-write-layer -m two &&
	everywhere sealed.dig error=EIO dig-update-root $(cat layer)
'

test_expect_success !SANITIZED 'calls that are interrupted are made again' '
	restore first.dig &&
	at_call read,write,pread64,pwritev2,openat,openat2,flock 1+3 error=EINTR \
		dig-update-index --add -A --stdin <input &&
	at_call read,write,pread64,pwritev2,openat,flock 1+3 error=EINTR \
		dig-write-layer -m two >out &&
	test_cmp layer out
'

test_done
