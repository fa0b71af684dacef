#!/bin/sh

test_description='a layer file alone, here or at a URL, and layers that are laid out for that'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/object-server-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2
fetch.retries=1
fetch.stall_time=2'
export DIG_CONFIG

start_server || exit 1

# fetched: requests since the last call, and the bytes that they asked for.
fetched () {
	requests >asked && grep -c "" asked
}

test_expect_success 'a store of many small files, one with many chunks, one with holes, links' '
	dig-init-store w >/dev/null && (
		cd w && mkdir -p many empty && for number in $(seq 3000)
		do
			echo "file $number" >many/f$number || exit 1
		done && seeded 2M 1 >middle && seeded 40M 2 >large && truncate -s 3M holes && echo end >>holes && ln -s middle link && : >nothing && cp middle copy &&
		dig-add -A && dig-commit -q -m 1 && echo changed >many/f7 && dig-add many && dig-commit -q -m "2 é"
	)
'

test_expect_success 'the full layer is the layer of its state, and has all content' '
	(cd w && dig export --full ../x.dig 2>../said && dig-export-states -q --full --at=@1 ../first.dig && dig-show-layer HEAD >../own) && dig-show-layer x.dig >shown &&
	for key in layer root generation manifest time entries author
	do
		grep "^$key " own >expect && grep "^$key " shown | test_cmp expect - || return 1
	done && grep -x "full yes" shown && dig check x.dig >out && grep "^ok: @2, all of it is there" out && dig check first.dig && rm -rf y && dig-init-store y >/dev/null &&
	(cd y && dig-import -q ../first.dig && dig-import -q ../x.dig && dig-verify-store -q && dig-info root) >root && (cd w && dig-info root) | test_cmp - root && (cd y && dig-extract -q --at=HEAD ../out.y) && diff -r --no-dereference --exclude=.dig w out.y
'

test_expect_success 'the file is the same each time, to a pipe too, and for an empty state' '
	(cd w && dig export -q --full ../again.dig && dig export -q --full - >../piped.dig) && cmp x.dig again.dig && cmp x.dig piped.dig &&
	dig-init-store e >/dev/null && (cd e && echo 1 >a && dig-add a && dig-commit -q -m 1 && dig-rm -q --cached a && dig-commit -q -m 2 && dig export -q --full ../empty.dig) && dig check empty.dig && test -z "$(dig ls empty.dig)" &&
	(cd w && test_expect_code 129 dig export --full --since=@1 ../z.dig)
'

test_expect_success 'a layer file is read without a store' '
	dig cat x.dig:many/f7 >actual && test_cmp w/many/f7 actual && dig cat ./first.dig:many/f7 | grep -x "file 7" && dig get "$PWD/x.dig:large" | cmp - w/large && dig get -o out.large --range=1000-1999 x.dig:large && test $(wc -c <out.large) = 1000 &&
	dig cat x.dig:link && dig cat x.dig:nothing >actual && test_cmp /dev/null actual && dig ls x.dig >actual && (cd w && dig ls) | test_cmp - actual && dig ls -lr --utc x.dig:many >actual && (cd w && dig ls -lr --utc HEAD:many) | test_cmp - actual &&
	test_expect_code 128 dig cat x.dig:none 2>err && grep "is not in HEAD" err && test_expect_code 128 dig cat none.dig:x && (cd w && dig export -q ../all.merged) && dig cat all.merged:many/f7 | test_cmp w/many/f7 - && dig check all.merged >out && grep "^ok: @1 to @2" out
'

test_expect_success 'a layer that is not full is read as far as it goes' '
	cp w/.dig/layers/$(sed -n "s/^layer //p" own).dig part.dig && dig cat part.dig:many/f7 | test_cmp w/many/f7 - && test_expect_code 4 dig cat part.dig:large >out 2>err && test ! -s out && test_expect_code 4 dig check part.dig 2>err && grep "missing\|nowhere\|is not" err
'

test_expect_success 'names in a store are no layers' '
	(cd w && cp ../part.dig . && echo "a file" >b.dig && dig-add b.dig && dig cat HEAD:b.dig 2>/dev/null; test_expect_code 128 dig cat HEAD:none.dig:x 2>../err; rm part.dig b.dig && dig-reset -q) && grep none.dig:x err
'

# --- at a URL ---------------------------------------------------------------------------------------

test_expect_success 'a file takes three requests, and few bytes' '
	cp x.dig "$objects/x.dig" && requests >/dev/null && for path in many/f7 many/f1 many/f2999 link holes
	do
		dig cat "$at/plain/x.dig:$path" >actual && fetched >count && (cd w && dig-cat HEAD:$path) | test_cmp - actual && test "$(cat count)" -le 3 || return 1
	done && dig cat --range=20000000-20000099 "$at/plain/x.dig:large" >actual && fetched >count && tail -c +20000001 w/large | head -c 100 | test_cmp - actual && test "$(cat count)" -le 5 &&
	dig cat --range=-10 "$at/plain/x.dig:middle" >actual && fetched >count && tail -c 10 w/middle | test_cmp - actual && test "$(cat count)" -le 4
'

test_expect_success 'all of it comes by ranges, too' '
	dig get "$at/plain/x.dig:large" | cmp - w/large && dig ls -r "$at/plain/x.dig" >actual && (cd w && dig ls -r) | test_cmp - actual && requests >/dev/null && dig check "$at/plain/x.dig" >out && grep "nothing damaged" out && test "$(fetched)" -le 40
'

