#!/bin/sh

test_description='layers that lie: paths, counts, sizes, bombs'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

hostile=$TEST_DIRECTORY/helper/hostile.py bounded=$TEST_DIRECTORY/helper/bounded.py
# Sanitizers need memory of their own: terabytes of addresses, and more of what they count.
test_have_prereq SANITIZED && SANITIZED=1 && export SANITIZED

# bounded_addresses: from here on a process that wants more gets none.
bounded_addresses () {
	test -n "$SANITIZED" || ulimit -v 1500000
}

store_id=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

# hostile_store CASE: the store "in/w" with that layer as the newest state; "in" is watched.
hostile_store () {
	rm -rf in/w/.dig/layers in/w/.dig/staging/* in/w/.dig/lock in/w/.dig/adding-* in/w/[a-z]* &&
	cp -r cases/$1/layers cases/$1/roots in/w/.dig/ &&
	layer=$(cat cases/$1/layer)
}

what_is_there () {
	find in -path in/w/extracted -prune -o -path in/w/.dig/layers -prune -o -print | sort
}

# Damage is found, or nothing is wrong: no other status, and no crash.
ends_well () {
	status=0
	"$@" || status=$?
	case $status in
	0 | 1 | 3 | 4 | 128) : ;;
	*) echo "status $status: $*" >&4 && false ;;
	esac
}

# Every command that reads a state ends in dig's way, and none writes beside where it should.
nothing_happens () {
	(
		cd in/w &&
		bounded_addresses &&
		ends_well dig-ls-root &&
		ends_well dig-cat HEAD:a &&
		ends_well dig-checkout-root HEAD extracted
	) >out 2>err &&
	what_is_there >after && test_cmp before after && test "$(cat in/outside)" = kept
}

# A state that lies is not made the ground of another one.
is_not_copied () {
	(
		cd in/w &&
		bounded_addresses &&
		ends_well dig-diff-roots -q @0 HEAD &&
		ends_well dig-show &&
		case $1 in
		list-*) test_expect_code 4 dig-write-layer --full --allow-empty -m copy ;;
		*) ends_well dig-write-layer --full --allow-empty -m copy ;;
		esac
	) >out 2>err || { cat err && false; }
}

test_expect_success 'an empty store, and the layers' '
	mkdir in && echo kept >in/outside &&
	dig-init-store --store-id=$store_id in/w >/dev/null &&
	cp in/w/.dig/roots no-roots &&
	what_is_there >before &&
	python3 "$hostile" --all cases $(test_have_prereq LONG && echo --long)
'

test_expect_success 'a layer without a lie is good' '
	hostile_store good &&
	(
		cd in/w &&
		dig-verify-store -q &&
		dig-cat HEAD:d/link >../../actual &&
		dig-checkout-root HEAD extracted &&
		test "$(cat extracted/d/link)" = content &&
		test -d extracted/empty && test -f extracted/e
	) &&
	printf ../a >expect && test_cmp expect actual
'

for name in $(ls cases | grep -v -e good -e unknown-kind -e setuid -e feature -e link- -e shared -e deep-[0-9] -e fan -e wide-1)
do
	case $name in
	# What it says is no damage, but of something that only a later dig knows.
	*-version) status='4 128' ;;
	*) status=4 ;;
	esac
	test_expect_success "$name: a check tells, and nothing is written outside" '
		hostile_store $name &&
		{ (cd in/w && bounded_addresses && dig-verify-store) >out 2>err; actual=$?; } &&
		cat err &&
		case " $status " in
		*" $actual "*) : ;;
		*) echo "status $actual" && false ;;
		esac &&
		nothing_happens && is_not_copied $name
	'
done

# What these describe is large, and they are small.
for name in shared-2-54 shared-2-54-of-many-files shared-2-60-of-2 deep-16000 deep-32768 deep-32768-of-40
do
	case $name in shared-2-54 | deep-32768) long=PYTHON ;; *) long=LONG ;; esac
	test_expect_success "$long" "$name: what is no lie is checked, listed and copied within bounds" '
		hostile_store $name &&
		(
			cd in/w &&
			for command in "dig-verify-store -q" "dig-verify-store -q --quick" dig-ls-root "dig ls -lr HEAD" \
				dig-log dig-show dig-status "dig-diff-roots @0 HEAD" "dig-diff-roots --ranges HEAD HEAD z" \
				"dig-cat --range=-1 HEAD:z" "dig-write-layer --allow-empty -m copy" \
				"dig-write-layer --full --allow-empty -m copy"
			do
				status=0 && { python3 "$bounded" $command || status=$?; } &&
				case $command,$status in
				*@0*,1 | *,0) : ;;
				*:z,128 | *" z,128") case $name in deep*) : ;; *) false ;; esac ;;
				*) false ;;
				esac || { echo "$command: status $status" && exit 1; }
			done
		)
	'
done

test_expect_success 'files deep below one directory are extracted and replaced within bounds' '
	files=$(test_have_prereq LONG && echo 1000 || echo 8) &&
	hostile_store fan &&
	(
		cd in/w && rm -rf extracted &&
		python3 "$bounded" dig-checkout-root HEAD extracted &&
		python3 "$bounded" dig-checkout-root -f HEAD extracted &&
		find extracted -type f >../../actual &&
		find extracted -type f -size 31c >../../whole
	) &&
	test "$(wc -l <actual)" = $files && test_cmp actual whole
'

test_expect_success 'a deep directory is made durable within bounds' '
	hostile_store $(test_have_prereq LONG && echo deep-16000 || echo fan) &&
	(
		cd in/w && rm -rf extracted &&
		python3 "$bounded" dig-checkout-root --sync HEAD extracted &&
		find extracted -type f | grep d/d/d/d
	)
'

for name in shared-2-18 shared-2-24
do
	case $name in *24) long=LONG count=16777216 ;; *) long=PYTHON count=262144 ;; esac
	test_expect_success "$long" "$name: a file of tiny chunks is read and written within bounds" '
		hostile_store $name &&
		head -c $count /dev/zero | tr "\\0" x >expect &&
		(
			cd in/w && rm -rf extracted &&
			dig-cat HEAD:a >../../actual &&
			for command in "dig-cat HEAD:a" "dig-checkout-root HEAD extracted" \
				"dig-checkout-root -f HEAD extracted" "dig-checkout-root -f --in-place HEAD extracted"
			do
				python3 "$bounded" $command || exit 1
			done
		) &&
		cmp expect actual && cmp expect in/w/extracted/a
	'
done

test_expect_success 'SIGTERM ends what reads a file without end' '
	hostile_store shared-2-54 &&
	(
		cd in/w &&
		for command in "dig-cat HEAD:a" "dig-get -o /dev/null /a" "dig-cat --range=1000000000000- HEAD:a"
		do
			status=0 && { python3 "$bounded" --term $command || status=$?; } &&
			case $status in 130 | 143) : ;; *) echo "$command: status $status" && exit 1 ;; esac
		done
	)
'

test_expect_success 'what is damaged is told of each file, although its list is read once' '
	hostile_store list-of-two-files-missing &&
	(cd in/w && test_expect_code 4 dig-verify-store) 2>err &&
	grep "^dig-verify-store: .a. in @1 is damaged" err && grep "^dig-verify-store: .b. in @1 is damaged" err
'

test_expect_success 'no lie in its structure becomes the newest state' '
	for name in header-of-generation-0 header-of-generation-2 header-of-another-store header-with-a-parent \
		index-count-huge footer-size-wrong texts-huge peaks-too-many sections-size-huge feature-to-read
	do
		hostile_store $name && cp no-roots in/w/.dig/roots &&
		(cd in/w && test_must_fail dig-update-root $layer && test -z "$(dig-list-roots)") || return 1
	done
'

test_expect_success 'an unknown kind is listed and never extracted' '
	hostile_store unknown-kind &&
	(
		cd in/w &&
		dig-verify-store -q &&
		dig-ls-root --name-only >../../actual &&
		test_must_fail dig-cat HEAD:strange &&
		{ dig-checkout-root HEAD extracted 2>err || :; } &&
		test -f extracted/a && ! test -e extracted/strange
	) &&
	printf "a\nstrange\n" >expect &&
	test_cmp expect actual
'

test_expect_success 'a link whose text no file system takes is not extracted' '
	for name in link-with-nul link-too-long
	do
		hostile_store $name && nothing_happens &&
		(cd in/w && rm -rf extracted && test_expect_code 128 dig-checkout-root HEAD extracted) || return 1
	done
'

test_expect_success 'nothing is extracted through a link' '
	for name in link-above-file link-above-link
	do
		hostile_store $name &&
		(cd in/w && test_expect_code 4 dig-verify-store) && nothing_happens || return 1
	done
'

test_expect_success 'setuid is not restored unless it is asked for' '
	hostile_store setuid &&
	(
		cd in/w &&
		dig-checkout-root HEAD plain && test "$(stat -c %a plain/a)" = 755 &&
		dig-checkout-root --restore-setuid HEAD asked && test "$(stat -c %a asked/a)" = 6755
	)
'

test_expect_success 'features that may be ignored are, others are refused with 128' '
	hostile_store feature-ignorable &&
	(cd in/w && dig-cat HEAD:a && dig-verify-store -q) >/dev/null &&
	for name in feature-to-read feature-version
	do
		hostile_store $name &&
		(cd in/w && test_expect_code 128 dig-ls-root && test_expect_code 128 dig-cat HEAD:a) || return 1
	done
'

test_expect_success 'a store whose format needs an unknown feature is refused with 128' '
	dig-init-store plain >/dev/null &&
	python3 - plain/.dig/format <<-\EOF &&
	import struct, sys, zlib
	data = bytearray(open(sys.argv[1], "rb").read())
	struct.pack_into("<H", data, 12, 0x8000)
	struct.pack_into("<I", data, 20, zlib.crc32(data[:20]))
	struct.pack_into("<I", data, len(data) - 4, zlib.crc32(data[:-4]))
	open(sys.argv[1], "wb").write(data)
	EOF
	(cd plain && test_expect_code 128 dig-list-roots && test_expect_code 128 dig-ls-index) 2>err &&
	grep newer err
'

test_done
