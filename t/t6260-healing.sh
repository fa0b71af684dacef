#!/bin/sh

test_description='damage is named by path and state, and content that is added again heals it'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

DIG_CONFIG='performance.max_worker_threads=2'
export DIG_CONFIG

# damage LAYER FILE: the content of a file, which is stored as it is, gets one other byte.
damage () {
	flip_bit "$1" $(python3 -c 'import sys
layer, content = (open(name, "rb").read() for name in sys.argv[1:])
print(layer.index(content[:4096]) + 100)' "$1" "$2")
}

test_expect_success 'a store of four states' '
	dig-init-store w >/dev/null &&
	(
		cd w && seeded 150K 1 >random && seeded 150K 2 >passing && seeded 150K 3 >late && seq 20000 >text &&
		dig-add random passing text && dig-commit -q -m one && cp random same && mkdir d && cp passing d/copy &&
		commit_all two >/dev/null && rm d/copy passing && commit_all three >/dev/null && echo 4 >4 &&
		commit_all four >/dev/null && dig-verify-store -q
	)
'

test_expect_success 'each path that is damaged is named once, with its states' '
	seeded 150K 2 >passing && cp -a w x &&
	(
		cd x && damage $(layer_of 1) random && damage $(layer_of 1) ../passing &&
		test_expect_code 4 dig-verify-store >../out 2>../err
	) &&
	test ! -s out && sed -n "s/.*: \(.* in @.*\) is damaged: chunk .* has no good copy/\1/p" err | sort >actual &&
	cat >expect <<-\EOF &&
	'"'"'d/copy'"'"' in @2
	'"'"'passing'"'"' in @1 to @2
	'"'"'random'"'"' in @1 to @4
	'"'"'same'"'"' in @2 to @4
	EOF
	test_cmp expect actual &&
	grep "4 files of [0-9]* are damaged, in @1 to @4; the rest is whole; .dig add --reread. of a good copy and .dig commit. heal them, or .dig check --heal-from=SOURCE." err &&
	grep "6 problems" err
'

test_expect_success 'a good copy that is added again heals all states' '
	(
		cd x && dig-add --reread random && dig-commit -q -m healed &&
		cp ../passing again && commit_all again >/dev/null &&
		dig-verify-store >../out 2>../err && dig-cat @1:passing | cmp - ../passing && dig-cat @3:same | cmp - random
	) &&
	test $(grep -c "warning: .* all that the block holds is whole in another place" err) = 2 &&
	grep "^ok: .* nothing lost" out && (cd x && dig-verify-store --quick -q)
'

test_expect_success 'when the other copy is damaged as well, it is told' '
	(
		cd x && damage $(layer_of 5) random && test_expect_code 4 dig-verify-store -q 2>../err
	) &&
	grep "random. in @1 to @6 is damaged" err && grep "2 files of [0-9]* are damaged, in @1 to @6" err &&
	test $(grep -c "whole in another place" err) = 1
'

test_expect_success 'every chunk of a file that is damaged, one by one, is healed by the file' '
	seeded 3M 7 >large &&
	DIG_CONFIG="chunking.target=64KB" dig-init-store y >/dev/null &&
	(
		cd y && cp ../large . && commit_all one >/dev/null && first=$(layer_of 1) && cp -a .dig ../kept &&
		for offset in $(seq 5000 100000 2900000)
		do
			rm -rf .dig && cp -a ../kept .dig && flip_bit $first $offset &&
			test_expect_code 4 dig-verify-store -q 2>../err && grep "large. in @1 is damaged" ../err &&
			dig-add --reread large && dig-commit -q -m healed && dig-verify-store -q 2>../err &&
			dig-cat @1:large | cmp - ../large || exit 1
		done
	)
'

# --- random damage ------------------------------------------------------------------------------

# damaged_states SEED COUNT: so often bits of the layers of r are flipped, from seeds that count up.
damaged_states () {
	python3 "$TEST_DIRECTORY/reference/random_damage.py" r/.dig "$@"
}

# Chunks of 4 KB: files of several, files of one, some that several states or paths have.
test_expect_success 'a store of 2000 chunks and ten states' '
	DIG_CONFIG="chunking.target=4KB
core.merge_layers=false
performance.max_worker_threads=2" && dig-init-store --store-id=$(printf %064d 6) r >/dev/null &&
	(
		cd r && for number in 1 2 3 4 5 6 7 8 9 10
		do
			mkdir s$number && cd s$number && seeded 400K $number | split -a 3 -b 20K - random. && seeded --text 360K $number | split -a 3 -b 3K - text. &&
			cp random.aaa ../again$((number % 4)) && cp text.aaa copy && cd .. && rm -rf s$((number - 4)) s$((number - 3))/random.aab &&
			case $number in
			2 | 5 | 8) codec=zstd ;;
			3 | 6 | 9) codec=none ;;
			*) codec=zlib ;;
			esac && find . -name .dig -prune -o -exec touch -h -d @1600000000 {} + && dig-config core.compression $codec && commit_all $number >/dev/null || exit 1
		done && dig-check -q && cat .dig/layers/* | wc -c
	) && cp -a r plain
'

rounds=8
! test_have_prereq LONG || rounds=50

test_expect_success 'of random damage, the paths and states are named that the reference finds' '
	damaged_states 1 $rounds
'

test_expect_success '... in merged layers of a store with dropped states, too' '
	rm -rf r && mv plain r && (cd r && dig-config core.compression zlib && printf "@%s\n" 5 6 9 10 | dig-prune-layers -q --stdin --now && dig-check -q && ls .dig/layers | grep merged) &&
	damaged_states 1001 $rounds
'

test_expect_success PYTHON 'with --json each finding is an object' '
	dig-init-store objects >/dev/null &&
	(
		cd objects && seeded 30K 1 >"odd \"name" && echo one >one && commit_all one && echo two >two && commit_all two &&
		dig check --json >../out && grep "^{.type.:.result.,.state.:.ok.," ../out && flip_bit $(layer_of 1) 2000 &&
		test_expect_code 4 dig-verify-store --json >../out 2>../err && test_cmp /dev/null ../err
	) &&
	python3 -c "
import json
lines = [json.loads(line) for line in open(\"out\")]
hurt = [line for line in lines if line[\"type\"] == \"hurt\"]
assert [(h[\"path\"], h[\"first\"], h[\"last\"]) for h in hurt] == [(\"odd \\\"name\", 1, 2)], hurt
assert lines[-1][\"state\"] == \"damaged\" and lines[-1][\"hurt_files\"] == 1 and \"heal-from\" in lines[-1][\"next\"]
"
'

test_expect_success ROOT 'what this user may not read is no damage' '
	dig-init-store closed >/dev/null &&
	(
		cd closed && seeded 30K 1 >file && commit_all one && echo two >two && commit_all two && layer=$(layer_of 1) &&
		chmod 0 $layer && test_expect_code 128 without_override dig-verify-store 2>../err &&
		grep "Permission denied" ../err && grep "not complete" ../err && ! grep "is damaged" ../err &&
		test_expect_code 128 without_override dig-verify-store --json >../out && grep "unreadable" ../out &&
		flip_bit $(layer_of 2) 100 && test_expect_code 4 without_override dig-verify-store 2>../err &&
		chmod 644 $layer
	)
'

test_done
