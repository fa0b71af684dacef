#!/bin/sh

test_description='dig-verify-store --repair makes anew what follows from the layers'

. "$(dirname "$0")/test-lib.sh"

DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

# repaired STORE: the repair ends with 0, the roots are those of before, every state can be read.
repaired () {
	(
		cd $1 && dig-verify-store --repair >../out 2>../err && cmp .dig/roots ../roots &&
		for number in 1 2 3 4
		do
			dig-cat @$number:now >../actual && echo $number | cmp - ../actual || exit 1
		done
	)
}

test_expect_success 'a store of four states' '
	dig-init-store w >/dev/null &&
	(
		cd w &&
		for number in 1 2 3 4
		do
			seeded 3K $number >f$number && echo $number >now && commit_all $number >/dev/null || exit 1
		done
	) &&
	cp w/.dig/roots roots && test $(wc -c <roots) = 292
'

test_expect_success 'a store that is whole is not changed' '
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | sort) >expect &&
	(cd w && dig-verify-store --repair) >out && ! grep repaired out &&
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | sort) >actual && test_cmp expect actual
'

test_expect_success 'roots that are gone come back' '
	cp -a w x && rm x/.dig/roots &&
	(cd x && test_expect_code 4 dig-cat @1:now 2>../err && grep "roots" ../err) &&
	repaired x && grep "^repaired: roots was made anew: 4 states$" out && (cd x && dig-verify-store -q)
'

test_expect_success 'porcelain does the same' '
	rm x/.dig/roots && (cd x && dig check --repair) >out && grep "^repaired: roots" out && cmp x/.dig/roots roots
'

test_expect_success 'roots of every length come back' '
	for size in $(seq 0 23 291)
	do
		head -c $size roots >x/.dig/roots && repaired x || return 1
	done
'

test_expect_success 'roots with any byte changed come back' '
	for offset in $(seq 0 291)
	do
		cp roots x/.dig/roots && flip_bit x/.dig/roots $offset && repaired x || return 1
	done
'

test_expect_success 'the damaged file is kept, and the check is content with it' '
	rm -f x/.dig/damaged-roots-* && cp roots x/.dig/roots && flip_bit x/.dig/roots 50 && cp x/.dig/roots damaged &&
	repaired x && cmp x/.dig/damaged-roots-1 damaged && grep "kept as .*damaged-roots-1" out &&
	cp damaged x/.dig/roots && repaired x && cmp x/.dig/damaged-roots-2 damaged &&
	(cd x && dig-verify-store -q) 2>err && test ! -s err
'

test_expect_success 'commits go on after a repair' '
	cp -a x y && (cd y && echo more >more && commit_all more >/dev/null && dig-verify-store -q)
'

# The file is as long as its count says.  So the layer behind its last record is no state.
test_expect_success 'a layer that no state needs does not become one, unless nothing tells' '
	rm -rf y && cp -a w y &&
	(
		cd y && echo stray >stray && dig-add -A && dig-write-layer -m stray >/dev/null &&
		test $(ls .dig/layers | wc -l) = 5
	) &&
	cp roots y/.dig/roots && flip_bit y/.dig/roots 290 && repaired y &&
	rm y/.dig/roots && (cd y && dig-verify-store --repair >../out 2>../err && test $(dig-list-roots | wc -l) = 5) &&
	head -c 280 roots | tail -c 248 >expect && head -c 280 y/.dig/roots | tail -c 248 | cmp - expect
'

