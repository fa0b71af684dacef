#!/bin/sh

test_description='what frees space works on a disk that is full'

. "$(dirname "$0")/test-lib.sh"

if ! test_have_prereq UNSHARE
then
	skip_all='no file system can be mounted'
	test_done
fi

# on_full_disk CODE: with CODE run in a work tree on a tmpfs of 24 MB, which fill fills.
on_full_disk () {
	mkdir -p disk && unshare --map-root-user --mount sh -ec '
		mount -t tmpfs -o size=24m none disk && cd disk
		fill () { dd if=/dev/zero of="../fill$1" bs=4096 2>/dev/null || :; test "$(room)" = 0; }
		room () { df --output=avail . | tail -n 1 | tr -d " "; }
		dig-init-store w >/dev/null && cd w
		for i in 1 2 3
		do
			seeded 2M $i >a && dig-add -q a && dig-commit -q -m $i
		done
		eval "$1"' sh "$1"
}

test_expect_success 'dig reset gives back what is staged' '
	on_full_disk "seeded 8M 9 | dig-add -q --stdin --path=big && fill .1 && dig-reset -q && test \$(room) -gt 7000 &&
		dig-verify-store -q && seeded 100 5 >small && dig-add -q small && dig-commit -q -m more && dig-verify-store -q"
'

test_expect_success 'it does so without the reserve' '
	on_full_disk "seeded 8M 9 | dig-add -q --stdin --path=big && rm .dig/reserve && fill .1 && dig-reset -q &&
		test \$(room) -gt 7000 && dig-verify-store -q && test -e .dig/reserve"
'

test_expect_success 'dig rm --cached and dig gc work, and the space is back' '
	on_full_disk "seeded 8M 9 | dig-add -q --stdin --path=big && fill .1 && dig-rm -q --cached a && rm a &&
		dig-gc -q --keep-last=1 --now && test \$(room) -gt 3500 && dig-verify-store -q && dig-cat @3:a >a && seeded 2M 3 | cmp - a"
'

test_done
