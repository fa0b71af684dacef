#!/bin/sh

test_description='dig checkpoint signs a history once and for all; others can read it'

. "$(dirname "$0")/test-lib.sh"

dig init >/dev/null && dig-config core.merge_layers false && for i in 1 2 3
do
	echo $i >f && dig add -q f && dig commit -q -m $i || exit 1
done && root=$(dig info root) && id=$(cat .dig/store-id) && dig key new key >vkey && dig key new other >/dev/null || exit 1

test_expect_success 'without a key it is the text that a key would sign' '
	dig checkpoint >out && sed -n 1p out | grep -x "urn:dig:chia:$id" && sed -n 2p out | grep -x 3 && test $(wc -l <out) = 4 && test ! -e .dig/checkpoint &&
	dig checkpoint @2 | sed -n 2p | grep -x 2 && test_expect_code 5 dig-verify-proof --key=key.pub out 2>err && dig-verify-proof -q --root=$root out
'

test_expect_success 'a signed one is remembered, and is the same again' '
	dig checkpoint --sign=key >signed && dig checkpoint --last | test_cmp signed - && dig checkpoint --sign=key | test_cmp signed - &&
	cmp signed .dig/checkpoint && dig-verify-proof --key=key.pub signed >out && grep -x "signer urn:dig:chia:$id" out && grep -x "root $root" out &&
	dig-verify-proof -q --key="$(cat vkey)" signed && test_expect_code 5 dig-verify-proof --key=other.pub signed 2>err &&
	dig-verify-proof -q --key=other.pub --key=key.pub signed && dig check -q
'

test_expect_success 'a second key signs beside the first' '
	dig checkpoint --sign=other >both && test $(grep -c "^—" both) = 2 && dig-verify-proof -q --key=key.pub both && dig-verify-proof -q --key=other.pub both
'

test_expect_success 'a wrong signature of a key that is believed is refused, one of a stranger passed over' '
	sed "s/^\(— [^ ]* ......\)./\1A/" signed >wrong && ! cmp -s signed wrong && test_expect_code 5 dig-verify-proof --key=key.pub wrong 2>err && grep "is wrong" err &&
	{ cat signed && echo "— example.com/a AAAAAAAAAAAAAAAA"; } >more && dig-verify-proof -q --key=key.pub more &&
	sed "2s/3/4/" signed >more && test_expect_code 5 dig-verify-proof --key=key.pub more 2>err
'

test_expect_success 'proofs lead to it, and grow old with it' '
	dig prove --checkpoint -o proof f && dig-verify-proof --key=key.pub proof >out && grep -x "path f" out && dig prove --checkpoint --at=@1 -o proof f &&
	dig-verify-proof --key=key.pub proof >out && grep -x "generation 1" out && grep -x "history 3" out && dig verify proof >out &&
	echo 4 >f && dig add -q f && dig commit -q -m 4 && test_expect_code 1 dig prove --checkpoint f 2>err && grep "covers the states up to @3" err &&
	dig checkpoint --sign=key >newer && dig prove --checkpoint -o proof f && dig-verify-proof -q --key=key.pub proof &&
	dig prove --checkpoint=signed --at=@2 -o proof f && dig-verify-proof -q --key=key.pub proof &&
	dig prove --consistency --checkpoint @2 -o proof && dig-verify-proof --key=key.pub proof >out && grep -x "older-generation 2" out
'

test_expect_success 'nothing is signed that contradicts it' '
	test_expect_code 5 dig checkpoint --sign=key @3 2>err && grep "nothing is signed" err && dig checkpoint --last | test_cmp newer - &&
	dig export -q --at=@2 two.dig && mkdir second && cd second && dig init >/dev/null && dig import -q ../two.dig &&
	for i in a b c
	do
		echo $i >f && dig add -q f && dig commit -q -m $i || return 1
	done && cp ../newer .dig/checkpoint && test_expect_code 5 dig checkpoint --sign=../key 2>err && grep "does not go on" err &&
	cmp ../newer .dig/checkpoint && test_expect_code 5 dig prove --checkpoint f 2>err
'

test_expect_success PYTHON 'tiles have the history, and its checkpoint' '
	dig export --tiles tiles 2>err && cmp tiles/checkpoint .dig/checkpoint && (cd tiles && find . -type f | sort) >actual &&
	printf "%s\n" ./checkpoint ./tile/0/000.p/4 ./tile/entries/000.p/4 | test_cmp - actual && dig export --tiles tiles 2>err && grep "0 tiles written" err &&
	mkdir long && (cd long && dig init >/dev/null && dig-config core.merge_layers false && for i in $(seq 300)
	do
		dig commit -q --allow-empty -m $i || exit 1
	done && dig export -q --tiles tiles && dig-list-roots) >roots && (cd long/tiles && find . -type f | sort) >actual &&
	printf "%s\n" ./checkpoint ./tile/0/000 ./tile/0/001.p/44 ./tile/1/000.p/1 ./tile/entries/000 ./tile/entries/001.p/44 | test_cmp - actual &&
	python3 -c "
