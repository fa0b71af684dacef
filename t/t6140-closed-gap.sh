#!/bin/sh

test_description='what was dropped is no part of a layer, and a kill while its place is filled loses nothing'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

layer_size () {
	wc -c <"$(ls .dig/layers/*.dig)"
}

# holds FILE...: the newest state has these files and no other.
holds () {
	dig-ls-root HEAD | wc -l | grep -qx "$#" &&
	for path
	do
		dig-cat HEAD:$path | cmp - $path || return 1
	done
}

# A hole would be as large as content for whoever copies the layer.
test_expect_success 'what is dropped in front of little makes the layer no larger' '
	dig-init-store w >/dev/null &&
	(
		cd w && seeded 3K 1 >first && dig-add first && seeded 8M 2 >large && dig-add large &&
		seeded 9K 3 >second && seeded --text 40 4 >third && dig-add second && dig-add third &&
		dig-rm -q --cached large && rm large && cp -a .dig ../staged &&
		dig-commit -q -m small && test $(layer_size) -lt 32768 && dig-verify-store -q && holds first second third
	)
'

test_expect_success 'the next commits lean on it' '
	(
		cd w && echo more >more && commit_all more >/dev/null && dig-verify-store -q && holds first more second third
	)
'

test_expect_success 'so does a stream that was killed' '
	dig-init-store torn >/dev/null &&
	(
		cd torn && mkfifo pipe && { dig-update-index --add --stdin-content --path=s -q <pipe & } && adding=$! &&
		exec 9>pipe && seeded 40M 5 >&9 && kill -KILL $adding && { wait $adding || :; } && exec 9>&- && rm pipe &&
		test $(wc -c <.dig/staging/pack) -gt 20000000 &&
		echo x >y && dig-add y && dig-commit -q -m y && test $(layer_size) -lt 32768 &&
		dig-verify-store -q && holds y
	)
'

test_expect_success 'a gap that is too small for what lies behind it stays' '
	dig-init-store wide >/dev/null &&
	(
		cd wide && seeded 300K 6 >first && dig-add first && seeded 2M 7 >second && dig-add second &&
		dig-rm -q --cached first && rm first && dig-commit -q -m second && test $(layer_size) -gt 2300000 &&
		dig-verify-store -q && holds second
	)
'

test_expect_success STRACE 'a commit that is killed while the gap is closed is made by the next one' '
	killed=0 &&
	for call in pwritev2 fdatasync fsync rename unlink ftruncate
	do
		for number in 1 2 3 4 5 6 7 8 9
		do
			rm -rf w/.dig && cp -a staged w/.dig && status=0 &&
			{ at_call $call $number signal=KILL dig-commit -q -m small >out 2>err || status=$?; }
			(
				cd w &&
				{ test $status = 0 || dig-commit -q -m small || test $(dig-list-roots | wc -l) = 1; } &&
				dig-verify-store -q && test $(layer_size) -lt 32768 && holds first second third
			) || { echo "after $call $number, status $status"; return 1; }
			test $status = 0 || killed=$((killed + 1))
		done
	done &&
	test $killed -ge 15
'

test_done
