#!/bin/sh

test_description='dig urn prints the long name of content, before the commit and after'

. "$(dirname "$0")/test-lib.sh"

dig init w >/dev/null && cd w && mkdir -p d && echo one >a && printf 'odd' >'d/an odd #name%' && dig add -q -A && dig commit -q -m one && echo two >a && dig add -q a &&
	dig commit -q -m two || exit 1
id=$(dig info store-id) && root2=$(dig info root) && root1=$(dig list-roots | sed -n 's/^1 \([0-9a-f]*\) .*/\1/p')
cd "$TRASH" || exit 1

test_expect_success 'committed content has the root of the newest state' '
	cd w && dig urn a >../actual && echo "urn:dig:chia:$id:$root2/a" | test_cmp - ../actual && dig get "$(cat ../actual)" >../content && echo two | test_cmp - ../content &&
	dig urn "d/an odd #name%" >../actual && echo "urn:dig:chia:$id:$root2/d/an%20odd%20%23name%25" | test_cmp - ../actual && dig get "$(cat ../actual)" >../content &&
	printf odd | cmp - ../content && dig urn d . >../actual && printf "urn:dig:chia:$id:$root2/d\nurn:dig:chia:$id:$root2\n" | test_cmp - ../actual
'

test_expect_success 'of any state, and as ROOT:PATH' '
	cd w/d && echo "urn:dig:chia:$id:$root1/a" >../../expect && dig urn --at=@1 ../a >../../actual && test_cmp ../../expect ../../actual &&
	dig urn @1:a >../../actual && test_cmp ../../expect ../../actual && dig get "$(cat ../../actual)" >../../content && echo one | test_cmp - ../../content &&
	dig get @1:a >../../content && echo one | test_cmp - ../../content && dig urn "HEAD@{2023-11-14}:a" >../../actual && echo "urn:dig:chia:$id:$root2/a" | test_cmp - ../../actual
'

test_expect_success 'a range, and the file root' '
	cd w && dig urn --range=0-1 a >../actual && echo "urn:dig:chia:$id:$root2/a#bytes=0-1" | test_cmp - ../actual && dig get "$(cat ../actual)" >../content && printf tw | cmp - ../content &&
	dig urn --file-root a >../actual && printf "urn:dig:chia:$id:$root2/a\t$(dig hash-object a)\n" | test_cmp - ../actual &&
	test_expect_code 129 dig urn --range=0-1 d 2>../err && test_expect_code 129 dig urn --range=x a 2>../err
'

test_expect_success 'content of no state has no root, and its file root is that after the commit' '
	cp -Rp w new && cd new && echo three >a && echo fresh >fresh && dig urn a fresh >../actual &&
	printf "urn:dig:chia:$id/a\t$(dig hash-object a)\nurn:dig:chia:$id/fresh\t$(dig hash-object fresh)\n" | test_cmp - ../actual &&
	dig add -q -A && dig urn a >../again && sed -n 1p ../actual | test_cmp - ../again && dig commit -q -m three && dig urn --file-root a >../after &&
	test "$(cut -f2 ../after)" = "$(sed -n "1s/.*	//p" ../actual)" && grep "^urn:dig:chia:$id:$(dig info root)/a	" ../after
'

test_expect_success 'a stream that is staged' '
	cp -Rp w stream && cd stream && echo piped | dig add -q --stdin --path=piped && dig urn piped >../actual &&
	printf "urn:dig:chia:$id/piped\t$(echo piped | dig hash-object --stdin)\n" | test_cmp - ../actual
'

test_expect_success PYTHON '--json, and names that are no UTF-8' '
	cp -Rp w odd && cd odd && name=$(printf "x\377:y") && echo odd >"$name" && dig urn --json "$name" a >../out && python3 -c "
import base64, json, sys
odd, a = map(json.loads, sys.stdin)
assert base64.b64decode(odd[\"path_b64\"]) == b\"x\xff:y\" and odd[\"root\"] is None and odd[\"urn\"].endswith(\"/x%FF:y\"), odd
assert a[\"path\"] == \"a\" and a[\"root\"] in a[\"urn\"] and len(a[\"file_root\"]) == 64
" <../out
'

test_expect_success 'what is nowhere is told; a link is not followed' '
	cd w && test_expect_code 128 dig urn nowhere 2>../err && grep "nowhere. is not in HEAD" ../err && test_expect_code 128 dig urn @1:nowhere 2>../err &&
	test_expect_code 128 dig urn @9:a 2>../err && test_expect_code 128 dig urn ../outside 2>../err && test_expect_code 129 dig urn 2>../err &&
	ln -s /etc/passwd link && dig urn link >../actual && printf "urn:dig:chia:$id/link\t$(printf /etc/passwd | dig hash-object --stdin)\n" | test_cmp - ../actual &&
	mkfifo fifo && test_expect_code 128 dig urn fifo 2>../err && dig init ../none >/dev/null && cd ../none && test_expect_code 128 dig urn x 2>../err
'

test_done
