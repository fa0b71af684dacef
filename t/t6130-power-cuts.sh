#!/bin/sh

test_description='power cuts on file systems over loop devices'

# In a mount namespace of our own, so that nothing stays mounted whatever happens.
if test -z "$DIG_TEST_MOUNTS" && unshare --mount true 2>/dev/null
then
	DIG_TEST_MOUNTS=t exec unshare --mount sh "$0" "$@"
fi

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

# A file system is named by what makes it and what it is mounted with.
# xfs   ext4   noauto: ext4 that does not help files that are renamed   writeback: ext4 that
# writes names before content   nojournal: ext4 without one

make_image () {
	case $1 in
	xfs) truncate -s 320M $1.img && mkfs.xfs -q $1.img ;;
	nojournal) truncate -s 32M $1.img && mkfs.ext4 -q -F -O ^has_journal $1.img ;;
	*) truncate -s 32M $1.img && mkfs.ext4 -q -F $1.img ;;
	esac
}

mount_image () {
	case $1 in
	noauto) mount -o loop,noauto_da_alloc $2 m ;;
	writeback) mount -o loop,data=writeback $2 m ;;
	*) mount -o loop $2 m ;;
	esac
}

mkdir m
can_have () {
	make_image $1 && mount_image $1 $1.img && cut-power --no-log m && umount m && rm $1.img
}

wanted='xfs noauto'
test_have_prereq LONG && wanted='xfs ext4 noauto writeback nojournal'
file_systems=
test -z "$DIG_TEST_MOUNTS" || for file_system in $wanted
do
	if can_have $file_system >probe 2>&1
	then
		file_systems="$file_systems $file_system"
	else
		echo "# no power cuts on $file_system: $(tail -n 1 probe)"
	fi
done
test -n "$file_systems" || {
	skip_all='root, loop devices, and XFS or ext4 are needed'
	test_done
}

# How the power goes, how many rounds come before that, and at how many calls of a kind a command is
# cut off.
if test_have_prereq LONG
then
	ways='--log --no-log' rounds='1 2 3 4 5 6 7 8 9 10' crash_most=3
else
	ways=--log rounds=1 crash_most=1 writing_calls='pwritev2 rename unlink'
fi

# begin FILE-SYSTEM STORE: m is a file system with a copy of the store, all on its device.
begin () {
	{ ! mountpoint -q m || umount m; } &&
	cp --sparse=always $1.img trial.img && mount_image $1 trial.img && cp -a $2 m/store && sync -f m
}

# cut FILE-SYSTEM LOG: the power goes, and comes back.
cut () {
	cut-power $2 m && umount m &&
	{ test $1 != nojournal || e2fsck -fy trial.img >/dev/null 2>&1 || test $? -le 2; } &&
	mount_image $1 trial.img
}

end () {
	umount m && rm trial.img
}

# Whatever was there before, another add and another commit work.
goes_on () {
	(
		cd w &&
		dig-verify-store -q &&
		echo "after a power cut" >later &&
		dig-add -A &&
		dig-commit -q -m later &&
		dig-verify-store -q &&
		rm -rf ../extracted &&
		dig-checkout-root HEAD ../extracted >/dev/null &&
		diff -r --no-dereference --exclude=.dig . ../extracted
	) >recovery.log 2>&1 && rm w/later && return 0
	rm -f w/later
	cat recovery.log
	return 1
}

# So many rounds of add and commit, and an add more.
make_rounds () {
	(
		cd w &&
		number=0 &&
		while test $number -lt $1
		do
			number=$((number + 1))
			seeded 30K $number >changed && echo $number >f$number &&
			dig-add -A && dig-commit -q -m $number || exit 1
		done &&
		dig-list-roots >../roots.before &&
		seeded 100K 99 >changed && rm kept &&
		dig-add -A &&
		dig-ls-index -s >../index.before
	)
}

# after_add FILE-SYSTEM LOG ROUNDS
after_add () {
	restore_tree && begin $1 first.dig && make_rounds $3 && cut $1 $2 &&
	(
		cd w &&
		dig-list-roots >../roots.after &&
		cmp ../roots.before ../roots.after &&
		dig-verify-store -q &&
		dig-ls-index -s >../index.after &&
		cmp ../index.before ../index.after &&
		dig-commit -q -m staged &&
		test -z "$(dig-status --porcelain=v1)"
	) && goes_on && end
}

# after_commit FILE-SYSTEM LOG ROUNDS
after_commit () {
	restore_tree && begin $1 first.dig && make_rounds $3 &&
	(cd w && dig-commit -q -m last && dig-list-roots >../roots.before) && cut $1 $2 &&
	(
		cd w &&
		dig-list-roots >../roots.after &&
		cmp ../roots.before ../roots.after &&
		dig-verify-store -q &&
		test -z "$(dig-status --porcelain=v1)"
	) && goes_on && end
}

