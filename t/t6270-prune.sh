#!/bin/sh

test_description='dig-prune-layers drops states, and keeps what is kept through kills and beside writers'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

# The tree of generation N: files that change at different paces, and one that all have.
make_generation () {
	mkdir -p d &&
	seeded 40K $1 >d/every && seeded 90K $(($1 / 2)) >d/second && seeded 300K $(($1 / 3)) >d/third &&
	seeded 50K 77 >same && seeded --text 3K $1 >text && seeded --text 3K 5 >"text too" && echo $1 >now
}

test_expect_success 'a store of eight states' '
	dig-init-store --store-id=$crash_id w >/dev/null &&
	(
		cd w &&
		for number in 1 2 3 4 5 6 7 8
		do
			make_generation $number && DIG_COMMIT_TIME=$((1700000000 + number * 86400)) && export DIG_COMMIT_TIME &&
			commit_all "number $number" >/dev/null && dig-checkout-root -q @$number ../tree-$number || exit 1
		done
	) &&
	cp -a w/.dig first.dig && (cd w && dig-list-roots) >roots.first && test $(wc -l <roots.first) = 8
'

test_expect_success 'a dry run changes nothing, and says to the byte what the run does' '
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | sort) >before &&
	(cd w && printf "@4\n" | dig-prune-layers --stdin --dry-run) >dry &&
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | sort) >after && test_cmp before after &&
	(cd w && printf "@4\n" | dig-prune-layers --stdin --now) >real &&
	sed "s/^would drop/dropped/" dry >expect && test_cmp expect real &&
	grep "^dropped 6 states, kept 2 states$" real &&
	test "$(cat w/.dig/layers/* | wc -c)" = "$(sed -n "s/.*, then .* of \([0-9]*\) bytes$/\1/p" real)"
'

test_expect_success 'what is kept is the same, the roots are the same, and nothing is damaged' '
	(
		cd w && matches 4 8 && dig-list-roots | cmp - ../roots.first && dig-verify-store 2>../err && test ! -s ../err
	)
'

test_expect_success 'a dropped state is listed as dropped, and asking for its content is no damage' '
	(
		cd w && dig-log >../out && test $(grep -c "^Dropped: " ../out) = 6 && grep "number 3" ../out &&
		dig-log --oneline >../out && grep "^@3 .*(dropped) number 3$" ../out && grep "^@4 [0-9a-f]* number 4$" ../out &&
		for command in "dig-cat @3:now" "dig-ls-root @3" "dig-checkout-root @3 ../x" "dig-diff-roots @3 @4"
		do
			test_expect_code 128 $command 2>../err && grep "content of @3 was dropped by .dig gc." ../err || exit 1
		done &&
		dig-show @3 >../out && grep "^Dropped" ../out && dig-show-layer @3 >../out && grep "^generation 3$" ../out
	)
'

test_expect_success 'commits go on, and what was dropped can be added again' '
	(
		cd w && make_generation 2 && commit_all again >/dev/null && dig-verify-store -q &&
		rm -rf ../actual && dig-checkout-root -q HEAD ../actual && diff -r ../actual ../tree-2 && matches 4 8
	)
'

test_expect_success 'nothing is done where nothing is to be dropped' '
	(cd w && find .dig/layers .dig/layer-table -printf "%p %s %T@ %i\n" | sort) >before &&
	(cd w && dig-prune-layers >../out) && (cd w && find .dig/layers .dig/layer-table -printf "%p %s %T@ %i\n" | sort) >after &&
	test_cmp before after && grep "^dropped 0 states, kept 3 states$" out
'

test_expect_success 'what was dropped is brought back, until the next gc' '
	restore first.dig &&
	(
		cd w && dig-prune-layers --keep-last=1 >../out && grep "bytes stay for .dig gc --undo." ../out &&
		test_expect_code 128 dig-cat @3:now && dig-prune-layers --undo >../out && grep "^brought back 7 states$" ../out &&
		matches 1 2 3 4 5 6 7 8 && dig-verify-store -q && test_expect_code 128 dig-prune-layers --undo 2>../err &&
		dig-prune-layers --keep-last=1 >/dev/null && dig-prune-layers >/dev/null && test -z "$(ls .dig/dropped)" &&
		test_expect_code 128 dig-prune-layers --undo 2>../err && grep "nothing to undo" ../err
	)
