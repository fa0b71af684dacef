#!/bin/sh

test_description='dig-list-roots lists the states of a store, the newest first'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'without a commit nothing is printed; without a store it is told' '
	test_expect_code 10 dig-list-roots && dig-init-store w >store && cd w && dig-list-roots >../actual &&
	test_cmp /dev/null ../actual && dig-list-roots -z -n 3 >../actual && test_cmp /dev/null ../actual
'

test_expect_success 'a line has generation, root and layer id' '
	cd w && : >../expect &&
	for i in 1 2 3
	do
		echo $i >file && take_all && layer=$(dig-write-layer -m $i) && root=$(dig-update-root $layer) &&
		{ echo $i $root $layer && cat ../expect; } >../longer && mv ../longer ../expect || return 1
	done &&
	dig-list-roots >../actual && test_cmp ../expect ../actual
'

# Worked out from the page: H(0x03 || u64 n || MTH(layer ids)), where a leaf is H(0x00 || id).
test_expect_success PYTHON 'each root follows from the layer ids' '
	cat >roots.py <<-\EOF &&
	import hashlib, struct, sys
	H = lambda *pieces: hashlib.sha256(b"".join(pieces)).digest()
	lines = [line.split() for line in sys.stdin][::-1]
	one, two, three = [H(b"\0", bytes.fromhex(layer)) for _, _, layer in lines]
	trees = [one, H(b"\1", one, two), H(b"\1", H(b"\1", one, two), three)]
	for n, tree in enumerate(trees, 1):
	    assert H(b"\3", struct.pack("<Q", n), tree).hex() == lines[n - 1][1], n
	EOF
	python3 roots.py <expect
'

test_expect_success '-n limits, -z ends records with NUL' '
	cd w && head -n 2 ../expect >../two && dig-list-roots -n 2 >../actual && test_cmp ../two ../actual &&
	dig-list-roots -n 9 >../actual && test_cmp ../expect ../actual &&
	tr "\\n" "\\0" <../two >../nul && dig-list-roots -z -n 2 >../actual && cmp ../nul ../actual
'

test_expect_success 'a damaged list is told' '
	cd w && cp .dig/roots ../roots && chmod u+w .dig/roots &&
	printf XXXXXXXX | dd of=.dig/roots bs=1 seek=70 conv=notrunc status=none &&
	test_expect_code 4 dig-list-roots 2>../err && grep roots ../err && cp ../roots .dig/roots && dig-list-roots -n 1
'

test_expect_success 'wrong usage is told, and output that cannot be written' '
	cd w && test_expect_code 129 dig-list-roots HEAD && test_expect_code 129 dig-list-roots -n some &&
	test_expect_code 128 dig-list-roots >/dev/full
'

test_done
