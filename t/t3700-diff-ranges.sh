#!/bin/sh

test_description='dig-diff-roots --ranges tells which bytes of a file differ'

. "$(dirname "$0")/test-lib.sh"

# patch_by_ranges FROM TO FILE RANGES: the file of FROM becomes that of TO, of which only the bytes of
# replaced ranges are taken.
patch_by_ranges () {
	dig-cat $1:$3 >"$TRASH/old" && dig-cat $2:$3 >"$TRASH/new" && cp "$TRASH/old" "$TRASH/patched" &&
	while read -r offset size new_offset new_size kind
	do
		case $kind in
		replaced) test $offset = $new_offset && from=new ;;
		moved) test $size = $new_size && from=old ;;
		*) false ;;
		esac &&
		dd if="$TRASH/$from" of="$TRASH/patched" bs=1M iflag=skip_bytes,count_bytes oflag=seek_bytes \
			skip=$offset count=$new_size seek=$new_offset conv=notrunc status=none || return 1
	done <$4 &&
	truncate -s $(stat -c %s "$TRASH/new") "$TRASH/patched" &&
	cmp "$TRASH/new" "$TRASH/patched"
}

test_expect_success 'five states: an edit in place, one that moves the rest, a cut, and nothing' '
	dig-init-store w >store &&
	cd w &&
	seeded 6M 1 >image && echo one >small && : >nothing &&
	commit_all first &&
	seeded 100K 2 | dd of=image bs=64K seek=37 conv=notrunc 2>/dev/null &&
	seeded 1K 3 | dd of=image bs=64K seek=80 conv=notrunc 2>/dev/null &&
	echo three >small && echo some >nothing &&
	commit_all "in place" &&
	{ head -c 2000000 image && seeded 300K 4 && tail -c +2000001 image; } >longer &&
	mv longer image &&
	commit_all inserted &&
	head -c 3000000 image >shorter &&
	mv shorter image &&
	commit_all "cut off" &&
	echo other >other &&
	commit_all "the same"
'

test_expect_success 'ranges and one state give the other one' '
	cd w &&
	for states in "@1 @2" "@2 @1" "@2 @3" "@3 @2" "@3 @4" "@4 @3" "@1 @4"
	do
		test_expect_code 1 dig-diff-roots --ranges $states image >../ranges &&
		patch_by_ranges $states image ../ranges || return 1
	done
'

test_expect_success 'an edit in place is told as ranges near it, and sizes do not change' '
	cd w &&
	test_expect_code 1 dig-diff-roots --ranges @1 @2 image >../ranges &&
	test $(wc -l <../ranges) = 2 &&
	while read -r offset size new_offset new_size kind
	do
		test $kind = replaced && test $offset = $new_offset && test $size = $new_size &&
			test $size -lt 4200000 || return 1
	done <../ranges &&
	read -r offset size rest <../ranges &&
	test $offset -le $((37 * 65536)) && test $((offset + size)) -ge $((37 * 65536 + 102400))
'

test_expect_success 'what stands behind an insertion has moved, as one range' '
	cd w &&
	test_expect_code 1 dig-diff-roots --ranges @2 @3 image >../ranges &&
	test $(wc -l <../ranges) = 2 &&
	{ read -r offset size new_offset new_size kind && test $kind = replaced &&
		test $new_offset -le 2000000 && test $((new_offset + new_size)) -ge 2300000 &&
		read -r offset size new_offset new_size kind && test $kind = moved &&
		test $new_offset = $((offset + 307200)) && test $((offset + size)) = 6291456; } <../ranges
'

# A hole has chunks of zeros, which begin at other offsets behind what is written into it.
test_expect_success '13 bytes in a hole of 40 MB are one range, in place' '
	cd w && seeded 3M 7 >sparse && truncate -s 43M sparse && seeded 3M 8 >>sparse && commit_all sparse &&
	printf "13 bytes here" | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none &&
	commit_all "bytes in it" &&
	for states in "@6 @7" "@7 @6"
	do
		test_expect_code 1 dig-diff-roots --ranges $states sparse >../ranges &&
		test $(wc -l <../ranges) = 1 && read -r offset size new_offset new_size kind <../ranges &&
		test $kind = replaced && test $offset = $new_offset && test $size = $new_size &&
		test $offset -le 20000000 && test $((offset + size)) -ge 20000013 && test $size -le 4194304 || return 1
	done
'

test_expect_success 'files of one chunk, and of none, are compared too' '
	cd w &&
	echo "0 4 0 6 replaced" >../expect &&
	test_expect_code 1 dig-diff-roots --ranges @1 @2 small >../actual &&
	test_cmp ../expect ../actual &&
	echo "0 0 0 5 replaced" >../expect &&
	test_expect_code 1 dig-diff-roots --ranges @1 @2 nothing >../actual &&
	test_cmp ../expect ../actual &&
	echo "0 5 0 0 replaced" >../expect &&
	test_expect_code 1 dig-diff-roots --ranges @2 @1 nothing >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'what is equal has no ranges' '
	cd w &&
	dig-diff-roots --ranges @4 @5 image >../actual &&
	test_cmp /dev/null ../actual &&
	dig-diff-roots --ranges @1 @1 small >../actual &&
	test_cmp /dev/null ../actual
'

test_expect_success 'records end with NUL, or are left to the exit status' '
	cd w &&
	printf "0 4 0 6 replaced\0" >../expect &&
	test_expect_code 1 dig-diff-roots -z --ranges @1 @2 small >../actual &&
	cmp ../expect ../actual &&
	test_expect_code 1 dig-diff-roots -q --ranges @1 @2 small >../actual &&
	test_cmp /dev/null ../actual &&
	dig-diff-roots -q --ranges @4 @5 image
'

test_expect_success 'dig diff --ranges says the same' '
	cd w &&
	test_expect_code 1 dig-diff-roots --ranges @2 @3 image >../expect &&
	dig diff --ranges @2 @3 image >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'a path that is not in both states, and other numbers of words, are refused' '
	cd w &&
	test_expect_code 128 dig-diff-roots --ranges @4 @5 other 2>../err &&
	grep "other. is not in @4" ../err &&
	test_expect_code 128 dig-diff-roots --ranges @5 @4 other 2>../err &&
	test_expect_code 129 dig-diff-roots --ranges @1 @2 2>../err &&
	test_expect_code 129 dig-diff-roots --ranges @1 @2 small image 2>../err &&
	grep "two states and one path" ../err
'

test_done
