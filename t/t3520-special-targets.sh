#!/bin/sh

test_description='output goes into devices and FIFOs and does not replace them; what cannot be written is named'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'a state' '
	dig-init-store w >/dev/null &&
	cd w && mkdir -p d/closed d/open e/deep &&
	echo small >small && seeded --text 3M 1 >disk && echo a >d/closed/a && echo b >d/open/b &&
	echo c >e/deep/c && ln -s target d/link && chmod 640 d/open/b && commit_all one
'

# --- dig get -o -------------------------------------------------------------------------------

test_expect_success 'a FIFO is written into' '
	mkfifo fifo && { cat fifo >from-fifo & } && reader=$! &&
	(cd w && dig-get -o ../fifo /disk) && wait $reader &&
	test -p fifo && cmp w/disk from-fifo
'

test_expect_success 'so are a device, and a descriptor by name' '
	cd w && dig-get -o /dev/null /disk && test -c /dev/null &&
	dig-get -o /dev/stdout /small | cat >../out && test_cmp small ../out &&
	dig-get -o /proc/self/fd/1 /small >../out && test_cmp small ../out
'

test_expect_success 'a file that is replaced keeps its mode' '
	echo old >old && chmod 604 old && inode=$(stat -c %i old) &&
	(cd w && dig-get -o ../old /small) && test_cmp w/small old &&
	test $(stat -c %a old) = 604 && test $(stat -c %i old) != $inode
'

test_expect_success ROOT 'and its owner' '
	echo old >old && chown 1234:2345 old &&
	(cd w && dig-get -o ../old /small) && test_cmp w/small old &&
	test $(stat -c %u:%g old) = 1234:2345
'

test_expect_success 'a symlink stays, and the file behind it is replaced' '
	echo old >behind && mkdir links && ln -s ../behind links/one && ln -s one links/two &&
	(cd w && dig-get -o ../links/two /disk) && cmp w/disk behind &&
	test "$(readlink links/one)" = ../behind && test "$(readlink links/two)" = one
'

test_expect_success 'a symlink that leads nowhere, or round, is an error; so is a directory' '
	ln -s nowhere dangling && ln -s round round && cd w &&
	test_expect_code 128 dig-get -o ../dangling /small 2>err &&
	grep "^dig-get: .*dangling. is a symlink that leads nowhere" err &&
	test_expect_code 128 dig-get -o ../round /small && test ! -e ../nowhere &&
	test_expect_code 128 dig-get -o ../links /small 2>err && grep "links.: Is a directory" err
'

test_expect_success 'a file that may not be written is not replaced' '
	echo old >sealed && chmod 444 sealed &&
	(cd w && test_expect_code 128 without_override dig-get -o ../sealed /small) &&
	echo old | test_cmp - sealed
'

test_expect_success 'where no file can be created, the one that is there is written' '
	mkdir shut && echo old >shut/file && chmod 555 shut && test_when_finished "chmod 755 shut" &&
	(cd w && without_override dig-get -o ../shut/file /small) && test_cmp w/small shut/file
'

test_expect_success 'what fails leaves the file as it was, also through a symlink' '
	echo old >behind &&
	(cd w && test_expect_code 128 dig-get -o ../links/two /absent) && echo old | test_cmp - behind &&
	test "$(ls | grep -c tmp)" = 0
'

# --- extraction -------------------------------------------------------------------------------

test_expect_success 'a FIFO in the place of a file stays, with -f and with --in-place' '
	mkdir busy && mkfifo busy/small && cd w &&
	for how in -f --in-place
	do
		test_expect_code 128 dig-checkout-root $how HEAD ../busy 2>err &&
		grep "^dig-checkout-root: .small. is a device, a FIFO or a socket" err &&
		test -p ../busy/small && test ! -e ../busy/disk || return 1
	done
'

test_expect_success '--replace-special replaces it' '
	cd w && test_expect_code 128 dig-checkout-root --replace-special HEAD ../busy &&
	dig-checkout-root -f --replace-special HEAD ../busy && test_cmp small ../busy/small
