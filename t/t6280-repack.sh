#!/bin/sh

test_description='dig-merge-layers, and commits, make layer files fewer and smaller, and lose nothing'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

# The tree of generation N: files that change at different paces, and one that all have.
make_generation () {
	mkdir -p d &&
	seeded 10K $1 >d/every && seeded --text 30K $(($1 / 2)) >d/second && seeded --text 200K 77 >same &&
	seeded --text 2K $1 >text && echo $1 >now
}

# states PATH...: "state:path" for each of these paths in all states.
states () {
	dig-list-roots | cut -d " " -f 1 | while read -r generation
	do
		printf "@$generation:%s\n" "$@"
	done
}

# contents NAMES: what dig-cat says of them, with ids and sizes.
contents () {
	dig-cat --batch <"$1"
}

# is_whole: nothing is damaged, the roots are the same, and so is the content of all states.
is_whole () {
	dig-verify-store -q && dig-list-roots | cmp - ../roots.first && contents ../names | cmp - ../contents.first
}

bytes_of_layers () {
	cat .dig/layers/* | wc -c
}

# snapshot: all of the store, to see whether anything has changed.
snapshot () {
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | sort)
}

# Generation 4 is whole in a layer of its own.
make_store () {
	for number in 1 2 3 4 5
	do
		make_generation $number && take_all || return 1
		case $number in
		4) layer=$(dig-write-layer $1 -m "number $number") ;;
		*) layer=$(dig-write-layer -m "number $number") ;;
		esac && dig-update-root $layer >/dev/null || return 1
	done
}

test_expect_success 'a store of five states, one of them in a full layer' '
	dig-init-store --store-id=$crash_id w >/dev/null &&
	(
		cd w && make_store --full && for number in 1 2 3 4 5
		do
			dig-checkout-root -q @$number ../tree-$number || exit 1
		done && dig-list-roots >../roots.first && states d/every d/second same text now >../names &&
		contents ../names >../contents.first && test $(wc -l <../names) = 25 &&
		dig-info layers layer-files pending >../actual && printf "5\n5\n0\n" | test_cmp - ../actual
	) && cp -a w/.dig first.dig
'

test_expect_success 'a dry run changes nothing, and says to the byte what the run does' '
	snapshot >before && (cd w && dig-merge-layers --dry-run) >dry && snapshot >after && test_cmp before after &&
	size=$(cd w && bytes_of_layers) && (cd w && dig-merge-layers) >real && test_cmp dry real &&
	now=$(cd w && bytes_of_layers) && test $now -lt $size &&
	printf "make\t@1-@5\t$now\t$size\n5 layers of $size bytes, then 1 layer of $now bytes\n" | test_cmp - real
'

test_expect_success 'all states are the same, the roots are the same, and one file has them' '
	(
		cd w && is_whole && matches 1 2 3 4 5 && dig-verify-store 2>../err && test ! -s ../err &&
		dig-info layers layer-files >../actual && printf "5\n1\n" | test_cmp - ../actual && test $(ls .dig/layers | wc -l) = 1 &&
		dig-log >../out && grep -c "number [1-5]$" ../out | grep -x 5
	)
'

test_expect_success 'nothing is done where nothing is gained' '
	snapshot | grep -v gc-lock >before && (cd w && dig-repack) >out && snapshot | grep -v gc-lock >after &&
	test_cmp before after && grep -x "1 layer of $now bytes, then 1 layer of $now bytes" out &&
	(cd w && dig-merge-layers -q --level=3) >out && snapshot | grep -v gc-lock >after && test_cmp before after &&
	test_cmp /dev/null out
'

test_expect_success 'what a full layer has again is kept once' '
	dig-init-store --store-id=$crash_id plain >/dev/null &&
	(
		cd plain && make_store && dig-merge-layers -q && dig-show-layer @1 >../out && bytes_of_layers >../bytes
	) && (cd w && dig-show-layer @1) >actual && sed -n "s/^items //p" out >expect && sed -n "s/^items //p" actual | test_cmp expect - &&
	difference=$((now - $(cat bytes))) && test ${difference#-} -lt 1000
'

test_expect_success 'commits go on, and the next run takes what came' '
	(
		cd w && make_generation 6 && commit_all "number 6" && dig-info layer-files >../actual && echo 2 | test_cmp - ../actual &&
		dig repack >../out && grep "^make	@1-@6	" ../out && dig-verify-store -q && dig-cat HEAD:d/every | cmp - d/every &&
		contents ../names | cmp - ../contents.first
	)
'

test_expect_success 'a higher level makes it smaller, and another run with it does nothing' '
	restore first.dig &&
	(
		cd w && dig-merge-layers -q --level=1 && is_whole && low=$(bytes_of_layers) && dig-merge-layers -q --level=19 && is_whole &&
		high=$(bytes_of_layers) && test $high -lt $low && ls .dig/layers >../before && dig-merge-layers --level=19 >../out &&
		ls .dig/layers | test_cmp ../before - && ! grep "^make" ../out
	)
'

test_expect_success 'with --long, blocks are larger' '
	dig-init-store long >/dev/null &&
	(
		cd long && seeded --text 3M 1 | split -b 30K - part. && commit_all one && cp -a .dig ../long.dig && cat part.* >../expect &&
		dig-merge-layers -q && dig-show-layer | sed -n "s/^blocks //p" >../usual && rm -rf .dig && cp -a ../long.dig .dig &&
		dig-merge-layers -q --long && dig-show-layer | sed -n "s/^blocks //p" >../larger && dig-verify-store -q &&
		rm part.* && dig-checkout-root -q HEAD there && cat there/part.* | cmp - ../expect
	) && test $(cat larger) -lt $(cat usual)
'

test_expect_success 'wrong options are refused' '
	restore first.dig && snapshot >before &&
	(
		cd w && for option in --level=0 --level=20 --level=-1 --level=x --level=1x --level= --budget=0 --budget=1d --budget= --now file
		do
			test_expect_code 129 dig-merge-layers $option >../out && test ! -s ../out || exit 1
		done && test_expect_code 129 dig-repack --level=0
	) && snapshot >after && test_cmp before after
'

test_expect_success 'with enough time all is done' '
	(cd w && dig-merge-layers --budget=1h >../out && is_whole && test $(dig-info layer-files) = 1) && ! grep "not finished" out
'

test_expect_success STRACE 'time that has run out ends it, and the next run goes on' '
	restore first.dig && (cd w && ls .dig/layers) >before &&
	(cd w && stopped_at .dig/roots openat "sleep 1" dig-merge-layers --budget=1s) >out && grep "not finished" out &&
	! grep "^make" out && (cd w && ls .dig/layers | test_cmp ../before - && dig-merge-layers -q && is_whole && test $(dig-info layer-files) = 1)
'

test_expect_success 'a damaged layer ends it, and no other content has changed' '
	restore first.dig &&
	(
		cd w && flip_bit $(layer_of 1) 4000 && test_expect_code 4 dig-merge-layers 2>../err && grep "$(basename $(layer_of 1))" ../err &&
		test $(dig-info layer-files) = 5 && ls .dig/layers | wc -l | grep -x 5 && dig-cat @5:d/every | cmp - ../tree-5/d/every
	)
'

# --- readers ------------------------------------------------------------------------------------

test_expect_success 'readers beside it never fail' '
	restore first.dig && rm -f stop failed &&
	(
		cd w && {
			while ! test -e ../stop
			do
				dig-cat @1:d/every | cmp - ../tree-1/d/every && dig-cat @4:same | cmp - ../tree-4/same || : >../failed
			done &
		} && reader=$! && for level in 1 5 9 13
		do
			dig-merge-layers -q --level=$level || : >../failed
		done && : >../stop && wait $reader && test ! -e ../failed
	)
'

test_expect_success STRACE 'a reader that looks for a layer too late finds its content' '
	restore first.dig &&
	(
		cd w && stopped_at .dig/roots openat "dig-merge-layers -q" dig-cat @2:d/second >../out && cmp ../out ../tree-2/d/second &&
		stopped_at .dig/layer-table openat "dig-merge-layers -q --level=19" dig-cat @3:d/every >../out && cmp ../out ../tree-3/d/every
	)
'

# --- kills and failures of a repack -------------------------------------------------------------

# After a fault all is whole, and the next run ends what was begun.  The epoch is in a merged layer, so that
# its name is another one then.
recovery () {
	is_whole && dig-merge-layers -q && is_whole && ls .dig/layers | grep -c "merged$" | grep -x 1 &&
	ls .dig/layers | wc -l | grep -x 1 && test $(bytes_of_layers) = $(cat ../bytes.expected) &&
	test -z "$(find .dig/dropped .dig/tmp -type f)"
}
writing_calls=$layer_calls
test_have_prereq LONG || crash_most=2

test_expect_success 'what an undisturbed run leads to' '
	: >input && restore first.dig && (cd w && dig-merge-layers -q && bytes_of_layers) >bytes.expected
'

test_expect_success STRACE 'killed at any call, it loses nothing, and the next run ends it' '
	everywhere first.dig signal=KILL dig-merge-layers -q
'

test_expect_success STRACE 'where calls fail, too' '
	everywhere first.dig error=EIO dig-merge-layers -q &&
	writing_calls="pwrite64 fdatasync mkdir" && everywhere first.dig error=ENOSPC dig-merge-layers -q
'

# --- content that is compressed later -----------------------------------------------------------

test_expect_success 'what is compressed later is stored raw, and is counted' '
	dig-init-store --store-id=$crash_id later >/dev/null &&
	(
		cd later && make_generation 1 && commit_all one && dig-config core.compression later &&
		seeded --text 300K 5 >more && commit_all two && seeded --text 100K 6 >again && commit_all three &&
		test $(dig-info pending) -ge 400000 && test $(dig-info pending) -lt 500000 && test $(wc -c <$(layer_of 2)) -gt 300000 &&
		dig-verify-store -q && dig-checkout-root -q @2 ../later-2 && dig-checkout-root -q @3 ../later-3
	) && cp -a later/.dig later.dig
'

test_expect_success '--pending compresses that, and leaves other files alone' '
	(
		cd later && first=$(layer_of 1) && size=$(bytes_of_layers) && dig-merge-layers --pending -n >../dry && dig-merge-layers --pending >../real &&
		test_cmp ../dry ../real && grep "^make	@2-@3	" ../real && test -e $first && dig-info pending layer-files >../actual &&
		printf "0\n2\n" | test_cmp - ../actual && test $(bytes_of_layers) -lt $((size - 150000)) && dig-verify-store -q &&
		for number in 2 3
		do
			rm -rf ../tree && dig-checkout-root -q @$number ../tree && diff -r ../tree ../later-$number || exit 1
		done && ls .dig/layers >../before && dig-merge-layers -q --pending && ls .dig/layers | test_cmp ../before -
	)
'

test_expect_success 'a gc compresses it as well' '
	rm -rf later/.dig && cp -a later.dig later/.dig &&
	(
		cd later && size=$(bytes_of_layers) && dig-prune-layers -n >../dry && dig-prune-layers --now >../real &&
		sed "s/^would drop/dropped/" ../dry | test_cmp - ../real &&
		test $(dig-info pending) = 0 && test $(bytes_of_layers) -lt $((size - 150000)) && dig-verify-store -q &&
		rm -rf ../tree && dig-checkout-root -q @3 ../tree && diff -r ../tree ../later-3
	)
'

# --- merging by commits -------------------------------------------------------------------------

# commit_tiny FROM TO: a state for each number.
commit_tiny () {
	for number in $(seq $1 $2)
	do
		echo "content of $number" | dig-add -q --stdin --path=tiny && dig-commit -q -m "tiny $number" || return 1
	done
}

# has_tiny COUNT: all of these states are there.
has_tiny () {
	seq -f "@%g:tiny" 1 $1 >"$TRASH/tiny" && dig-cat --batch <"$TRASH/tiny" | grep "^content" >"$TRASH/actual" &&
	seq -f "content of %g" 1 $1 | cmp - "$TRASH/actual"
}

test_expect_success 'with core.merge_layers = false each commit leaves a file' '
	rm -rf w/.dig w/* && dig-init-store --store-id=$crash_id w >/dev/null &&
	(
		cd w && dig-config core.merge_layers false && commit_tiny 1 20 && dig-info layers layer-files >../actual &&
		printf "20\n20\n" | test_cmp - ../actual && ls .dig/layers | wc -l | grep -x 20 && dig-config --unset core.merge_layers
	) && cp -a w/.dig many.dig
'

test_expect_success 'otherwise commits merge small layers, and lose nothing' '
	(
		cd w && commit_tiny 21 40 && test $(dig-info layers) = 40 && test $(dig-info layer-files) -lt 20 &&
		test $(ls .dig/layers | wc -l) = $(dig-info layer-files) && has_tiny 40 && dig-verify-store 2>../err && test ! -s ../err &&
		test -e $(layer_of 40)
	)
'

test_expect_success 'a gc that was before the merging can be undone after it' '
	restore many.dig &&
	(
		cd w && dig-prune-layers -q --keep-last=3 && test_expect_code 128 dig-cat @2:tiny && for number in $(seq 21 39)
		do
			dig-commit -q --allow-empty -m $number || exit 1
		done && test $(dig-info layer-files) -lt 20 && dig gc --undo >../out && grep "^brought back 17 states$" ../out &&
		dig-verify-store -q && has_tiny 20 && dig-cat @30:tiny | grep "content of 20"
	)
'

test_expect_success 'after a repack there is nothing to undo' '
	restore many.dig &&
	(
		cd w && dig-prune-layers -q --keep-last=3 && dig repack -q && test_expect_code 128 dig gc --undo 2>../err &&
		grep "nothing to undo" ../err && dig-verify-store -q && dig-log --oneline >../out && grep -c dropped ../out | grep -x 17
	)
'

test_expect_success STRACE 'a commit that is killed while it merges loses nothing' '
	restore many.dig && writing_calls=$layer_calls &&
	(cd w && echo "content of 21" | dig-add -q --stdin --path=tiny && dig-write-layer -m 21) >layer && rm -rf many.dig && cp -a w/.dig many.dig &&
	(cd w && dig-update-root $(cat ../layer) >/dev/null && dig-info layer-files && dig-list-roots >../roots.expected) >files &&
	test $(cat files) -lt 10 &&
	recovery () {
		dig-verify-store -q && has_tiny 20 && { test $(dig-info generation) = 21 || dig-update-root $(cat ../layer); } &&
		dig-list-roots | cmp - ../roots.expected && has_tiny 21 && dig-verify-store -q && dig-repack -q && has_tiny 21 &&
		test $(ls .dig/layers | wc -l) = 1
	} &&
	everywhere many.dig signal=KILL dig-update-root $(cat layer)
'

# What fails before the merging may end the commit.
test_expect_success STRACE 'a commit whose merging fails is done' '
	check_fault () {
		test $1 = 0 || ! grep "/layers" err || test "$(cd w && dig-info generation)" = 20
	} &&
	writing_calls="openat write fdatasync fsync rename unlink" && everywhere many.dig error=ENOSPC dig-update-root $(cat layer) &&
	grep "INJECTED" calls
'

test_expect_success 'status says how much waits to be compressed' '
	dig-init-store pending >/dev/null &&
	(
		cd pending && dig-config core.compression later && seeded --text 300K 1 >text && dig-add -q text && dig-commit -q -m one &&
		dig-status >../out && grep "^300 KiB are stored without compression; .dig repack --pending. compresses them$" ../out &&
		dig-repack -q --pending && dig-status >../out && ! grep "without compression" ../out
	)
'

test_done
