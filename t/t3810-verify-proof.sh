#!/bin/sh

test_description='dig-verify-proof believes what holds and nothing else, by itself'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}
reference=$TEST_DIRECTORY/reference

mkdir w && cd w && dig -c chunking.target=8KB init >/dev/null && dig-config core.merge_layers false && seeded 900K 1 >big && mkdir d && for i in $(seq 200)
do
	echo $i >d/f$i
done && dig add -q -A && dig commit -q -m one && echo 2 >two && dig add -q -A && dig commit -q -m two && root=$(dig info root) &&
dig prove -o ../file d/f7 && dig prove -o ../range --range=400000-500000 --data big && dig prove -o ../whole big &&
dig prove -o ../absence --absent d/f && dig prove -o ../state --state @2 && dig prove -o ../grown --consistency @1 && cp d/f7 big .. && cd .. || exit 1

test_expect_success 'it is a program of its own, static and without a store' '
	mkdir bin && cp "$DIG_BUILD/dig-verify-proof" bin && (cd / && env -i "$TRASH/bin/dig-verify-proof" --root=$root "$TRASH/file") >out && grep "^path d/f7$" out &&
	if readelf --version >/dev/null 2>&1
	then
		readelf -d bin/dig-verify-proof >dynamic && ! grep NEEDED dynamic
	fi
'

test_expect_success 'somebody has to be believed' '
	test_expect_code 129 dig-verify-proof file 2>err && grep "who is believed" err && test_expect_code 129 dig-verify-proof --root=12 file 2>err &&
	test_expect_code 5 dig-verify-proof --root=$(echo $root | tr 0-9a-f 1-9a-f0) file >out 2>err && test_cmp /dev/null out && grep "is of the root $root" err
'

test_expect_success 'content comes from a file or a pipe, and only content that is proved' '
	dig-verify-proof --root=$root --data=f7 file >out && grep -x "content matches" out && dig-verify-proof --root=$root --data=- whole <big >out &&
	(cat big) | dig-verify-proof -q --root=$root --data=- whole >out && test_cmp /dev/null out && dig-verify-proof -q --root=$root --data=f7 - <file &&
	test_expect_code 129 dig-verify-proof --root=$root --data=- - <file 2>err && test_expect_code 129 dig-verify-proof --root=$root --data=f7 grown 2>err &&
	test_expect_code 128 dig-verify-proof --root=$root --data=none file 2>err && grep "none" err
'

test_expect_success 'it has to be of what was asked' '
	dig-verify-proof -q --root=$root --path=d/f7 file && test_expect_code 5 dig-verify-proof -q --root=$root --path=d/f8 file 2>err && grep "d/f7" err &&
	dig-verify-proof -q --root=$root --path=big --range=400000-500000 range && test_expect_code 5 dig-verify-proof -q --root=$root --range=400000-500001 range 2>err &&
	test_expect_code 5 dig-verify-proof -q --root=$root --range=0-1 file 2>err && test_expect_code 5 dig-verify-proof -q --root=$root --path=x grown 2>err
'

test_expect_success 'what is no proof is told so' '
	for text in "" x "c2sp.org/tlog-proof@v1" "c2sp.org/tlog-proof@v1
extra AA==
index 0
" "$(tr "\n" "\r" <file)"
	do
		printf "%s" "$text" >no && test_expect_code 5 dig-verify-proof --root=$root no 2>err && test $(wc -l <err) = 1 || return 1
	done &&
	head -c 30M /dev/zero >no && test_expect_code 128 dig-verify-proof --root=$root no 2>err && grep "longer than" err &&
	{ cat file && printf x; } >no && test_expect_code 5 dig-verify-proof --root=$root no 2>err && sed "s/^index /index 0/" file >no && test_expect_code 5 dig-verify-proof --root=$root no 2>err
'

runs=20000
test_have_prereq LONG && runs=400000
for name in file range whole absence state grown
do
	data=
	case $name in file) data=f7 ;; range) data=range.data ;; whole) data=big ;; esac
	test "$name" = whole && some=$((runs / 20)) || some=$runs
	test_expect_success "none of $some changes of a proof ($name), of its root or of content is believed" '
		mutate-proof $some 1 $root $name $data >out && grep -x "$some refused" out
	'
done

test_expect_success 'trees of a liar: both readers refuse each of them' '
	mkdir lies && python3 "$reference/lying_proofs.py" lies 1 300 >list && test $(grep -c honest list) -ge 5 && test $(grep -c lie list) -ge 200 &&
	while read -r number kind liar what
	do
		case $kind in honest) expect=0 ;; *) expect=5 ;; esac
		dig-verify-proof -q --root=$liar lies/$number.proof 2>err
		test $? = $expect || { echo "$number: $what" && return 1; }
	done <list &&
	# Python starts slowly.
	head -n 60 list | while read -r number kind liar what
	do
		case $kind in honest) expect=0 ;; *) expect=5 ;; esac
		python3 "$reference/dig_proof.py" --root=$liar lies/$number.proof >out 2>err
		test $? = $expect || { echo "$number: $what" && return 1; }
	done
'

test_expect_success 'it stays small, whatever the size of the content' '
	dig -C w prove -o ../range --range=0- big && (ulimit -v 120000 && dig-verify-proof -q --root=$root --data=big whole && dig-verify-proof -q --root=$root --data=big range)
'

test_done
