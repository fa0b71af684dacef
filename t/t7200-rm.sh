#!/bin/sh

test_description='dig rm checks first, and loses nothing that is nowhere else'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'what was never committed is refused, and so is a newer version that is staged' '
	mkdir w && cd w && dig-init-store . >/dev/null && mkdir d && echo 1 >a && echo 1 >d/b && echo 1 >d/c && dig add -A &&
	test_expect_code 128 dig rm a 2>../err && grep "a.: staged and not committed" ../err && dig commit -q -m1 &&
	dig rm a && ! test -e a && dig reset -q && echo 22 >d/b && dig add d/b && dig ls-index >../before &&
	test_expect_code 128 dig rm d 2>../err && grep "d/b.: staged and not committed" ../err && ! grep d/c ../err &&
	dig ls-index | test_cmp ../before - && test -e d/b && test -e d/c
'

test_expect_success 'a change in the work tree is refused, a time alone is none' '
	cd w && dig reset -q && test_expect_code 128 dig rm d 2>../err && grep "d/b.: changed since" ../err && test -e d/c &&
	echo 1 >d/b && touch -d @1 d/b d/c && dig rm d/b && ! test -e d/b && dig reset -q d/b &&
	mkfifo d/b && test_expect_code 128 dig rm d/b 2>/dev/null && test -p d/b && rm d/b && dig rm d/b
'

test_expect_success '--cached asks only for what is in neither place, -f for nothing' '
	cd w && dig reset -q && echo 22 >d/b && dig add d/b && dig rm --cached d/b && test -e d/b && dig reset -q && dig add d/b &&
	echo 333 >d/b && test_expect_code 128 dig rm --cached d/b 2>../err && grep "d/b.: staged, with content that neither" ../err &&
	test_expect_code 128 dig rm d/b 2>../err && grep "d/b.: staged, with content that neither" ../err &&
	dig rm -f d/b && ! test -e d/b && test -e d/c
'

test_expect_success 'one path that is not there keeps all others' '
	cd w && test_expect_code 128 dig rm d/c absent 2>../err && grep "absent. is not in the index" ../err &&
	test -e d/c && dig rm d/c && ! test -e d
'

test_expect_success 'a parent that is a symlink or a file now leads nowhere' '
	mkdir p && cd p && dig-init-store . >/dev/null && mkdir d e && echo 1 >d/x && echo 1 >e/x && echo 1 >k && dig add -A && dig commit -q -m1 &&
	mv d real && ln -s real d && rm -r e && echo file >e && dig rm d/x e/x && test -h d && test -e real/x && test -f e &&
	dig ls-index --name-only >../actual && echo k | test_cmp - ../actual
'

test_expect_success 'a directory in the place of a file is named before anything is done' '
	cd p && rm -rf d e && dig reset -q && dig extract -f . && mkdir e/y && rm d/x && mkdir d/x && echo 1 >d/x/new &&
	test_expect_code 128 dig rm e d k 2>../err && grep "d/x.: a directory now" ../err && test -e k && test -e e/x &&
	dig diff-index && test_expect_code 128 dig rm -f k d/x 2>/dev/null && test -e k && dig rm --cached d/x && test -e d/x/new
'

test_expect_success ROOT 'so is a file whose directory cannot be changed' '
	cd p && dig reset -q && rm -rf d && dig extract -f . && chmod 555 d && chmod 0 e &&
	test_expect_code 128 without_override dig rm k d/x 2>../err && grep "d/x.: its directory cannot be changed" ../err &&
	test -e k && test_expect_code 128 without_override dig rm -f k e/x 2>../err && grep "e/x" ../err && test -e k &&
	dig diff-index && chmod 755 d e
'

test_expect_success 'a stream without a file is removed, and directories that are empty then, but not where one stands' '
	cd p && mkdir -p s/t && echo 1 >s/t/f && dig add s && printf x | dig add --stdin --path=s/stream && dig commit -q -m2 &&
	dig rm s/stream && cd s/t && dig rm f && cd ../.. && test -d s/t && rmdir s/t s
'

test_expect_success 'a pipe that has come in the place of a stream is not removed' '
	test_when_finished "rm -rf q" && dig init -q q &&
	cd q && printf x | dig add --stdin --path=s && dig commit -q -m1 && dig status --porcelain=v1 >clean &&
	mkfifo s && dig status --porcelain=v1 >pipe && ! test_cmp clean pipe >/dev/null && grep "^ T" pipe &&
	test_expect_code 128 dig rm s 2>/dev/null && test -p s && dig rm -f s && test ! -e s
'

test_expect_success 'a-b is none of a, and everything is everything' '
	cd p && dig reset -q && mkdir -p a && echo 1 >a/x && echo 1 >a-b && dig add -A && dig commit -q -m3 &&
	dig rm a && test -e a-b && dig ls-index --name-only a-b >../actual && echo a-b | test_cmp - ../actual &&
	dig rm -f . && dig ls-index >../actual && test_cmp /dev/null ../actual
'

test_done
