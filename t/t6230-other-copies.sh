#!/bin/sh

test_description='content whose stored copy is gone or damaged: stored anew, or read from another place'

. "$(dirname "$0")/test-lib.sh"

# Content in the first layer; the second one has the manifest, and what became of it since.
test_expect_success 'a store whose first layer holds nothing but content' '
	dig-init-store w >/dev/null &&
	(
		cd w && seeded 300K 1 >large && seeded 500 2 >small && dig-add -A && dig-commit -q -m one &&
		dig-hash-object -w large >/dev/null && echo more >more && dig-add -A && dig-commit -q -m two &&
		rm large small && dig-add -A && echo x >x && dig-add -A && dig-commit -q -m three &&
		dig-list-roots && ls -l .dig/layers
	)
'

# stored_anew: content like that of the first layer is added, committed, and is there.
stored_anew () {
	seeded 300K 1 >large2 && seeded 500 2 >small2 && touch -d @1600000000 large2 small2 &&
	dig-add -A && dig-commit -q -m anew &&
	dig-cat HEAD:large2 >../actual && cmp large2 ../actual &&
	dig-cat HEAD:small2 >../actual && cmp small2 ../actual
}

test_expect_success 'content of a layer that is gone is stored anew' '
	cp -a w gone && (cd gone && rm $(layer_of 1) && stored_anew && test_expect_code 4 dig-verify-store -q)
'

test_expect_success 'so is that of a layer that is cut short, empty, or something else' '
	for damage in "truncate -s -1" "truncate -s 1000" "truncate -s 0" "cp x" "chmod 0 x && cp /dev/null"
	do
		rm -rf cut && cp -a w cut &&
		(cd cut && eval "$damage $(layer_of 1)" && stored_anew) || { echo "after $damage"; return 1; }
	done
'

# The sections lie behind the blocks, so that most of what is behind them is chunk index and block table.
test_expect_success 'and of one whose sections are damaged anywhere' '
	step=37 && { ! test_have_prereq LONG || step=1; } &&
	size=$(cd w && wc -c <$(layer_of 1)) &&
	for at in $(seq $((size - 800)) $step $((size - 1)))
	do
		rm -rf flip && cp -a w flip &&
		(
			cd flip && layer=$(layer_of 1) &&
			byte=$(od -An -tu1 -j $at -N 1 $layer) &&
			printf "\\$(printf %o $((byte ^ 16)))" | dd of=$layer bs=1 seek=$at conv=notrunc 2>/dev/null &&
			stored_anew
		) || { echo "after a change at $at of $size"; return 1; }
	done
'

# Raw blocks have no checksum, the others have.
test_expect_success 'and of one that has a damaged block' '
	for codec in none zstd
	do
		rm -rf blocks && dig-init-store blocks >/dev/null &&
		(
			cd blocks && dig-config core.compression $codec && seeded --text 300K 1 >large &&
			seeded --text 3K 2 >small && seeded --text 2K 3 >little && dig-add -A && dig-commit -q -m one &&
			size=$(wc -c <$(layer_of 1)) && cp -a .dig ../whole &&
			for at in 30 $((size / 3)) $((size - 4000))
			do
				rm -rf .dig && cp -a ../whole .dig &&
				printf "\377\0\377\1" | dd of=$(layer_of 1) bs=1 seek=$at conv=notrunc 2>/dev/null &&
				for path in large small little
				do
					cp $path $path-$at || exit 1
				done &&
				dig-add -A && dig-commit -q -m two &&
				for path in large-$at small-$at little-$at
				do
					dig-cat HEAD:$path >../actual && cmp $path ../actual || exit 1
				done
			done
		) || { echo "with $codec"; return 1; }
		rm -rf whole
	done
'

test_expect_success 'a file that is read again, and is what it was, gets a copy that is good' '
	for damage in "rm" "truncate -s 1000" "dd if=/dev/zero bs=1000 count=4 conv=notrunc seek=1 of="
	do
		rm -rf again && cp -a w again &&
		(
			cd again && seeded 300K 1 >large && seeded 500 2 >small && dig-add -A && dig-commit -q -m back &&
			case "$damage" in
			*=) $damage$(layer_of 1) 2>/dev/null ;;
			*) $damage $(layer_of 1) ;;
			esac &&
			test_must_fail dig-cat HEAD:large >/dev/null &&
			dig-add --reread large small && dig-commit -q -m healed &&
			dig-cat HEAD:large >../actual && cmp large ../actual &&
			dig-cat HEAD:small >../actual && cmp small ../actual &&
			dig-status --porcelain=v1 >../actual && test_cmp /dev/null ../actual &&
			dig-add --reread large && test_expect_code 1 dig-commit -q -m nothing
		) || return 1
	done
'

test_expect_success 'what a layer was read from that is gone does not hold up commits' '
	cp -a w commits &&
	(
		cd commits && rm $(layer_of 1) &&
		for number in 1 2 3 4 5 6 7 8 9
		do
			echo $number >now && commit_all $number >/dev/null || return 1
		done &&
		ls .dig/chunk-index/*.run && dig-cat HEAD:now >../actual && echo 9 | test_cmp - ../actual
	)
'

# Two copies of everything, in the layers 1 and 2.
test_expect_success 'one damaged copy does not hide another one' '
	dig-init-store two >/dev/null &&
	(
		cd two && seeded 300K 1 >large && seeded 500 2 >small && mkdir d && seeded --text 9K 3 >d/text &&
		dig-add -A && dig-commit -q -m one && dig-commit -q --full --allow-empty -m two &&
		seeded 300K 4 >more && dig-add -A && dig-commit -q -m three
	) &&
	for generation in 1 2
	do
		for damage in "rm" "truncate -s 1000" "dd bs=1000 seek=1 conv=notrunc if=/dev/zero count=5 of="
		do
			rm -rf one && cp -a two one &&
			(
				cd one && case "$damage" in
				*=) $damage$(layer_of $generation) 2>/dev/null ;;
				*) $damage $(layer_of $generation) ;;
				esac &&
				for path in large small d/text more
				do
					dig-cat HEAD:$path >../actual && cmp $path ../actual || exit 1
				done &&
				dig-extract ../out && cmp large ../out/large && cmp d/text ../out/d/text &&
				case "$damage" in
				*=) dig-verify-store -q 2>../err && grep "whole in another place" ../err ;;
				*) test_expect_code 4 dig-verify-store -q ;;
				esac
			) || { echo "after $damage of layer $generation"; return 1; }
			rm -rf out
		done
	done
'

test_expect_success 'nor does it where a run leads to the damaged one' '
	(
		cd two &&
		for number in 4 5 6 7 8 9
		do
			echo $number >now && commit_all $number >/dev/null || return 1
		done &&
		ls .dig/chunk-index/8.run
	) &&
	for generation in 1 2
	do
		rm -rf one && cp -a two one &&
		(
			cd one && dd bs=1000 seek=1 conv=notrunc if=/dev/zero count=5 of=$(layer_of $generation) 2>/dev/null &&
			for path in large small d/text more now
			do
				dig-cat HEAD:$path >../actual && cmp $path ../actual || exit 1
			done
		) || return 1
	done
'

test_done
