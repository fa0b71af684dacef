#!/bin/sh

test_description='--heal-from finds what is lost in directories, stores and layers, and makes layer files anew'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=1'
export DIG_CONFIG

# Each state brings files that stay, under this name or another one.
make_state () {
	case $1 in
	1)
		mkdir d && seeded 1100K 1 >large && seeded 20K 2 >d/random && cp d/random random &&
		seeded --text 60K 3 >text && : >empty && echo one >one
		;;
	2) seeded --text 30K 4 >second && echo two >two && : >d/void ;;
	3) rm d/random && seeded 200K 5 >third && mkdir hollow && : >"empty too" ;;
	4) seeded 300K 6 >later && seeded --text 5K 7 >d/small && mv one uno ;;
	5) for i in 1 2 3 4 5 6 7 8; do echo "tiny $i" >d/tiny$i || return 1; done ;;
	esac
}

# states PATH...: "state:path" for each of these paths in all states.
states () {
	dig-list-roots | cut -d " " -f 1 | while read -r generation
	do
		printf "@$generation:%s\n" "$@"
	done
}

# is_whole: nothing is damaged, the roots are the same, and so is the content of all states.
is_whole () {
	dig-verify-store -q && dig-list-roots | cmp - ../roots.first && dig-cat --batch <../names | cmp - ../contents.first
}

# snapshot: all of the store, to see whether anything has changed.
snapshot () {
	(cd w && find .dig -type f -printf "%p %s %T@ %i\n" | grep -v "gc-lock" | sort)
}

test_expect_success 'a store of five states' '
	dig-init-store --store-id=$crash_id w >/dev/null &&
	(
		cd w && for number in 1 2 3 4 5
		do
			make_state $number && commit_all "number $number" && dig-checkout-root -q @$number ../tree-$number || exit 1
		done && dig-list-roots >../roots.first &&
		states large d/random random text empty one second d/void third later d/small uno d/tiny5 >../names &&
		dig-cat --batch <../names >../contents.first && dig-log >../log.first
	) && cp -a w/.dig first.dig && cp first.dig/states/0 noted && : >input
'

# --- layers that are gone -----------------------------------------------------------------------

test_expect_success 'a layer that is gone is made anew from the work tree, whichever it is' '
	for number in 1 2 3 4 5
	do
		restore first.dig &&
		(
			cd w && rm $(layer_of $number) && test_expect_code 4 dig-verify-store -q 2>../err &&
			dig-log >../out && cmp ../log.first ../out &&
			dig-check --heal-from=. >../out 2>../err && grep "^healed: the layer of @$number was made anew$" ../out &&
			grep "^found .* chunks and nodes that no layer had$" ../out && grep "^ok: .* nothing damaged$" ../out &&
			is_whole && matches 1 2 3 4 5 && echo more >more && dig-add -q more && dig-commit -q -m more && dig-verify-store -q && rm more
		) || return 1
	done
'

test_expect_success 'a layer is made anew from a copy of the store, or of the layer file' '
	for source in first.dig layer
	do
		restore first.dig &&
		(
			cd w && mv $(layer_of 3) ../layer && dig-verify-store --heal-from=../$source >../out 2>../err &&
			grep "^healed: the layer of @3 was" ../out && is_whole && test -z "$(find .dig/tmp -type f)"
		) || return 1
	done
'

test_expect_success 'sources may be several, and each has a part' '
	restore first.dig && mkdir half rest && cp w/later half/x && cp w/large w/text w/random w/uno w/d/small rest && : >rest/empty &&
	(
		cd w && rm $(layer_of 1) $(layer_of 4) && dig-check --heal-from=../half --heal-from=../rest >../out 2>../err && is_whole
	)
'

