#!/bin/sh

test_description='dig-checkout-root --in-place writes what differs, and nothing else'

. "$(dirname "$0")/test-lib.sh"

# Two states of a file of 24 MB: three edits, some of it zeros.
test_expect_success 'two states' '
	seeded 24M 1 >one && cp one two &&
	seeded 100 2 | dd of=two bs=1 seek=1000 conv=notrunc 2>/dev/null &&
	seeded 5000 3 | dd of=two bs=1 seek=9000000 conv=notrunc 2>/dev/null &&
	dd if=/dev/zero of=two bs=64K seek=200 count=100 conv=notrunc 2>/dev/null &&
	seeded 3M 4 >>two &&
	dig-init-store w >/dev/null &&
	cd w && echo small >small && echo same >same &&
	cp ../one large && dig-add -A && dig-commit -q -m one &&
	sleep 0.1 && cp ../two large && echo other >small && dig-add -A && dig-commit -q -m two
'

# written: how many bytes the command wrote to the file.
written () {
	awk "/large>/ { sum += \$NF } END { print sum + 0 }" ../calls
}

in_place () {
	strace -f -qq -y -o ../calls -e trace=pwritev2,pwrite64,write -e signal=none \
		dig-checkout-root --in-place "$@"
}

test_expect_success STRACE 'in the work tree, what the index knows is not read' '
	cd w && sleep 0.1 && touch -d @1700000000 large && sleep 0.1 && dig-add large &&
	inode=$(stat -c %i large) &&
	strace -f -qq -y -o ../calls -e trace=pread64 -e signal=none \
		dig-checkout-root --in-place HEAD~1 . large &&
	cmp ../one large && test $inode = $(stat -c %i large) &&
	! grep "/large>" ../calls
'

test_expect_success STRACE 'only ranges that differ are written, forth and back' '
	cd w &&
	for state in 2 1 2
	do
		inode=$(stat -c %i large) && in_place @$state . large &&
		test $inode = $(stat -c %i large) &&
		if test $state = 1
		then
			cmp ../one large
		else
			cmp ../two large
		fi &&
		test $(written) -gt 5000 && test $(written) -lt 16000000 || return 1
	done
'

test_expect_success STRACE 'a file that is right already is not written' '
	cd w && in_place @2 . && test $(written) = 0 && cmp ../two large &&
	test "$(stat -c %Y large)" != 0
'

test_expect_success 'modes and times are those of the state' '
	cd w && chmod 600 large same && touch -d @5 same &&
	dig-checkout-root --in-place @2 . &&
	dig-checkout-root @2 ../fresh &&
	for file in large same small
	do
		test "$(stat -c "%a %y" $file)" = "$(stat -c "%a %y" ../fresh/$file)" || return 1
	done
'

test_expect_success 'zeros and holes come back' '
	cd w && cp ../one large && dig-checkout-root --in-place @2 . && cmp ../two large &&
	truncate -s 40M sparse && seeded 100 7 >>sparse && cp sparse ../sparse && dig-add sparse &&
	dig-commit -q -m three && seeded 50M 8 >sparse &&
	dig-checkout-root --in-place HEAD . sparse && cmp ../sparse sparse &&
	test $(du -k sparse | cut -f 1) -lt 5000
'

test_expect_success 'other names of a file keep what they have, and links are not followed' '
	cd w && cp ../one large && ln large name && dig-checkout-root --in-place @2 . &&
	cmp ../two large && cmp ../one name &&
	cp ../one ../aim && ln -sf ../aim large && dig-checkout-root --in-place @2 . &&
	cmp ../two large && test ! -h large && cmp ../one ../aim
'

test_done
