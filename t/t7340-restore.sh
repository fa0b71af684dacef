#!/bin/sh

test_description='dig restore brings back files of the work tree, and leaves everything else alone'

. "$(dirname "$0")/test-lib.sh"

dig init w >/dev/null && cd w && mkdir -p d/sub && echo one >a && echo x >d/x && echo y >d/sub/y && ln -s a link && dig add -q -A && dig commit -q -m one &&
	echo two >a && rm d/x && echo z >d/z && mkdir d/new && echo n >d/new/n && dig add -q -A && dig commit -q -m two || exit 1
cd "$TRASH" || exit 1

test_expect_success 'a file, a directory and everything come back; others stay' '
	cp -Rp w one && cd one && echo edited >a && rm d/sub/y && echo own >own && dig restore a 2>../err && echo two | test_cmp - a && ! test -e d/sub/y && grep "^1 file" ../err &&
	dig restore -q d && echo y | test_cmp - d/sub/y && echo more >>d/z && rm link && dig restore -q . && test "$(readlink link)" = a && echo z | test_cmp - d/z && test -e own &&
	dig status --porcelain=v1 >../actual && printf "?? own\n" | test_cmp - ../actual
'

test_expect_success 'paths are relative to the current directory, and any state can be named' '
	cp -Rp w two && cd two/d && rm z && dig restore -q z && echo z | test_cmp - z && dig restore -q --at=@1 x ../a && echo x | test_cmp - x && echo one | test_cmp - ../a &&
	dig tag -q v1 @1 && rm sub/y && dig restore -q --at=v1 . && echo y | test_cmp - sub/y && test -e z && test_expect_code 128 dig restore ../../other 2>../../err
'

test_expect_success '--exact removes what the index has and the state has not; what is not added stays' '
	cp -Rp w three && cd three && echo own >d/own && dig restore -n --exact --at=@1 d >../actual && cat >../expect <<-\EOF && test_cmp ../expect ../actual && test -e d/z &&
	remove	d/new/n
	remove	d/z
	write	d/sub/y
	write	d/x
	EOF
	dig restore --exact --at=@1 d 2>../err && grep "^2 paths removed" ../err && ! test -e d/z && ! test -e d/new && test -e d/x && test -e d/own && echo two | test_cmp - a &&
	dig status --porcelain=v1 >../actual && cat ../actual && dig restore -q --exact d && test -e d/x && test -e d/new/n && dig restore -q --exact --at=@1 d/z && ! test -e d/z
'

test_expect_success 'what is in no state is an error, and nothing is written' '
	cp -Rp w four && cd four && echo edited >a && test_expect_code 128 dig restore a nowhere 2>../err && grep "nowhere. is not in HEAD" ../err && echo edited | test_cmp - a &&
	test_expect_code 128 dig restore --at=@1 d/z 2>../err && grep "d/z. is not in @1" ../err && test_expect_code 128 dig restore --exact nowhere 2>../err &&
	test_expect_code 128 dig restore --at=@9 a 2>../err && test_expect_code 129 dig restore 2>../err && echo edited | test_cmp - a
'

test_expect_success 'nothing is written, and nothing removed, through a symbolic link' '
	mkdir outside outside/sub outside/new && echo secret >outside/z && echo secret >outside/sub/y && echo secret >outside/new/n && cp -Rp w five && cd five && rm -r d && ln -s ../outside d &&
	test_must_fail dig restore d 2>../err && cat ../err && echo secret >../secret && test_cmp ../secret ../outside/z && test_cmp ../secret ../outside/sub/y &&
	test_must_fail dig restore --exact --at=@1 d 2>../err && cat ../err && test_cmp ../secret ../outside/z && test_cmp ../secret ../outside/sub/y && test_cmp ../secret ../outside/new/n &&
	ls ../outside >../actual && printf "new\nsub\nz\n" | test_cmp - ../actual
'

test_expect_success 'a file where a symbolic link stands replaces the link, and not what it leads to' '
	cp -Rp w six && cd six && echo secret >../kept && rm a && ln -s ../kept a && dig restore -q a && ! test -L a && echo two | test_cmp - a && echo secret | test_cmp - ../kept
'

test_expect_success 'a directory in the way is told, and nothing is written' '
	cp -Rp w seven && cd seven && rm a && mkdir a && echo in >a/in && echo edited >d/z && test_expect_code 128 dig restore a d 2>../err && cat ../err && test -e a/in && echo edited | test_cmp - d/z
'

test_expect_success 'large files in place; --sync' '
	cp -Rp w eight && cd eight && seeded 3M 1 >big && dig add -q big && dig commit -q -m big && cp big ../big && printf XXXX | dd of=big bs=1 seek=2000000 conv=notrunc status=none &&
	inode=$(ls -i big) && dig restore -q --in-place --sync big && cmp big ../big && test "$(ls -i big)" = "$inode"
'

test_done
