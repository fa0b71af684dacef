#!/bin/sh

test_description='dig-write-layer seals what is staged as a layer that is no state yet'

. "$(dirname "$0")/test-lib.sh"

reference=$TEST_DIRECTORY/reference/dig_reference.py

# value KEY [LAYER]
value () {
	dig-show-layer ${2-} >"$TRASH/shown" && sed -n "s/^$1 //p;/^$/q" "$TRASH/shown"
}

test_expect_success 'there must be a store, and something staged' '
	test_expect_code 10 dig-write-layer -m one && dig-init-store w >store && cd w &&
	test_expect_code 1 dig-write-layer -m one 2>../err && grep "nothing is staged" ../err && test -z "$(ls .dig/layers)"
'

test_expect_success 'the layer has the name that is printed, and is durable but no state' '
	cd w && mkdir d && seeded --text 300K 1 >d/text && echo small >small && : >empty && take_all &&
	dig-write-layer -m one >../layer && layer=$(cat ../layer) &&
	test "$(ls .dig/layers)" = $layer.dig && test -z "$(dig-list-roots)" &&
	dig-show-layer .dig/layers/$layer.dig >../shown && grep "^layer $layer$" ../shown && grep "^entries 3$" ../shown
'

test_expect_success 'without a second step the next writer takes it back, and nothing is lost' '
	cd w && echo more >more && echo more | dig-update-index --add --stdin-paths && test -z "$(ls .dig/layers)" &&
	test_expect_code 1 dig-diff-index >../actual && printf "A\\td/text\\nA\\tempty\\nA\\tmore\\nA\\tsmall\\n" | test_cmp - ../actual &&
	commit_staged one && dig-cat HEAD:d/text >../actual && cmp d/text ../actual && dig-cat HEAD:more >../actual && cmp more ../actual
'

test_expect_success 'a second layer holds only what is new' '
	cd w && echo new >d/new && commit_all two &&
	test "$(value entries)" = 5 && test "$(value bytes)" = $((307200 + 6 + 5 + 4)) &&
	test "$(value items)" = 2 && test "$(value size)" -lt 2000 && test "$(value full)" = no
'

test_expect_success 'author, time and message are those of the commit' '
	cd w && echo 3 >new && take_all && message=$(printf "first\\n\\nthird \\303\\274") &&
	layer=$(DIG_AUTHOR="A <a@b>" DIG_COMMIT_TIME=-3 dig-write-layer --message="$message") &&
	dig-update-root $layer >/dev/null &&
	test "$(value author)" = "A <a@b>" && test "$(value time)" = -3 &&
	sed "1,/^$/d" ../shown >../actual && printf "%s\\n" "$message" | test_cmp - ../actual &&
	(
		unset DIG_COMMIT_TIME DIG_AUTHOR && SOURCE_DATE_EPOCH=77 && export SOURCE_DATE_EPOCH &&
		layer=$(DIG_CONFIG=core.author=Configured dig-write-layer --allow-empty -m four) && dig-update-root $layer >/dev/null
	) &&
	test "$(value time)" = 77 && test "$(value author)" = Configured
'

test_expect_success 'a time that is none is refused, and what is staged stays staged' '
	cd w && echo 5 >new && take_all &&
	for time in soon 1.5 "1 " 99999999999999999999
	do
		test_expect_code 128 env DIG_COMMIT_TIME="$time" dig-write-layer -m x 2>../err && test -s ../err || return 1
	done &&
	test_expect_code 1 dig-diff-index >../actual && printf "M\\tnew\\n" | test_cmp - ../actual && commit_staged five
'

test_expect_success 'with --allow-empty a state may be the one before' '
	cd w && manifest=$(value manifest) && test_expect_code 1 dig-write-layer -m same &&
	layer=$(dig-write-layer --allow-empty -m same) && dig-update-root $layer >/dev/null &&
	test "$(value manifest)" = $manifest && test "$(value generation)" = 6 && test "$(value items)" = 0
'

test_expect_success PYTHON 'a full layer holds all of the state, and is read alone' '
	cd w && echo seven >d/new && take_all && layer=$(dig-write-layer --full -m seven) && dig-update-root $layer >/dev/null &&
	test "$(value full)" = yes && mkdir ../alone && cp .dig/layers/$layer.dig ../alone &&
	for path in d/text d/new small empty
	do
		python3 "$reference" extract ../alone $path | cmp $path - || return 1
	done &&
	dig-verify-store -q && python3 "$reference" store .dig >../out
'

test_expect_success 'the same content, store id, author and time give the same layers and roots' '
	for name in a b
	do
		dig-init-store --store-id=$(printf %064d 9) $name >store &&
		(
			cd $name && seeded 3M 3 >large && echo x >x && mkdir d && : >d/y && touch -d @1600000000 large x d/y &&
			if test $name = a
			then
				take_all
			else
				printf "x\\nlarge\\nd/y\\n" | DIG_CONFIG=performance.max_worker_threads=8 \
					dig-update-index --add --stdin-paths && dig-update-index --remove x &&
				echo x | dig-update-index --add --stdin-paths
			fi && commit_staged same && dig-list-roots >../$name.roots
		) || return 1
	done &&
	test_cmp a.roots b.roots
'

test_expect_success 'wrong usage is told' '
	cd w && test_expect_code 129 dig-write-layer && test_expect_code 129 dig-write-layer -m a b
'

test_done