# in_the_middle FILE-SYSTEM LOG STORE COMMAND...: at calls that change a store, spread evenly.
in_the_middle () {
	middle_system=$1 middle_log=$2 middle_store=$3
	shift 3
	restore_tree || return 1
	for name in $writing_calls
	do
		begin $middle_system $middle_store && at_call $name 65535 signal=KILL "$@" <records >out 2>err &&
			end || return 1
		count=$(grep -c "$name(" calls)
		step=$(((count + crash_most - 1) / crash_most))
		n=$(((step + 1) / 2))
		while test $n -le $count && test $n -gt 0
		do
			begin $middle_system $middle_store || return 1
			at_call $name $n signal=KILL "$@" <records >out 2>err
			cut $middle_system $middle_log && recovers "$name $n of $count" && goes_on && end ||
				{ echo "at $name $n of $count" && return 1; }
			n=$((n + step))
		done
	done
}

restore_tree () {
	rm -rf w && cp -a tree w && echo "store: $TRASH/m/store" >w/.dig
}

test_expect_success 'a store and its tree' '
	make_crash_tree && record_expectations &&
	cp -a w tree && rm -r tree/.dig &&
	for file_system in $file_systems
	do
		make_image $file_system || return 1
	done
'

for file_system in $file_systems
do
	needs=STRACE
	test $file_system = xfs || needs=STRACE,LONG
	for way in $ways
	do
		test_expect_success "$file_system $way: what was added is there, and it goes on" '
			for round in $rounds
			do
				after_add $file_system $way $round || return 1
			done
		'

		test_expect_success "$file_system $way: what was committed is there, and it goes on" '
			for round in $rounds
			do
				after_commit $file_system $way $round || return 1
			done
		'

		test_expect_success $needs "$file_system $way: a cut in the middle of an add" '
			in_the_middle $file_system $way first.dig dig-update-index --add -A --stdin
		'

		test_expect_success $needs "$file_system $way: a cut in the middle of a commit" '
			in_the_middle $file_system $way staged.dig dig-commit -q -m two
		'
	done
done

# --- what makes a store smaller -----------------------------------------------------------------

# Twenty states, of which gc drops most; and the newest one, as files.
test_expect_success 'a store of many states' '
	restore_tree && rm w/.dig && cp -a first.dig w/.dig && make_rounds 20 && (cd w && dig-reset -q && dig-list-roots >../roots.many) &&
	rm -rf many.dig newest && cp -a w/.dig many.dig && (cd w && dig-checkout-root -q HEAD ../newest)
'

recovery () {
	dig-verify-store -q && dig-list-roots >../roots.now && cmp ../roots.many ../roots.now &&
	rm -rf ../actual && dig-checkout-root -q HEAD ../actual && diff -r --no-dereference ../newest ../actual &&
	dig-prune-layers -q --keep-last=2 --now && dig-verify-store -q
}

test_have_prereq LONG || writing_calls='fdatasync rename unlink'

for file_system in $file_systems
do
	needs=STRACE
	test $file_system = xfs || needs=STRACE,LONG
	for way in $ways
	do
		test_expect_success $needs "$file_system $way: gc in the middle of its work" '
			in_the_middle $file_system $way many.dig dig-prune-layers -q --keep-last=2 --now
		'

		test_expect_success $needs "$file_system $way: repack in the middle of its work" '
			in_the_middle $file_system $way many.dig dig-merge-layers -q
		'
	done
done

# --- states that come from elsewhere ------------------------------------------------------------

# half.dig lacks the newest states, which are in the file newer and in the remote; mine.dig has one of its own in
# their place.
test_expect_success 'a store that lacks states, and one that has gone on by itself' '
	mkdir giver taker && cp -a many.dig giver/.dig && (cd giver && dig-export-states -q --at=@15 ../older && dig-export-states -q --since=@15 ../newer && dig-send-states -q ../remote) &&
	(cd taker && dig-init-store . >/dev/null && dig-index-layer -q ../older && cp -a .dig ../half.dig &&
		echo own >own && dig-add -q own && dig-commit -q -m own && cp -a .dig ../mine.dig)
'

for file_system in $file_systems
do
	needs=STRACE
	test $file_system = xfs || needs=STRACE,LONG
	for way in $ways
	do
		recovery () {
			dig-verify-store -q && generation=$(dig-info generation) && { test $generation = 15 || test $generation = $(wc -l <../roots.many); } &&
			dig-index-layer -q ../newer && dig-verify-store -q && dig-list-roots >../roots.now && cmp ../roots.many ../roots.now
		}

		test_expect_success $needs "$file_system $way: an import in the middle of its work" '
			in_the_middle $file_system $way half.dig dig-index-layer -q "$TRASH/newer"
		'

		recovery () {
			dig-verify-store -q && dig-cat HEAD:own >/dev/null && dig-fetch-states -q ../remote && dig-verify-store -q && dig-cat HEAD:own >/dev/null &&
			dig-list-roots | tail -n $(wc -l <../roots.many) >../roots.now && cmp ../roots.many ../roots.now
		}

		test_expect_success $needs "$file_system $way: a fetch that makes states anew in the middle of its work" '
			in_the_middle $file_system $way mine.dig dig-fetch-states -q "$TRASH/remote"
		'
	done
done

test_done
