#!/bin/sh

test_description='files of the staging area that are missing, empty, or of another time'

. "$(dirname "$0")/test-lib.sh"

# Each test works on a copy of one of these: with everything committed, and with something staged.
test_expect_success 'a store' '
	dig-init-store --store-id=$(printf "%064d" 1) w >/dev/null &&
	(
		cd w &&
		seeded 100K 1 >a && mkdir d && seeded 3K 2 >d/b && echo gone >gone &&
		dig-add -A && dig-commit -q -m one &&
		seeded 90K 3 >a && rm gone && echo c >c &&
		dig-add -A && dig-commit -q -m two
	) &&
	cp -a w staged && (cd staged && seeded 80K 4 >a && seeded 4K 5 >new && dig-add -A) &&
	cp -a staged committed && (cd committed && dig-commit -q -m three && dig-list-roots >../roots.committed)
'

copy_of () {
	rm -rf x && cp -a $1 x
}

# damage FILE HOW
damage () {
	size=$(wc -c <x/.dig/staging/$1 2>/dev/null || echo 100) &&
	case $2 in
	gone) rm -f x/.dig/staging/$1 ;;
	empty) : >x/.dig/staging/$1 ;;
	zeros) head -c $size /dev/zero >x/.dig/staging/$1 ;;
	short) truncate -s 43 x/.dig/staging/$1 ;;
	torn) truncate -s $((size / 2)) x/.dig/staging/$1 ;;
	esac
}

# The staging area was damaged where nothing is staged: the next add and commit work, and say so once.
goes_on () {
	(
		cd x &&
		dig-status --porcelain=v1 >../status 2>../err &&
		echo later >later && seeded 70K 6 >a &&
		dig-add -A 2>>../err &&
		dig-commit -q -m later 2>>../err &&
		dig-verify-store -q &&
		dig-list-roots -n 2 | tail -n 1 >../roots &&
		head -n 1 ../roots.$1 | cmp - ../roots &&
		rm -rf ../out && dig-checkout-root HEAD ../out >/dev/null &&
		diff -r --exclude=.dig . ../out
	) && test_cmp /dev/null status && test $(grep -c warning: err) = $2
}

test_expect_success 'what a power cut left of files that nothing needs: a check is content' '
	for how in empty zeros
	do
		copy_of committed && damage changes $how && damage journal $how &&
		(cd x && dig-verify-store -q 2>../err) && grep changes err && grep journal err || return 1
	done
'

test_expect_success 'after a commit, changes and journal that a power cut has emptied' '
	for how in empty zeros
	do
		copy_of committed && damage changes $how && damage journal $how && goes_on committed 2 || return 1
	done
'

test_expect_success 'after a commit, one of them' '
	for how in empty zeros
	do
		copy_of committed && damage journal $how && goes_on committed 1 &&
		copy_of committed && damage changes $how && goes_on committed 1 || return 1
	done
'

test_expect_success 'after a commit, a torn index' '
	copy_of committed && damage changes torn && goes_on committed 1
'

test_expect_success 'a damaged index is read as nothing where it cannot be written' '
	copy_of committed && damage changes empty && (cd x && dig-ls-index) >actual && test_cmp /dev/null actual
'

# is_refused FILE: nothing goes on, nothing is removed, and a person is told what to do.
is_refused () {
	rm -rf before && cp -a x/.dig before &&
	(
		cd x &&
		test_expect_code 4 dig-verify-store -q 2>../err && grep -F "$1" ../err &&
		test_expect_code 4 dig-commit -q -m three 2>../err && grep -F "$1" ../err && grep "dig reset" ../err &&
		echo more >more && test_expect_code 4 dig-add -A 2>../err && grep "dig reset" ../err && rm more
	) &&
	diff -r before x/.dig
}

test_expect_success 'a journal that is gone or short with content staged' '
	for how in gone empty zeros short
	do
		copy_of staged && damage journal $how && is_refused staging/journal || return 1
	done
'

test_expect_success 'a journal that ends before what the index relies on' '
	copy_of staged && damage journal torn && is_refused staging/journal
'

test_expect_success 'a pack that is gone or short with content staged' '
	for how in gone empty torn
	do
		copy_of staged && damage pack $how && is_refused staging/pack || return 1
	done
'