import base64, hashlib, sys
sys.path.insert(0, sys.argv[1])
from dig_reference import leaf_hash, mth_of_hashes
read = lambda name: open(\"long/tiles/tile/\" + name, \"rb\").read()
entries = read(\"entries/000\") + read(\"entries/001.p/44\")
ids = [entries[i + 2:i + 34] for i in range(0, len(entries), 34)]
hashes = [leaf_hash(id) for id in ids]
assert b\"\".join(hashes) == read(\"0/000\") + read(\"0/001.p/44\") and mth_of_hashes(hashes[:256]) == read(\"1/000.p/1\")
origin, size, head = open(\"long/tiles/checkpoint\").read().split(\"\\n\")[:3]
assert size == \"300\" and base64.b64decode(head) == mth_of_hashes(hashes)
" "$TEST_DIRECTORY/reference"
'

test_expect_success 'a checkpoint that is damaged is no reason to sign' '
	cp .dig/checkpoint kept && echo x >.dig/checkpoint && test_expect_code 5 dig checkpoint --sign=key 2>err && test "$(cat .dig/checkpoint)" = x &&
	grep "checkpoint. is damaged" err && : >.dig/checkpoint && test_expect_code 5 dig checkpoint --sign=key 2>err && test ! -s .dig/checkpoint &&
	test_expect_code 5 dig prove --checkpoint f 2>err && dig prove f >proof && dig verify -q proof && dig check -q &&
	cp kept .dig/checkpoint && chmod 644 .dig/checkpoint
'

test_expect_success PYTHON 'witnesses add their signatures, and a policy counts them' '
	cat >witness.py <<-\EOF &&
	import base64, hashlib, struct, sys
	sys.path.insert(0, sys.argv[1])
	from dig_proof import BASE, FIELD, ORDER, times
	name, seed, time = sys.argv[2], hashlib.sha256(sys.argv[2].encode()).digest(), 1700000000
	def compressed(p):
	    z = pow(p[2], FIELD - 2, FIELD)
	    x, y = p[0] * z % FIELD, p[1] * z % FIELD
	    return (y | (x & 1) << 255).to_bytes(32, "little")
	h = hashlib.sha512(seed).digest()
	a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
	key = compressed(times(a, BASE))
	key_id = hashlib.sha256(name.encode() + b"\n\x04" + key).digest()[:4]
	body = open(sys.argv[3], encoding="utf-8").read().split("\n\n")[0] + "\n"
	message = f"cosignature/v1\ntime {time}\n{body}".encode()
	r = int.from_bytes(hashlib.sha512(h[32:] + message).digest(), "little") % ORDER
	big_r = compressed(times(r, BASE))
	s = (r + int.from_bytes(hashlib.sha512(big_r + key + message).digest(), "little") * a) % ORDER
	signature = struct.pack(">Q", time) + big_r + s.to_bytes(32, "little")
	with open(name + ".line", "w", encoding="utf-8") as file:
	    file.write(f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n")
	with open(name + ".vkey", "w") as file:
	    file.write(f"{name}+{key_id.hex()}+{base64.b64encode(bytes([4]) + key).decode()}\n")
	EOF
	for name in w1 w2 w3
	do
		python3 witness.py "$TEST_DIRECTORY/reference" $name .dig/checkpoint || return 1
	done &&
	cat >policy <<-EOF &&
	# two of three
	log $(cat vkey)
	witness a $(cat w1.vkey)
	witness b $(cat w2.vkey) https://example.com/b
	witness c $(cat w3.vkey)
	group g 2 a b c
	quorum g
	EOF
	test_expect_code 5 dig verify --policy=policy .dig/checkpoint 2>err && grep "too few witnesses" err && dig checkpoint --cosign=w1.line >out &&
	test_expect_code 5 dig verify --policy=policy .dig/checkpoint 2>err && dig checkpoint --cosign=- <w3.line >out && dig checkpoint --last | test_cmp out - &&
	dig verify --policy=policy out >told && grep -x "signer w1" told && grep -x "signer w3" told && dig prove --checkpoint -o proof f && dig-verify-proof -q --policy=policy proof &&
	dig checkpoint --cosign=w1.line | test_cmp out - && sed "s/group g 2/group g all/" policy >strict && test_expect_code 5 dig-verify-proof -q --policy=strict proof 2>err &&
	sed "/^log/d" policy >any && dig-verify-proof -q --policy=any proof && sed "s/^quorum.*/quorum none/" policy >none && dig-verify-proof -q --policy=none proof
'

test_expect_success PYTHON 'a policy that is none is refused, with its line' '
	for line in "quorum x" "witness a" "group g 3 a b" "log $(cat w1.vkey)" "witness none $(cat w1.vkey)" "witness z $(cat vkey)" "more" "group h any a a" "witness d $(cat w1.vkey)"
	do
		{ sed "/^group/d; /^quorum/d" policy && echo "$line"; } >bad && test_expect_code 128 dig verify --policy=bad proof 2>err && grep "line 6" err || return 1
	done && grep -v quorum policy >bad && test_expect_code 128 dig verify --policy=bad proof 2>err && grep "no line .quorum" err
'

test_done
