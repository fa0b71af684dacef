#!/bin/sh

test_description='a kernel without openat2 takes paths step by step'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq STRACE || {
	skip_all='strace is needed'
	test_done
}

# old_kernel CMD...: CMD on a kernel whose openat2 is not there.
old_kernel () {
	strace -f -qq -o "$TRASH/calls" -e signal=none -e trace=openat2 -e inject=openat2:error=ENOSYS "$@"
}

# One injected call shows that the command asked for it at all.
is_asked_for () {
	grep -q "openat2(.*ENOSYS.*INJECTED" "$TRASH/calls"
}

test_expect_success 'a tree is added and extracted as with any kernel' '
	dig-init-store w >store &&
	cd w &&
	dig-config core.record_mtime false &&
	mkdir -p a/b/c empty && echo one >a/b/c/file && echo two >a/two && ln -s b a/link &&
	take_all && dig-ls-index >../expect &&
	dig-init-store ../old >../store && cd ../old &&
	dig-config core.record_mtime false &&
	cp -a ../w/a ../w/empty . &&
	old_kernel dig-add -q -A && is_asked_for &&
	dig-ls-index >../actual && test_cmp ../expect ../actual &&
	commit_staged first &&
	old_kernel dig-checkout-root HEAD ../out && is_asked_for &&
	test_cmp a/b/c/file ../out/a/b/c/file && test_cmp a/two ../out/a/two &&
	test "$(readlink ../out/a/link)" = b && test -d ../out/empty
'

test_expect_success 'nothing is read or written through a symbolic link' '
	cd old &&
	ln -s a behind &&
	echo behind/two >../list &&
	test_must_fail old_kernel dig-update-index --add --stdin-paths <../list 2>../err && is_asked_for &&
	test -s ../err && dig-ls-index --name-only >../names && ! grep behind/two ../names &&
	mkdir ../outside ../in-the-way &&
	ln -s ../outside ../in-the-way/a &&
	test_must_fail old_kernel dig-checkout-root -f HEAD ../in-the-way 2>../err &&
	ls ../outside >../actual && test_cmp /dev/null ../actual
'

test_done