test_expect_success 'what a file is made of is proved from there, too' '
	root=$(dig -C w info root) && for words in many/f7 "--range=20000000-20000099 large" "--absent many/none" link
	do
		dig prove $(echo "$words" | sed "s,[^ ]*\$,$at/plain/x.dig:&,") -o proof && dig-verify-proof -q --root=$root proof &&
		dig -C w prove $words -o ../local && test_cmp local proof || return 1
	done &&
	test_expect_code 1 dig prove "$at/plain/x.dig:many/none" 2>err && grep "many/none" err && test_expect_code 12 dig prove "$at/plain/none.dig:x" &&
	dig prove --range=5- --data -o proof "$at/plain/x.dig:middle" && dig-verify-proof -q --root=$root --data=proof.data --path=middle proof
'

test_expect_success 'layers without hints are read with more requests' '
	cp part.dig "$objects/part.dig" && cp all.merged "$objects/all.merged" && dig cat "$at/plain/part.dig:many/f7" | test_cmp w/many/f7 - && dig cat "$at/plain/all.merged:many/f7" | test_cmp w/many/f7 - && dig get "$at/plain/all.merged:middle" | cmp - w/middle
'

test_expect_success 'servers without ranges from the end, and those that send other bytes' '
	for how in no-suffix no-suffix=lies
	do
		dig cat "$at/$how/x.dig:many/f7" >actual 2>err; cat err
		case $how in
		no-suffix) test_cmp w/many/f7 actual ;;
		*) test_cmp /dev/null actual && test -s err ;;
		esac || return 1
	done && test_expect_code 12 dig cat "$at/no-ranges/x.dig:many/f7" >actual && test_cmp /dev/null actual && test_expect_code 12 dig cat "$at/plain/none.dig:x" 2>err && grep "there is nothing at" err &&
	test_expect_code 12 dig cat http://127.0.0.1:1/x.dig:y && test_expect_code 129 dig cat ftp://127.0.0.1/x.dig:y && test_expect_code 129 dig cat "file://$PWD/x.dig:y"
'

test_expect_success 'a file that is replaced while it is read is noticed' '
	cp x.dig "$objects/swapped.dig" && cp first.dig "$objects/swapped.dig.next" && test_expect_code 12 dig cat "$at/swap-unconditional=99999999/swapped.dig:many/f7" >actual 2>err && test_cmp /dev/null actual && cat err && grep "replaced\|changed" err
'

# --- nothing is believed ----------------------------------------------------------------------------

# The section of hints with other bytes, and all checksums right.
cat >forge.py <<\EOF
import struct, sys, zlib
how, content = sys.argv[2], bytearray(open(sys.argv[1], "rb").read())
table, count = struct.unpack_from("<QI", content, len(content) - 80)
at = table + 24 * (count - 1)
kind, flags, crc, offset, size = struct.unpack_from("<HHIQQ", content, at)
assert kind == 11
section = content[offset:offset + size]
if how == "rubbish":
    section = bytearray(b"\x00" + struct.pack("<I", size - 5) + bytes(i * 7 & 255 for i in range(size - 5)))
elif how == "huge":
    section[1:5] = struct.pack("<I", 0xffffffff)
elif how == "empty":
    section = bytearray(b"\x00" + struct.pack("<I", 17) + struct.pack("<QBII", 1, 99, 0, 0)) + bytes(size - 22)
elif how == "places":
    places = b"".join(struct.pack("<QIHBBQIIHHII", i, i, 9, 2, 2, i * 77, 50, 0xffffffff, 1, 0, 0xffffffff, 9)
        for i in range((size - 22) // 44))
    raw = struct.pack("<QBI", 5, 3, len(places) // 44) + places + struct.pack("<I", 0)
    section = bytearray(b"\x00" + struct.pack("<I", len(raw)) + raw)
    section += bytes(size - len(section))
content[offset:offset + size] = section
struct.pack_into("<I", content, at + 4, zlib.crc32(section))
records = content[table:table + 24 * count]
struct.pack_into("<I", content, len(content) - 80 + 56, zlib.crc32(records))
struct.pack_into("<I", content, len(content) - 4, zlib.crc32(content[-80:-4]))
sys.stdout.buffer.write(content)
EOF

test_expect_success 'hints that are wrong cost requests, and lead to no other bytes' '
	for how in same rubbish huge empty places
	do
		python3 forge.py x.dig $how >"$objects/forged.dig" && for path in many/f7 many/f2000 middle
		do
			timeout 60 dig cat "$at/plain/forged.dig:$path" >actual 2>err || test ! -s actual || return 1
			test ! -s actual || test_cmp w/$path actual || { echo $how $path; return 1; }
			case $how in same|rubbish|huge) test_cmp w/$path actual || { cat err; return 1; } ;; esac
		done
	done
'

test_expect_success 'bytes that are flipped anywhere give an error or the right bytes' '
	size=$(wc -c <first.dig) && for number in $(seq 60)
	do
		cp x.dig "$objects/flipped.dig" && python3 -c "
import random, sys
random.seed(int(sys.argv[2])); f = open(sys.argv[1], \"r+b\"); n = f.seek(0, 2)
at = n - 1 - random.randrange(400 if random.random() < .3 else 300000 if random.random() < .5 else n); f.seek(at); b = f.read(1); f.seek(at); f.write(bytes([b[0] ^ 1 << random.randrange(8)]))" "$objects/flipped.dig" $number &&
		{ timeout 60 dig cat "$at/plain/flipped.dig:many/f$number" >actual 2>err; status=$?; } && case $status in
		0) test_cmp w/many/f$number actual ;;
		4|12|128) test_cmp /dev/null actual && test -s err ;;
		*) false ;;
		esac || { echo "$number: $status"; return 1; }
	done
'

stop_server

test_done