'

test_expect_success 'what was committed since stays when the rest is brought back' '
	restore first.dig &&
	(
		cd w && dig-prune-layers --keep-last=2 >/dev/null && echo new >now && commit_all new >/dev/null &&
		dig-prune-layers --undo >/dev/null && matches 1 5 8 && echo new | cmp - now && dig-cat HEAD:now | cmp - now &&
		dig-verify-store -q
	)
'

# kept EXPECTED RULES...: which states the rules keep.
kept () {
	expected=$1
	shift
	restore first.dig && (cd w && dig-prune-layers -q --now "$@" && dig-log --oneline | grep -v dropped | cut -d " " -f 1 | tr "\n" " ") >names &&
	echo "$expected " | tr -d "\n" | cmp - names
}

test_expect_success 'rules keep what they say, and the newest state always' '
	kept "@8" --keep-last=1 && kept "@8 @7 @6" --keep-last=3 && kept "@8 @7 @6" --keep-within=2d &&
	kept "@8 @7 @6 @5" --keep-daily=4 && kept "@8 @5" --keep-weekly=2 --utc && kept "@8" --keep-yearly=3 &&
	kept "@8 @7 @5" --keep-weekly=2 --keep-last=2 --utc && kept "@8 @7 @6 @5 @4 @3 @2 @1" --keep-hourly=100
'

test_expect_success 'a rule that is wrong is refused' '
	(
		cd w && test_expect_code 129 dig-prune-layers --keep-within=nonsense && test_expect_code 129 dig-prune-layers --keep-last=-1 &&
		test_expect_code 129 dig-prune-layers --keep-last=0 && test_expect_code 128 dig-prune-layers --keep-tag=none 2>../err && grep "no tag matches" ../err &&
		test_expect_code 129 dig-prune-layers --budget=1d && test_expect_code 129 dig-prune-layers --undo --now && dig-list-roots | cmp - ../roots.first &&
		echo "@99" | test_expect_code 128 dig-prune-layers --stdin && test_expect_code 128 dig-prune-layers --stdin </dev/null
	) &&
	restore first.dig && (cd w && dig-prune-layers -q --keep-last=1 && echo "@2" | test_expect_code 128 dig-prune-layers --stdin 2>../err) &&
	grep "dropped before" err
'

test_expect_success PYTHON 'with --json each line is an object' '
	restore first.dig && (cd w && dig-prune-layers --json -n --keep-last=2) >out &&
	python3 -c "