test_expect_success 'of two layers the one with successors is the state' '
	rm -rf y && cp -a w y &&
	dig-init-store --store-id=$(cat w/.dig/store-id) other >/dev/null &&
	(cd other && echo other >now && commit_all other >/dev/null && cp .dig/layers/* ../y/.dig/layers/) &&
	test $(ls y/.dig/layers | wc -l) = 5 && rm y/.dig/roots && repaired y
'

# The newer branch counts, since nothing else tells.
test_expect_success 'of two branches one is taken, and the other one is left alone' '
	rm -rf y && cp -a w y &&
	(
		cd y && cp -a .dig ../early && echo 5 >now && commit_all five >/dev/null && mv .dig/layers ../kept &&
		rm -r .dig && mv ../early .dig && cp -n ../kept/* .dig/layers/ && rm -r ../kept &&
		for number in 5 6 7
		do
			echo again$number >now && commit_all again$number >/dev/null || exit 1
		done &&
		test $(ls .dig/layers | wc -l) = 8 && cp .dig/roots ../longer && rm .dig/roots &&
		dig-verify-store --repair >../out 2>../err && cmp .dig/roots ../longer && grep "belongs to no generation" ../err
	)
'

test_expect_success 'a missing layer that the file names stays in the history' '
	rm -rf y && cp -a w y && gone=$(cd y && layer_of 2) && rm y/$gone && flip_bit y/.dig/roots 290 &&
	(
		cd y && test_expect_code 4 dig-verify-store --repair >../out 2>../err && grep "^repaired: roots" ../out &&
		cmp .dig/roots ../roots && grep "$gone.* the layer of generation 2 is missing" ../err &&
		echo 4 >../expect && dig-cat HEAD:now | cmp - ../expect && dig-cat @3:f3 | cmp - f3
	)
'

test_expect_success 'a missing layer that nothing names ends the repair, and nothing is changed' '
	rm y/.dig/roots && (cd y && test_expect_code 4 dig-verify-store --repair >../out 2>../err) &&
	grep "the layer of generation 2 is missing" err && grep "put it back" err &&
	test ! -e y/.dig/roots && test ! -s out &&
	cp w/$gone y/$gone && repaired y
'

# A kill leaves the damaged file or the new one, and perhaps a copy of the damaged one.
test_expect_success STRACE 'a repair that is killed is made by the next one' '
	rm -rf y && cp -a w y && flip_bit y/.dig/roots 50 && cp -a y damaged-store && killed=0 &&
	for call in pwritev2 write fsync fdatasync rename
	do
		for number in 1 2 3 4
		do
			rm -rf y && cp -a damaged-store y && status=0 &&
			(
				cd y && exec strace -f -qq -o ../calls -e trace=$call -e signal=none \
					-e inject=$call:signal=KILL:when=$number dig-verify-store --repair >../out 2>../err
			) || status=$?
			test $status = 0 || killed=$((killed + 1))
			repaired y && (cd y && dig-verify-store -q 2>../err) && test ! -s err ||
				{ echo "after $call $number"; return 1; }
		done
	done &&
	test $killed -ge 4
'

test_expect_success STRACE 'where a write fails, the damaged file stays' '
	for number in 1 2
	do
		rm -rf y && cp -a damaged-store y &&
		(
			cd y && test_expect_code 128 strace -f -qq -o ../calls -e trace=rename -e signal=none \
				-e inject=rename:error=ENOSPC:when=$number dig-verify-store --repair 2>../err
		) && grep "No space left" err && cmp y/.dig/roots damaged-store/.dig/roots && repaired y || return 1
	done
'

test_expect_success 'the store id comes back' '
	rm -rf y && cp -a w y && rm y/.dig/store-id && repaired y && cmp y/.dig/store-id w/.dig/store-id &&
	echo x >>y/.dig/store-id && repaired y && cmp y/.dig/store-id w/.dig/store-id
'

test_expect_success 'a damaged run of the chunk index is made anew' '
	rm -rf y && cp -a w y &&
	(
		cd y &&
		for number in $(seq 8)
		do
			echo $number >many && commit_all $number >/dev/null || exit 1
		done &&
		ls .dig/chunk-index/*.run >../runs && run=$(head -n 1 ../runs) && flip_bit $run 5000 &&
		test_expect_code 4 dig-verify-store -q 2>../err &&
		dig-verify-store --repair >../out &&
		grep "^repaired: the chunk index was made anew: 1 run was damaged" ../out &&
		dig-verify-store -q
	)
'

test_expect_success PYTHON 'roots of a newer version are no damage' '
	rm -rf y && cp -a w y &&
	python3 - y/.dig/roots <<-\EOF &&
	import binascii, struct, sys
	data = bytearray(open(sys.argv[1], "rb").read())
	data[8] = 9
	data[20:24] = struct.pack("<I", binascii.crc32(data[:20]))
	data[-4:] = struct.pack("<I", binascii.crc32(data[:-4]))
	open(sys.argv[1], "wb").write(data)
	EOF
	cp y/.dig/roots newer && (cd y && test_expect_code 128 dig-verify-store --repair 2>../err) &&
	grep "format version 9" err && cmp y/.dig/roots newer
'

test_done