test_expect_success 'layers that are all gone come back from a copy' '
	restore first.dig && (cd w && rm .dig/layers/* && dig-check --heal-from=../first.dig >../out 2>../err && is_whole && matches 1 2 3 4 5) &&
	test $(grep -c "^healed: " out) = 5
'

test_expect_success 'a merged layer that is gone is made anew from a copy, and is one file again' '
	restore first.dig &&
	(
		cd w && dig-merge-layers -q && cp -a .dig ../merged.dig && rm .dig/layers/* && dig-log >../out && cmp ../log.first ../out &&
		for source in ../merged.dig ../first.dig
		do
			rm -rf .dig && cp -a ../merged.dig .dig && rm .dig/layers/* && dig-check --heal-from=$source >../out 2>../err &&
			grep "^healed: the layer of @1 to @5 was made anew$" ../out && is_whole && matches 1 2 3 4 5 &&
			test $(ls .dig/layers | wc -l) = 1 && echo more >more && dig-add -q more && dig-commit -q -m more && dig-verify-store -q &&
			rm more || exit 1
		done
	)
'

test_expect_success 'dropped states stay dropped, and what stays is healed' '
	restore first.dig &&
	(
		cd w && echo @3 | dig-prune-layers -q --now --stdin && cp -a .dig ../pruned.dig && dig-log >../log.pruned && rm .dig/layers/* &&
		dig-log >../out && cmp ../log.pruned ../out && dig-check --heal-from=../pruned.dig >../out 2>../err &&
		dig-log >../out && cmp ../log.pruned ../out && test_expect_code 128 dig-cat @2:two && dig-cat @3:third | cmp - third &&
		dig-verify-store -q && dig-list-roots | cmp - ../roots.first
	)
'

test_expect_success 'what was healed goes through gc and repack' '
	restore first.dig &&
	(
		cd w && rm $(layer_of 2) && dig-check -q --heal-from=. 2>../err && dig-merge-layers -q && is_whole &&
		dig-prune-layers -q --now --keep-last=1 && dig-verify-store -q && rm -rf ../tree && dig-checkout-root -q HEAD ../tree &&
		diff -r ../tree ../tree-5
	)
'

# --- layers that are damaged --------------------------------------------------------------------

test_expect_success 'a damaged block is healed by a file of another name, and the damaged file stays until the next gc' '
	rm -rf elsewhere && mkdir -p elsewhere/deep && cp w/large elsewhere/deep/renamed && echo nothing >elsewhere/unlike &&
	restore first.dig &&
	(
		cd w && first=$(layer_of 1) && flip_bit $first 500000 && test_expect_code 4 dig-verify-store -q 2>../err &&
		grep "large. in @1 to @5 is damaged" ../err && dig-check --heal-from=../elsewhere >../out 2>../err &&
		grep "^healed: the layer of @1 was made anew$" ../out && grep "^found 1 of 1 chunks" ../out && is_whole && matches 1 2 3 4 5 &&
		test ! -e $first && test -e .dig/dropped/$(basename $first) && dig-prune-layers -q && test ! -e .dig/dropped/$(basename $first) &&
		is_whole
	)
'

test_expect_success '... and by a copy of the store, or of the layer file' '
	for source in first.dig layer
	do
		restore first.dig &&
		(
			cd w && cp $(layer_of 1) ../layer && flip_bit $(layer_of 1) 500000 && dig-check -q --heal-from=../$source &&
			is_whole
		) || return 1
	done
'

test_expect_success 'a damaged copy is no source of what is damaged in it' '
	restore first.dig &&
	(
		cd w && flip_bit $(layer_of 1) 500000 && rm -rf ../bad.dig && cp -a .dig ../bad.dig && cp $(layer_of 1) ../bad &&
		test_expect_code 4 dig-check -q --heal-from=../bad.dig --heal-from=../bad 2>../err &&
		dig-check -q --heal-from=../bad.dig --heal-from=. 2>../err && is_whole
	)
'

test_expect_success 'a source without the content changes nothing' '
	mkdir none && echo else >none/else && restore first.dig && flip_bit w/$(cd w && layer_of 1) 500000 && snapshot >before &&
	(cd w && test_expect_code 4 dig-check --heal-from=../none >../out 2>../err) && ! grep "^healed" out &&
	snapshot >after && test_cmp before after && test ! -e w/.dig/layer-table
'

test_expect_success 'a source that is not there is an error, and changes nothing' '
	snapshot >before && (cd w && test_expect_code 128 dig-check --heal-from=../nowhere 2>../err) &&
	grep "nowhere.: No such file" err && snapshot >after && test_cmp before after
'

test_expect_success 'a sound store is not changed' '
	restore first.dig && snapshot >before && (cd w && dig-check --heal-from=. >../out 2>../err && ! grep "healed\|found" ../out) &&
	test_cmp /dev/null err && snapshot >after && test_cmp before after
'

test_expect_success LONG 'while a gc runs, nothing is healed' '
	restore first.dig && rm w/$(cd w && layer_of 2) && (cd w && flock .dig/gc-lock dig-check --heal-from=. 2>../err; test $? = 11)
'

# --- what is harder -----------------------------------------------------------------------------

test_expect_success 'what was healed in part is healed further by another source' '
	restore first.dig &&
	(
		cd w && rm $(layer_of 4) && test_expect_code 4 dig-check -q --heal-from=../none 2>../err &&
		dig-check --heal-from=../first.dig >../out 2>../err && is_whole
	)
'

test_expect_success 'what is found is stored even if the layer that had it cannot be made anew' '
	restore first.dig &&
	(
		cd w && rm -r .dig/states && rm $(layer_of 2) && test_expect_code 4 dig-check --heal-from=. >../out 2>../err &&
		grep "nothing tells any more what it said of its state" ../err && grep "problem.* in " ../err && dig-cat @3:second | cmp - second
	)
'

test_expect_success 'what a lost layer said of its state comes back from a copy, too' '
	for source in first.dig layer
	do
		restore first.dig &&
		(
			cd w && cp $(layer_of 2) ../layer && rm -r .dig/states && rm $(layer_of 2) && dig-check -q --heal-from=../$source 2>../err && is_whole
		) || return 1
	done
'

test_expect_success 'a layer without content of its own is made anew' '
	restore first.dig &&
	(
		cd w && dig-commit -q --allow-empty -m nothing && dig-list-roots >../roots.more && rm $(layer_of 6) &&
		dig-check --heal-from=. >../out 2>../err && dig-list-roots | cmp - ../roots.more && dig-verify-store -q &&
		echo more >more && dig-add -q more && dig-commit -q -m more && dig-verify-store -q && rm more
	)
'

test_expect_success 'a file that was copied by a later state does not hide what the lost state had' '
	dig-init-store copied >/dev/null &&
	(
		cd copied && seeded 20K 1 >one && seeded 20K 2 >other && commit_all one && cp one two && commit_all two && rm $(layer_of 1) &&
		dig-check --heal-from=. >../out 2>../err && dig-cat @1:one | cmp - one && test $(dig-ls-root @1 | wc -l) = 2
	)
'

test_expect_success 'symbolic links are sources of their text' '
	dig-init-store links >/dev/null &&
	(
		cd links && echo file >file && ln -s file link && commit_all one && rm $(layer_of 1) &&
		dig-check --heal-from=. >../out 2>../err && rm -rf ../tree && dig-checkout-root -q HEAD ../tree && test "$(readlink ../tree/link)" = file
	)
'

test_expect_success 'what a gc dropped can be brought back after healing, and the damage stays away' '
	restore first.dig &&
	(
		cd w && dig-prune-layers -q --keep-last=4 && flip_bit $(layer_of 1) 500000 && dig-check -q --heal-from=. && dig-verify-store -q &&
		{ dig-prune-layers -q --undo || test $? = 128; } && dig-verify-store -q && dig-cat @5:large | cmp - large
	)
'

# --- the log of states --------------------------------------------------------------------------

test_expect_success 'a log of states that is gone or torn is written again by the next commit' '
	size=$(wc -c <noted) &&
	for how in "rm -r .dig/states" "truncate -s -1 .dig/states/0" "truncate -s 300 .dig/states/0" "truncate -s 10 .dig/states/0" \
		"truncate -s 0 .dig/states/0" "truncate -s +72 .dig/states/0" "flip_bit .dig/states/0 12" "flip_bit .dig/states/0 26" "flip_bit .dig/states/0 $((size / 2))"
	do
		restore first.dig &&
		(
			cd w && eval "$how" && dig-log >../out && cmp ../log.first ../out && dig-verify-store -q &&
			dig-commit -q --allow-empty -m six && head -c $size .dig/states/0 | cmp - ../noted && test $(wc -c <.dig/states/0) -gt $size
		) || return 1
	done
'

test_expect_success 'a log of states that was changed is not believed' '
	restore first.dig &&
	(
		cd w && python3 -c "
import zlib
data = bytearray(open(\".dig/states/0\", \"rb\").read())
size = int.from_bytes(data[24:28], \"little\")
data[28 + size - 1] ^= 1
data[28 + size:32 + size] = zlib.crc32(data[28:28 + size]).to_bytes(4, \"little\")
open(\".dig/states/0\", \"wb\").write(data)" && dig-log >../out && cmp ../log.first ../out && rm $(layer_of 1) &&
		test_expect_code 4 dig-log >../out 2>../err && test_expect_code 4 dig-check --heal-from=. >../out 2>../err &&
		grep "nothing tells any more what it said of its state" ../err && test_expect_code 4 dig-show @1
	)
'

# --- kills --------------------------------------------------------------------------------------

# What could be read can be read, and the next run heals.
recovery () {
	dig-cat --batch <../names.there | cmp - ../contents.there && dig-log | cmp - ../log.first &&
	dig-verify-store -q --heal-from=../first.dig && is_whole && echo more >more && dig-add -q more &&
	dig-commit -q -m more && rm more && dig-verify-store -q && test -z "$(find .dig/tmp -type f)"
}
writing_calls=$layer_calls
test_have_prereq LONG || crash_most=1

test_expect_success 'a store with a damaged layer, and one with two that are gone' '
	restore first.dig && (cd w && flip_bit $(layer_of 1) 500000) && cp -a w/.dig damaged.dig &&
	restore first.dig && (cd w && rm $(layer_of 2) $(layer_of 4)) && cp -a w/.dig gone.dig &&
	printf "@%s:text\n" 1 3 5 >names.there && (cd w && rm -rf .dig && cp -a ../first.dig .dig && dig-cat --batch <../names.there) >contents.there
'

test_expect_success STRACE 'killed at any call, it makes nothing worse, and the next run heals' '
	everywhere damaged.dig signal=KILL dig-verify-store -q --heal-from=../first.dig
'

test_expect_success STRACE '... where two layers are gone, too' '
	restore first.dig && (cd w && rm $(layer_of 2) $(layer_of 4) && dig-cat --batch <../names.there >../out && cmp ../out ../contents.there) &&
	writing_calls="fdatasync rename" crash_most=2 && everywhere gone.dig signal=KILL dig-verify-store -q --heal-from=../first.dig
'

test_expect_success STRACE 'where calls fail, too' '
	writing_calls="pwrite64 rename" && everywhere damaged.dig error=ENOSPC dig-verify-store -q --heal-from=../first.dig
'

# section FILE TYPE: offset and size.
section () {
	python3 -c "
import struct, sys
data = open(sys.argv[1], \"rb\").read()
table, count = struct.unpack_from(\"<QI\", data, len(data) - 80)
for at in range(table, table + 24 * count, 24):
    kind, flags, checksum, offset, size = struct.unpack_from(\"<HHIQQ\", data, at)
    if kind == int(sys.argv[2]):
        print(offset, size)
" "$@"
}

# The content of such a file is good, and no source has it: block table and chunk index.
test_expect_success PYTHON 'tables that are damaged are made anew, and no content goes' '
	for type in 1 2
	do
		restore first.dig &&
		(
			cd w && layer=$(layer_of 1) && section $layer $type >../place && read offset size <../place &&
			flip_bit $layer $((offset + size - 5)) && test_expect_code 4 dig-verify-store -q 2>../err &&
			dig-check -q --heal-from=../none 2>../err && is_whole && dig-prune-layers -q --now && dig-prune-layers -q --now &&
			is_whole
		) || return 1
	done
'

test_expect_success 'a file that cannot be opened is set aside, and not removed' '
	restore first.dig &&
	(
		cd w && layer=$(layer_of 2) && flip_bit $layer $(($(wc -c <$layer) - 5)) && cp $layer ../torn &&
		dig-check -q --heal-from=../first.dig 2>../err && is_whole && cmp ../torn .dig/damaged/$(basename $layer) &&
		dig-prune-layers -q --now && cmp ../torn .dig/damaged/$(basename $layer)
	)
'

test_done