'

# Loop devices: with_device SIZE COMMAND...; the device is busy/disk then.
with_device () {
	rm -f image && truncate -s $1 image && loop=$(losetup -f --show image) || return 1
	shift
	rm -f busy/disk && cp -a $loop busy/disk
	"$@"
	status=$?
	losetup -d $loop
	return $status
}

if test_have_prereq ROOT && truncate -s 1M probe && loop=$(losetup -f --show probe 2>/dev/null)
then
	losetup -d $loop
	test_set_prereq LOOP
fi

restore_twice () {
	(
		cd w && dig-checkout-root --in-place HEAD ../busy disk &&
		dig-checkout-root --in-place HEAD ../busy disk
	) && test -b busy/disk && cmp -n $(stat -c %s w/disk) busy/disk w/disk
}

test_expect_success LOOP 'a block device is written in place' '
	mkdir -p busy && with_device 4M restore_twice && cmp -n $(stat -c %s w/disk) image w/disk
'

test_expect_success LOOP 'a file of one chunk, too' '
	rm -f busy/disk && truncate -s 1M image && loop=$(losetup -f --show image) &&
	test_when_finished "losetup -d $loop" && rm -f busy/small && cp -a $loop busy/small &&
	(cd w && dig-checkout-root --in-place HEAD ../busy small) && test -b busy/small &&
	cmp -n 6 busy/small w/small && rm busy/small
'

too_small () {
	(
		cd w && test_expect_code 128 dig-checkout-root --in-place HEAD ../busy disk 2>err &&
		grep "the device .disk. has 1048576 bytes and is too small" err &&
		test_expect_code 128 dig-checkout-root -f HEAD ../busy disk
	) && test -b busy/disk && cmp -n 1048576 busy/disk /dev/zero
}

test_expect_success LOOP 'unless it is too small, and never without --in-place' '
	with_device 1M too_small
'

test_expect_success ROOT 'a file that is replaced keeps its owner' '
	mkdir owned && echo old >owned/small && chown 1234:2345 owned/small &&
	(cd w && dig-checkout-root -f HEAD ../owned small) && test_cmp w/small owned/small &&
	test $(stat -c %u:%g owned/small) = 1234:2345
'

test_expect_success 'directories that cannot be written are named, and the rest is extracted' '
	mkdir -p part/d/closed part/e && chmod 555 part/d/closed part/e &&
	test_when_finished "chmod 755 part/d/closed part/e" &&
	(cd w && test_expect_code 3 without_override dig-checkout-root HEAD ../part 2>err) &&
	grep "d/closed/a.*Permission denied" w/err && grep "e/deep.*Permission denied" w/err &&
	test $(wc -l <w/err) = 2 &&
	test_cmp w/disk part/disk && test_cmp w/d/open/b part/d/open/b && test -L part/d/link &&
	test $(stat -c %a part/d/open/b) = 640
'

test_expect_success 'a directory that cannot be entered is named once' '
	mkdir -p dark/d && chmod 0 dark/d && test_when_finished "chmod 755 dark/d" &&
	(cd w && test_expect_code 3 without_override dig-checkout-root --sync HEAD ../dark 2>err) &&
	test_cmp w/disk dark/disk && test_cmp w/e/deep/c dark/e/deep/c && grep "d/closed" w/err &&
	test $(wc -l <w/err) -le 3
'

test_expect_success STRACE 'modes and times that the file system cannot keep are told of once' '
	cd w && (umask 077 && test_expect_code 3 strace -f -qq -o /dev/null -e trace=fchmod,utimensat \
		-e inject=fchmod,utimensat:error=EPERM dig-checkout-root HEAD ../plain 2>err) &&
	grep "the permissions of [0-9]* entr.* could not be set: .*Operation not permitted" err &&
	grep "the times of 6 entries could not be set: .*Operation not permitted" err &&
	test $(wc -l <err) = 2 && test_cmp disk ../plain/disk && test_cmp d/open/b ../plain/d/open/b
'

test_done
