#!/bin/sh

test_description='stores that were damaged in many ways, with and without their checksums repaired'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

mutate=$TEST_DIRECTORY/helper/mutate-store.py

# Nobody waits for threads here.
DIG_CONFIG='performance.max_worker_threads=1
chunking.target=4KB'
export DIG_CONFIG

first=1 last=20
test_have_prereq LONG && last=5000
test -z "${DIG_TEST_SEEDS-}" || { first=${DIG_TEST_SEEDS%-*} last=${DIG_TEST_SEEDS#*-}; }

# content SEED: a file that says what it holds, so that it can be compared wherever it turns up.
content () {
	echo $1 && seeded --text $((100 + $1 % 5 * 300)) $1 && test $(($1 % 4)) != 0 || seeded 30K $1
}

# is_right DIRECTORY: each file in it is as it says.
is_right () {
	for path in $1/*
	do
		test -e "$path" || continue
		cmp right/$(head -n 1 $path) $path || return 1
	done
}

# grow FIRST LAST
grow () {
	for seed in $(seq $1 $2)
	do
		cp right/$seed w/f$((seed % 5)) && cp right/$seed w/s$seed && rm -f w/s$((seed - 3)) &&
		(cd w && dig-add -A && dig-commit -q -m $seed) || return 1
	done
}

# Nine states and something staged; the same store earlier, and what else became of it.
test_expect_success 'a store, at several times' '
	mkdir right && for seed in $(seq 40)
	do
		content $seed >right/$seed || return 1
	done &&
	dig-init-store w >/dev/null && grow 1 3 && cp -a w/.dig early &&
	cp right/21 w/staged && (cd w && dig-add -A) && cp -a w/.dig early-staged && grow 4 9 &&
	cp right/22 w/staged && (cd w && dig-add -A) && cp -a w/.dig store &&
	rm -rf w/.dig && cp -a early w/.dig && grow 30 37 && cp -a w/.dig other &&
	ls store/chunk-index/8.run other/chunk-index/8.run
'

# run STATUSES COMMAND...: with one of these statuses.
run () {
	allowed=$1
	shift
	(cd w && "$@") >>log 2>&1
	status=$?
	case " $allowed " in
	*" $status "*) ;;
	*) echo "seed $seed: $*: $status" >>complaints ;;
	esac
}

any="0 1 3 4 10 128"
trial () {
	rm -rf w out log && mkdir w && cp -a store w/.dig &&
	python3 "$mutate" $seed w/.dig early early-staged other >log || return 1
	run "$any" dig-verify-store -q
	check=$status
	run "$any" dig-extract ../out
	test $check != 0 || test $status = 0 || echo "seed $seed: the check is content, and extract: $status" >>complaints
	test ! -d out || is_right out || echo "seed $seed: wrong bytes" >>complaints
	rm -rf out
	run "$any" dig-extract --at=@4 ../out
	test ! -d out || is_right out || echo "seed $seed: wrong bytes of @4" >>complaints
	run "$any" dig-status --porcelain=v1
	run "$any" dig-log
	for name in 1 2 5 8 9 22 $((seed % 40 + 1))
	do
		cp right/$name w/n$name
	done
	run "$any" dig-add -A
	test $status = 0 || { run "$any" dig-reset && run "$any" dig-add -A; }
	test $status != 0 || {
		run "$any" dig-commit -q -m mutated
		test $status != 0 || {
			rm -rf out
			run 0 dig-extract ../out
			diff -r -x .dig w out >>log 2>&1 || echo "seed $seed: committed, and other content" >>complaints
		}
	}
	test ! -s complaints || { cat log >>complaints && return 1; }
}

test_expect_success 'no command ends by a signal, and none gives wrong bytes or commits what is nowhere' '
	: >complaints &&
	for seed in $(seq $first $last)
	do
		trial || { cat complaints && return 1; }
	done
'

test_done