import json, sys
lines = [json.loads(line) for line in open(\"out\")]
assert lines[-1][\"result\"] == \"done\" and lines[-1][\"states_dropped\"] == 6, lines[-1]
assert lines[-1][\"size_before\"] == sum(l[\"size\"] for l in lines if l.get(\"layer\") in (\"keep\", \"copy\", \"drop\"))
assert lines[-1][\"size_after\"] == sum(l[\"size\"] for l in lines if l.get(\"layer\") in (\"keep\", \"make\"))
"
'

test_expect_success 'time that has run out ends it, and the next run goes on' '
	restore first.dig && (cd w && dig-prune-layers -q --keep-last=1 --budget=1s && dig-prune-layers -q --now && dig-verify-store -q && matches 8)
'

# --- what is staged -----------------------------------------------------------------------------

test_expect_success 'what is staged and stands in a dropped state stays' '
	restore first.dig &&
	(
		cd w && rm -rf d text* same now && cp -a ../tree-3/. . && take_all && dig-prune-layers -q --now --keep-last=1 &&
		dig-verify-store -q && commit_staged back && dig-verify-store -q && rm -rf ../actual &&
		dig-checkout-root -q HEAD ../actual && diff -r ../actual ../tree-3
	)
'

# The add has looked for its content in layers, and has not told anybody yet.  A stream cannot be read again.
test_expect_success 'an add that runs meanwhile loses nothing, not even of a stream' '
	restore first.dig &&
	(
		cd w && rm -rf d text* same now && seeded 24M 9 >large && commit_all large >/dev/null && rm large &&
		make_generation 9 && commit_all gone >/dev/null &&
		{
			{ seeded 24M 9 && : >../sent && until test -e ../go; do sleep 0.05; done; echo end; } | dig -c performance.max_memory_usage=16MB add -q --stdin --path=stream &
		} &&
		stream=$! && until test -e ../sent; do sleep 0.05; done && dig-prune-layers -q --keep-last=1 &&
		: >../go && wait $stream && test_expect_code 128 dig-cat @9:large &&
		commit_staged stream && dig-verify-store -q &&
		{ seeded 24M 9 && echo end; } >../expect && dig-cat HEAD:stream | cmp - ../expect
	)
'

# The interrupted add has blocks of a file that begins with what was stored, and names its nodes in a checkpoint only.
test_expect_success STRACE 'what an interrupted add goes on with stays' '
	restore first.dig &&
	(
		cd w && rm -rf d text* same now && seeded 24M 9 >large && commit_all large >/dev/null && cp large big && rm large &&
		make_generation 9 && commit_all gone >/dev/null && seeded 8M 10 >>big &&
		echo big >../names && test_expect_code 137 strace -f -qq -o ../calls -e trace=fdatasync \
			-e inject=fdatasync:signal=KILL:when=2 dig -c performance.checkpoint_bytes=1MB \
			update-index --add --stdin-paths <../names && dig-show-staging >../staging && grep "big" ../staging &&
		dig-prune-layers -q --keep-last=1 --now && dig-add big && commit_staged big && dig-verify-store -q &&
		dig-cat HEAD:big | cmp - big
	)
'

test_expect_success 'a staging area elsewhere is looked through by its commit' '
	restore first.dig &&
	(
		cd w && rm -rf d text* same now big && cp -a ../tree-3/. . && DIG_STAGING_DIR="$TRASH/elsewhere" && export DIG_STAGING_DIR &&
		take_all && (unset DIG_STAGING_DIR && dig-prune-layers -q --now --keep-last=1) &&
		commit_staged back && dig-verify-store -q && rm -rf ../actual && dig-checkout-root -q HEAD ../actual && diff -r ../actual ../tree-3
	)
'

# --- kills and failures -------------------------------------------------------------------------

sizes_of_layers () {
	find .dig/layers -type f -printf "%s\n" | sort -n
}

# After a kill, what is kept is whole, and the next run ends what was begun.
recovery () {
	dig-verify-store -q && matches 4 8 && dig-list-roots | cmp - ../roots.first &&
	printf "@4\n" | dig-prune-layers -q --stdin --now && dig-verify-store -q && matches 4 8 &&
	sizes_of_layers >../layers.now && test_cmp ../layers.expected ../layers.now &&
	test -z "$(ls .dig/dropped 2>/dev/null)"
}
writing_calls=$layer_calls

test_expect_success 'what an undisturbed run leads to' '
	printf "@4\n" >input && restore first.dig && (cd w && dig-prune-layers -q --stdin --now <../input) &&
	(cd w && sizes_of_layers) >layers.expected
'

test_expect_success STRACE 'killed at any call, it leaves what is kept, and the next run ends it' '
	everywhere first.dig signal=KILL dig-prune-layers -q --stdin --now
'

test_expect_success STRACE 'where calls fail, too' '
	for error in EIO ENOSPC
	do
		everywhere first.dig error=$error dig-prune-layers -q --stdin --now || return 1
	done
'

test_expect_success STRACE 'bringing back can be killed at any call as well' '
	restore first.dig && (cd w && dig-prune-layers -q --stdin <../input) && cp -a w/.dig pruned.dig &&
	everywhere pruned.dig signal=KILL dig-prune-layers --undo
'

# --- the layer table ----------------------------------------------------------------------------

test_expect_success 'a layer table that is gone or damaged comes back' '
	restore first.dig && (cd w && dig-prune-layers -q --stdin --now <../input) && cp w/.dig/layer-table table &&
	size=$(wc -c <table) &&
	for offset in gone $(seq 0 7 $((size - 1)))
	do
		cp table w/.dig/layer-table &&
		if test $offset = gone
		then
			rm w/.dig/layer-table
		else
			flip_bit w/.dig/layer-table $offset
		fi &&
		(cd w && test_expect_code 4 dig-cat HEAD:now 2>../err && dig-verify-store --repair >../out && grep "layer-table was made anew" ../out && matches 4 8 &&
			test_expect_code 128 dig-cat @3:now && dig-prune-layers -q) || return 1
	done
'

test_expect_success 'roots come back from merged layers, too' '
	cp w/.dig/roots roots && rm w/.dig/roots && (cd w && dig-verify-store --repair >../out && cmp .dig/roots ../roots && matches 4 8)
'

# What is newer must not be taken for what is left over.
test_expect_success 'an old copy of the layer table removes nothing, and a repair mends it' '
	restore first.dig && cp w/.dig/roots roots.old && (cd w && dig-prune-layers -q --now --keep-last=5) &&
	cp w/.dig/layer-table old && (cd w && dig-prune-layers -q --stdin --now <../input 2>../err || dig-prune-layers -q --now --keep-last=2) &&
	cp w/.dig/layer-table new && ! cmp old new && (cd w/.dig/layers && ls) >layers.before && cp old w/.dig/layer-table &&
	(
		cd w && test_expect_code 4 dig-verify-store -q 2>../err; test_must_fail dig-prune-layers -q --keep-last=2 --now 2>../err
		(cd .dig/layers && ls) | test_cmp ../layers.before - &&
		dig-verify-store --repair >../out && grep "layer-table was made anew" ../out && test -e .dig/damaged-layer-table-1 &&
		dig-cat HEAD:now | grep 8 && dig-log | grep "^Dropped" && dig-prune-layers -q --now && dig-verify-store -q
	)
'

test_expect_success 'an old copy of roots beside a newer layer table is mended, too' '
	dig-init-store older >/dev/null &&
	(
		cd older && for number in 1 2; do echo $number >now && commit_all $number >/dev/null || exit 1; done && cp .dig/roots ../roots.two &&
		for number in 3 4; do echo $number >now && commit_all $number >/dev/null || exit 1; done && cp .dig/roots ../roots.four &&
		dig-merge-layers -q && cp ../roots.two .dig/roots && test_expect_code 4 dig-cat HEAD:now 2>../err && grep repair ../err &&
		dig-verify-store --repair >../out && cmp .dig/roots ../roots.four && dig-cat HEAD:now | grep 4
	)
'

test_expect_success 'a damaged note of what can be undone blocks nothing' '
	restore first.dig &&
	(
		cd w && dig-prune-layers -q --keep-last=2 && flip_bit .dig/dropped/before 40 && test_expect_code 128 dig-prune-layers --undo 2>../err &&
		dig-prune-layers -q && test -z "$(ls .dig/dropped)" && dig-verify-store -q && matches 7 8
	)
'

# The newest copy is the one that counts, and an older one is the only good one.
test_expect_success 'a good copy does not go because of a damaged one' '
	dig-init-store copies >/dev/null &&
	(
		cd copies && seeded 300K 1 >a && seeded 200K 2 >b && take_all && commit_staged one && echo 2 >now && take_all &&
		layer=$(dig-write-layer --full -m two) && dig-update-root $layer >/dev/null && echo 3 >now && commit_all three &&
		flip_bit $(layer_of 2) 100000 && dig-verify-store -q 2>../err && grep "is corrupt" ../err &&
		dig-prune-layers -n --keep-last=1 >../dry && dig-prune-layers --keep-last=1 --now >../real &&
		sed "s/^would drop/dropped/" ../dry | cmp - ../real && dig-verify-store -q && dig-cat HEAD:a | cmp - a &&
		dig-cat HEAD:b | cmp - b
	)
'

test_expect_success 'a damaged layer that is needed ends it, and nothing that is kept has changed' '
	restore first.dig &&
	(
		cd w && flip_bit $(layer_of 1) 450000 && test_expect_code 4 dig-prune-layers -q --keep-last=2 2>../err &&
		grep "$(basename $(layer_of 1)).* is corrupt" ../err && dig-cat @8:d/every | cmp - ../tree-8/d/every &&
		test_expect_code 4 dig-cat @8:same >../out && dig-cat @7:text | cmp - ../tree-7/text
	)
'

test_done
