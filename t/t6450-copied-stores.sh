#!/bin/sh

test_description='stores that were copied at any moment of a writer, put back over older and newer ones'

. "$(dirname "$0")/test-lib.sh"

if test_have_prereq LONG
then
	copies=200
else
	copies=4
fi

# content SEED: a file that says what it holds, so that it can be compared wherever it turns up.
content () {
	echo $1 && seeded --text $((100 + $1 % 40 * 60)) $1 && test $(($1 % 9)) != 0 || seeded 150K $1
}

# is_right DIRECTORY: each file in it is as it says.
is_right () {
	find $1 -type f >found && while read -r path
	do
		content $(head -n 1 $path) >expected && cmp expected $path || return 1
	done <found
}

writer () {
	number=0
	until test -e ../stop
	do
		number=$((number + 1))
		content $number >f$((number % 7)) && content $((number + 1)) >g$((number % 3))
		test $((number % 4)) != 0 || rm -f f$((number % 5))
		dig-add -A && dig-commit -q -m $number || { test $? = 1 || echo "writer: $number" >>../complaints; }
	done
}

# A copy by name of the files, the other way round, or by rsync, which sorts and comes back.
copy () {
	mkdir copies/$1
	case $(($1 % 3)) in
	0) for name in $(ls w/.dig); do cp -a w/.dig/$name copies/$1/; done ;;
	1) for name in $(ls -r w/.dig); do cp -a w/.dig/$name copies/$1/; done ;;
	2)
		if command -v rsync >/dev/null
		then
			rsync -a w/.dig/ copies/$1/
		else
			cp -a w/.dig/. copies/$1/
		fi ;;
	esac 2>/dev/null
	mkdir -p copies/$1/staging copies/$1/layers copies/$1/tmp
}

failed () {
	echo "$trial: $*" >>complaints
}

# A tree with content that is old and new, added over whatever is there.
make_tree () {
	for seed in 1 2 3 9 $((last / 2)) $((last - 1)) $last $((100000 + $1))
	do
		test $seed -lt 1 || content $seed >r/t$seed
	done
	content 5 >r/f1
}

tried=0 said=0 refused=0
# try: what must hold of r/.dig, however it came about.
try () {
	tried=$((tried + 1))
	rm -rf out && (cd r && dig-verify-store -q) >log 2>&1
	check=$?
	test $check = 0 || test $check = 4 || test $check = 10 || test $check = 128 || failed "check: $check"
	test $check = 0 || said=$((said + 1))
	(cd r && dig-extract ../out) >>log 2>&1
	status=$?
	test $check != 0 || test $status = 0 || failed "the check is content, and extract: $status"
	test ! -d out || is_right out || failed "wrong bytes"
	make_tree $tried
	(cd r && dig-add -A) >>log 2>&1
	status=$?
	test $check != 0 || test $status = 0 || failed "the check is content, and add: $status"
	if test $status != 0
	then
		(cd r && dig-reset && dig-add -A) >>log 2>&1
		status=$?
	fi
	if test $status = 0
	then
		(cd r && dig-commit -q -m tried) >>log 2>&1
		status=$?
		test $check != 0 || test $status = 0 || failed "the check is content, and commit: $status"
	fi
	test $status = 0 || refused=$((refused + 1))
	test $status != 0 || {
		rm -rf out && (cd r && dig-extract ../out) >>log 2>&1 || failed "committed, and extract: $?"
		diff -r -x .dig r out >>log 2>&1 || failed "committed, and other content"
		test $check != 0 || (cd r && dig-verify-store -q) >>log 2>&1 || failed "committed, and check: $?"
	}
	test -s complaints && { cat log >>complaints; cp -a r failed.$tried; }
	rm -rf r
}

test_expect_success 'a store is copied while somebody writes to it' '
	dig-init-store w >/dev/null && mkdir copies && : >complaints &&
	(cd w && content 1 >first && commit_all first >/dev/null) &&
	{ (cd w && writer) >writer.log 2>&1 & writer=$!; } &&
	for number in $(seq $copies)
	do
		sleep 0.$((number * 37 % 20 + 10)) && copy $number || :
	done &&
	: >stop && wait $writer &&
	last=$(cd w && dig-list-roots | wc -l) && echo "$last states" &&
	test_cmp /dev/null complaints && (cd w && dig-verify-store -q)
'

test_expect_success 'what is missing in such a copy is told, and what is added over it is there' '
	for number in $(seq $copies)
	do
		trial="copy $number" && mkdir r && cp -a copies/$number r/.dig && try
	done &&
	echo "$tried copies: $said damaged, $refused without a commit" && test_cmp /dev/null complaints
'

test_expect_success 'so it is of one over an older or a newer store, whose files stay' '
	for number in $(seq $copies)
	do
		for other in $((number / 2 + 1)) $(((number + copies) / 2))
		do
			test $other != $number || continue
			trial="copy $number over $other" &&
			mkdir r && cp -a copies/$other r/.dig && cp -a copies/$number/. r/.dig/ && try
		done
	done &&
	echo "$tried copies: $said damaged, $refused without a commit" && test_cmp /dev/null complaints
'

test_done