# Base and changes have one form.
test_expect_success 'an index whose base is gone, or is an older one' '
	copy_of w && mv x/.dig/staging/changes x/.dig/staging/index && cp x/.dig/staging/index old &&
	(cd x && echo more >more && dig-add -A && rm more && rm .dig/staging/index) &&
	is_refused staging/changes &&
	copy_of staged && mv x/.dig/staging/changes x/.dig/staging/index &&
	(cd x && echo more >more && dig-add -A && rm more) && cp old x/.dig/staging/index &&
	is_refused staging/changes
'

test_expect_success 'what is refused can be given up, and it goes on' '
	copy_of staged && damage journal zeros &&
	(cd x && dig-reset -q && dig-verify-store -q && dig-add -A && dig-commit -q -m three && dig-list-roots >../roots) &&
	cut -d " " -f 1 roots >actual && cut -d " " -f 1 roots.committed >expect && test_cmp expect actual
'

test_expect_success 'with the file put back it goes on as if nothing had been' '
	copy_of staged && cp x/.dig/staging/journal journal && damage journal short &&
	(cd x && test_expect_code 4 dig-commit -q -m three 2>../err) &&
	cp journal x/.dig/staging/journal &&
	(cd x && dig-commit -q -m three && dig-list-roots >../roots) && test_cmp roots.committed roots
'

# The content is in layers, so that the pack is not needed.
test_expect_success 'a journal that is gone when all that is staged is stored' '
	cp -a w stored && (cd stored && cp a copy && rm c && dig-add -A && cp -a .dig ../stored.dig) &&
	(cd stored && dig-commit -q -m three && dig-list-roots >../roots.stored) &&
	rm -r stored/.dig && cp -a stored.dig stored/.dig &&
	for file in journal pack
	do
		copy_of stored && damage $file gone &&
		(cd x && dig-verify-store -q && dig-commit -q -m three && dig-list-roots >../roots) &&
		test_cmp roots.stored roots || return 1
	done
'

test_expect_success 'content without an entry is not given up either' '
	cp -a w loose && (cd loose && seeded 5K 7 | dig-hash-object -w --stdin >/dev/null) &&
	copy_of loose && damage journal short &&
	(cd x && test_expect_code 4 dig-verify-store -q && test_expect_code 4 dig-commit -q --allow-empty -m three) 2>err &&
	cmp loose/.dig/staging/pack x/.dig/staging/pack
'

# A copy of the staging area from between the layer and its root.
test_expect_success 'a note of a layer that is committed since' '
	cp -a staged noted && (cd noted && layer=$(dig-write-layer -m three) && cp -a .dig/staging ../noted.staging &&
		dig-update-root $layer >/dev/null && dig-list-roots >../roots.noted &&
		echo four >four && dig-add -A && dig-commit -q -m four) &&
	copy_of noted && rm -r x/.dig/staging && cp -a noted.staging x/.dig/staging &&
	ls -l x/.dig/layers >layers &&
	(
		cd x &&
		dig-verify-store -q &&
		test -z "$(dig-status --porcelain=v1)" &&
		echo five >five && dig-add -A && dig-verify-store -q && dig-commit -q -m five && dig-verify-store -q &&
		test $(dig-list-roots | wc -l) = 5
	) &&
	ls -l x/.dig/layers >after && head -n 4 layers | tail -n 3 >expect && grep -F -f expect after >actual
'

test_expect_success 'a note of a layer that is committed, beside a pack of another time' '
	copy_of noted && (cd x && seeded 9K 8 >six && dig-add -A) && cp x/.dig/staging/pack pack &&
	cp noted.staging/journal x/.dig/staging/journal &&
	(cd x && test_expect_code 4 dig-verify-store -q && test_expect_code 4 dig-commit -q -m six) 2>err &&
	cmp pack x/.dig/staging/pack && test $(ls x/.dig/layers | wc -l) = 4
'

