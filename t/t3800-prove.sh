#!/bin/sh

test_description='dig prove proves files, ranges, chunks, absences and states; dig and the reference believe the same'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}
reference=$TEST_DIRECTORY/reference

# agree FILE [DATA]: both readers believe the proof, and say the same of it.
agree () {
	dig-verify-proof --root=$root ${2:+--data="$2"} "$1" >told &&
	python3 "$reference/dig_proof.py" --root=$root ${2:+--data="$2"} "$1" >expect &&
	grep -E "^(proved|path|size|file-root|bytes|data|generation|older)" told | test_cmp expect -
}

# refused FILE [DATA]: by both.
refused () {
	test_expect_code 5 dig-verify-proof --root=$root ${2:+--data="$2"} "$1" >told 2>why && test_cmp /dev/null told &&
	test_expect_code 5 python3 "$reference/dig_proof.py" --root=$root ${2:+--data="$2"} "$1" 2>why.reference
}

dig init >/dev/null && dig-config core.merge_layers false && mkdir -p d/e hollow && seeded 3000000 1 >big && seeded 5K 2 >one && : >empty &&
ln -s big link && for i in $(seq 300)
do
	echo $i >d/e/f$i
done && echo a >"$(printf 'a\tb\377')" && dig add -q -A && dig commit -q -m one && cp big .dig/big.1 && echo more >d/more && seeded 100 3 >>big &&
dig add -q -A && dig commit -q -m two && root=$(dig info root) || exit 1

test_expect_success 'each entry of a state is proved, and its content compared' '
	for path in big one empty link d/e/f1 d/e/f299 d/more
	do
		dig prove -o proof "$path" && if test "$path" = link
		then
			printf big >data
		else
			cat "$path" >data
		fi && agree proof data && size=$(wc -c <proof) && test $size -le 3072 || return 1
	done &&
	dig prove -o proof hollow && agree proof && grep "^kind directory" told && odd=$(printf "a\tb\377") && dig prove -o proof "$odd" &&
	dig-verify-proof --root=$root --data="$odd" proof >told && grep -F "path \"a\\tb\\377\"" told &&
	python3 "$reference/dig_proof.py" --root=$root --data="$odd" proof >told
'

test_expect_success 'other content is refused, whatever is wrong with it' '
	dig prove -o proof big && { head -c 1000000 big && printf x && tail -c +1000002 big; } >data && refused proof data && grep "does not match" why &&
	head -c 3000099 big >data && refused proof data && grep shorter why && { cat big && printf x; } >data && refused proof data && grep longer why &&
	: >data && refused proof data && dig prove -o proof empty && agree proof empty && printf x >data && refused proof data
'

test_expect_success 'ranges are proved by their chunks, at their offset' '
	for range in 0-0 0- 3000099-3000099 1500000-1500010 2999000- -1 -3000100 700000-2600000
	do
		dig prove --range=$range --data -o proof big && agree proof proof.data &&
		begin=$(sed -n "s/^data \([0-9]*\)-.*/\1/p" told) && tail -c +$((begin + 1)) big | cmp -n $(wc -c <proof.data) - proof.data || return 1
	done &&
	dig prove --range=10- --data -o proof one && agree proof proof.data && cmp one proof.data &&
	{ printf x && tail -c +2 proof.data; } >data && refused proof data &&
	test_expect_code 128 dig prove --range=3000100- big 2>err && test_expect_code 128 dig prove --range=0- empty 2>err
'

test_expect_success 'a chunk is proved where the file has it first' '
	chunk=$(dig-chunk big | awk "NR == 3 { print \$NF; exit }") && test ${#chunk} = 64 &&
	dig prove --chunk=$chunk --data -o proof big && agree proof proof.data &&
	sha256sum proof.data | grep ^$chunk && test "$(sed -n "s/^data //p" told)" = "$(sed -n "s/^bytes //p" told)" &&
	test_expect_code 1 dig prove --chunk=$root big 2>err && grep "has no chunk" err && test_expect_code 129 dig prove --chunk=12 big 2>err
'

test_expect_success 'what is not there is proved to be nowhere, and nothing else is' '
	for path in a zzz d/e/f0 d/e/f3000 d/mor d/more/below "d/e/f1 " 0 big/x
	do
		dig prove --absent -o proof "$path" && agree proof && grep -x "path $path" told || return 1
	done &&
	for path in big d d/e hollow link
	do
		test_expect_code 1 dig prove --absent $path 2>err && grep "is in this state" err || return 1
	done &&
	test_expect_code 1 dig prove d 2>err && grep "is not in this state" err && test_expect_code 1 dig prove bog 2>err && grep "did you mean .big" err
'

test_expect_success 'of a state without entries, every path is proved to be absent' '
	mkdir none && (cd none && dig init >/dev/null && dig commit -q --allow-empty -m none && dig prove --absent -o ../proof x/y && dig info root) >empty.root &&
	(root=$(cat empty.root) && agree proof && grep "^proved absence" told)
'

test_expect_success 'states of the past are proved as they were, by any name' '
	first=$(dig-list-roots | sed -n "s/^1 //p" | cut -d" " -f1) && second=$root &&
	for name in "--at=@1 big" @1:big HEAD~1:big $first:big "urn:dig:chia:$(cat .dig/store-id):$first/big"
	do
		dig prove -o proof $name && (root=$first && agree proof .dig/big.1) && refused proof || return 1
	done &&
	dig prove --state @1 -o proof && (root=$first && agree proof && grep "^proved state" told) && dig prove "urn:dig:chia:$(cat .dig/store-id):$first/big#bytes=5-9" -o proof &&
	(root=$first && agree proof && grep "^bytes 5-9" told) && test_expect_code 128 dig prove --at=@9 big 2>err
'

test_expect_success 'a path is taken from the current directory, one of a state is not' '
	(cd d/e && dig prove -o ../../proof f7 && dig prove -o ../../other HEAD:d/e/f7) && cmp proof other && agree proof d/e/f7
'

test_expect_success 'that a history goes on is proved, and that is all' '
	first=$(dig-list-roots | sed -n "s/^1 //p" | cut -d" " -f1) && dig prove --consistency @1 -o proof && agree proof && grep -x "older-root $first" told &&
	dig-verify-proof -q --root=$root --older-root=$first proof && test_expect_code 5 dig-verify-proof -q --root=$root --older-root=$root proof 2>err &&
	dig prove --consistency @2 @2 -o proof && agree proof && test_expect_code 129 dig prove --consistency @2 @1 2>err
'

test_expect_success 'a list of paths is proved in one go' '
	find d -type f | sort >list && dig prove --stdin <list >replies && test $(python3 "$reference/dig_proof.py" --framed --root=$root <replies) = 301 &&
	printf "d/more\nno\n" | test_expect_code 1 dig prove --stdin >replies && tail -n 1 replies | grep -x "no missing" &&
	printf "d/more\0" | dig prove --stdin -z | head -c 4 | grep "^[0-9]"
'

test_expect_success 'a layer that stands alone is enough' '
	dig export -q --full alone.dig && mkdir away && (cd away && dig prove -o proof ../alone.dig:big && agree proof ../big && dig prove --range=5-9 -o proof ../alone.dig:big && agree proof)
'

test_expect_success 'the command line is checked' '
	for words in "" "--data big" "--range=0-1 --absent big" "-z big" "--stdin big" "--state --absent big" "big one" "--state --data -o x"
	do
		test_expect_code 129 dig prove $words 2>err || return 1
	done &&
	(cd .. && test_expect_code 10 dig prove x 2>err)
'

test_done