test_expect_success 'a note of a layer that never became a state is undone, as ever' '
	copy_of staged && rm -r x/.dig/staging && cp -a noted.staging x/.dig/staging &&
	cp noted/.dig/layers/*.dig x/.dig/layers &&
	(cd x && dig-commit -q -m three && dig-list-roots >../roots) && test_cmp roots.noted roots
'

test_expect_success 'a journal of another time beside what is staged now' '
	copy_of staged && cp x/.dig/staging/journal journal &&
	(cd x && dig-commit -q -m three && seeded 9K 8 >six && dig-add -A) && cp x/.dig/staging/pack pack &&
	cp journal x/.dig/staging/journal &&
	(cd x && test_expect_code 4 dig-verify-store -q && test_expect_code 4 dig-commit -q -m six) 2>err &&
	grep "dig reset" err && cmp pack x/.dig/staging/pack
'

# change_byte FILE OFFSET
change_byte () {
	printf "\\$(printf %o $(($(od -An -tu1 -j$2 -N1 $1) ^ 255)))" | dd of=$1 bs=1 seek=$2 conv=notrunc 2>/dev/null
}

test_expect_success 'a record of the index that is damaged: the message names the way out' '
	copy_of w && change_byte x/.dig/staging/changes 40 && (
		cd x && test_expect_code 4 dig-add -A 2>../err && grep "staging/changes.*dig reset" ../err &&
		dig-reset -q 2>../err && dig-add -A && dig-status --porcelain=v1 >../status && test_cmp /dev/null ../status
	)
'

is_not_committed () {
	(cd x && test_expect_code 4 dig-commit -q -m changed 2>../err) && grep "staging/pack.*dig reset" err &&
	test $(ls x/.dig/layers | wc -l) = $1
}

test_expect_success 'a byte of the pack that has changed since add is not committed' '
	size=$(wc -c <staged/.dig/staging/pack) &&
	for offset in 24 30 44 47 100 $((size / 3)) $((size / 2)) $((size - 4000)) $((size - 1))
	do
		copy_of staged && change_byte x/.dig/staging/pack $offset && is_not_committed 2 || return 1
	done &&
	(cd x && dig-reset -q && dig-add -A && dig-commit -q -m three && dig-verify-store -q)
'

test_expect_success 'nor after another add' '
	copy_of staged && change_byte x/.dig/staging/pack 5000 && (cd x && echo more >more && dig-add -A) &&
	is_not_committed 2
'

test_expect_success PYTHON 'nor in an older staging area, whose blocks have no checksums' '
	cp -R "$TEST_DIRECTORY/golden/version-1" first && mkdir -p x1 && mv first x1/.dig && chmod -R u+w x1 &&
	echo referred >x1/referred && copy_of x1 && change_byte x/.dig/staging/pack 3000 && is_not_committed 9
'

# Such a pack is not read again when its times tell that nobody has written to it.
test_expect_success 'nor in a pack that is large' '
	rm -rf x && dig-init-store x >/dev/null && (cd x && seeded 70M 1 >large && dig-add -A) &&
	change_byte x/.dig/staging/pack 40000000 && is_not_committed 0 &&
	(cd x && echo more >more && dig-add -A) && is_not_committed 0 &&
	change_byte x/.dig/staging/pack 40000000 &&
	(cd x && dig-commit -q -m large && dig-cat HEAD:large | cmp - large)
'

test_expect_success STRACE 'a large pack that was just written is not read again' '
	rm -rf x/.dig && dig-init-store x >/dev/null && (cd x && dig-add -A) && copies=$(wc -c <x/.dig/staging/pack) &&
	(cd x && strace -f -qq -o ../calls -e trace=pread64 dig-commit -q -m large) &&
	awk "{ sum += \$NF } END { exit !(sum < $copies / 2) }" calls
'

# read_again: how much of the pack the commit with the trace ../trace has read again, in MiB.
read_again () {
	sed -n "s/.*count \([0-9]*\) pack bytes read again$/\1/p" trace >sum && echo $(($(cat sum) / 1048576))
}

# The first mark of a journal that has a change time of the pack: as if it were an hour older.
cat >age.py <<\EOF
import struct, sys, zlib

data = bytearray(open(sys.argv[1], "rb").read())
at = 24 + 16 + 4
while at < len(data):
    length, kind = struct.unpack_from("<IB", data, at)
    end = at + 5 + length
    if kind == 4 and length == 28:
        times = struct.unpack_from("<qq", data, end - 16)
        struct.pack_into("<qq", data, end - 16, *(time - 3600 * 10**9 for time in times))
        struct.pack_into("<I", data, end, zlib.crc32(data[at:end]))
        open(sys.argv[1], "r+b").write(data)
        sys.exit()
    at = end + 4
sys.exit("no mark has a change time")
EOF

# The journal is changed when two adds have ended: only the last mark is compared with the pack.
test_expect_success PYTHON 'of a large pack what has waited is read again, and nothing else' '
	rm -rf x && dig-init-store x >/dev/null && (cd x && seeded 20M 1 >old && dig-add -A) &&
	(cd x && seeded 30M 2 >new && dig-add -A) && python3 age.py x/.dig/staging/journal &&
	(cd x && DIG_TRACE=1 dig-commit -q -m both 2>../trace) && test $(read_again) = 20 &&
	(cd x && dig-verify-store -q)
'

test_expect_success PYTHON 'all of it is read again when something has written to the pack since' '
	rm -rf x/.dig && dig-init-store x >/dev/null && (cd x && dig-add old && dig-add new) &&
	python3 age.py x/.dig/staging/journal && touch x/.dig/staging/pack &&
	(cd x && DIG_TRACE=1 dig-commit -q -m both 2>../trace) && test $(read_again) = 50 &&
	(cd x && dig-verify-store -q)
'

# renamed_unsynced: of the calls in ../calls, names that files took without having been synced.
renamed_unsynced () {
	awk "
	/fdatasync\\(/ { match(\$0, /<[^>]*>/); synced[substr(\$0, RSTART + 1, RLENGTH - 2)] = 1 }
	/rename\\(/ {
		split(\$0, part, \"\\\"\")
		if (part[2] ~ /[.]tmp-/ && !(part[2] in synced))
			print part[4]
	}" calls | sed "s/.*staging/staging/; s/.*chunk-index/chunk-index/"
}

# A journal that nobody relies on takes no other name.
# An add was killed before the index had what it finished, and its pack is not there.
test_expect_success 'content of a pack that is gone is stored anew' '
	rm -rf x && dig-init-store x >/dev/null && (
		cd x && echo one >one && commit_all one >/dev/null && cp -a .dig/staging ../before &&
		seeded 300K 7 >two && echo three >three && dig-add -q -A && dig-add -q --reread -A && cp .dig/staging/journal .. &&
		rm -r .dig/staging && cp -a ../before .dig/staging && cp ../journal .dig/staging/ &&
		dig-add -A 2>../told && grep "made anew" ../told && dig-commit -q -m two && dig-verify-store -q &&
		dig-cat HEAD:two | cmp - two && dig-cat HEAD:three | cmp - three
	)
'

# Waits until the journal of the store here has the text.
journal_gets () {
	for attempt in $(seq 300)
	do
		grep -q "$1" .dig/staging/journal 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

# A kill would lose what the journal has not.  So an add that is not done yet is looked at.
test_expect_success 'files behind one whose nodes wait are in the journal all the same' '
	mkdir behind && cd behind && dig-init-store >/dev/null && seeded 2M 8 >large && mkdir small &&
	for i in $(seq 1200)
	do
		echo $i >small/$i || return 1
	done &&
	mkfifo ../paths &&
	{ DIG_CONFIG=performance.checkpoint_interval=100 dig-update-index -q --add --stdin-paths <../paths & } &&
	exec 8>../paths && echo large >&8 && seq -f small/%g 1200 >&8 &&
	journal_gets small/600 && exec 8>&- && wait
'

test_expect_success STRACE 'no file takes the name of another before it is on storage' '
	copy_of staged &&
	(
		cd x &&
		strace -f -y -qq -o ../calls -e trace=fdatasync,fsync,rename dig-commit -q -m three &&
		test $(grep -c "sync(" ../calls) = 6
	) &&
	renamed_unsynced >actual && test_cmp /dev/null actual &&
	(
		cd x &&
		echo more >more &&
		strace -f -y -qq -o ../calls -e trace=fdatasync,fsync,rename dig-add -A &&
		test $(grep -c "sync(" ../calls) -le 4
	) &&
	renamed_unsynced >actual && echo staging/journal >expect && test_cmp expect actual &&
	(
		cd x &&
		strace -f -y -qq -o ../calls -e trace=fdatasync,fsync,rename dig-reset -q
	) &&
	renamed_unsynced >actual && test_cmp /dev/null actual
'

test_done
