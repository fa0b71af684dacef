#!/bin/sh

test_description='dig-checkout-root gives a state back, below one directory and nowhere else'

. "$(dirname "$0")/test-lib.sh"

# listing DIR: each path but directories that are not empty, and .dig, with all that is restored.
listing () {
	(
		cd "$1" &&
		find . -name .dig -prune -o \( ! -type d -o -empty \) -printf "%P %y %m %s %T@ %l\n"
	) | sort
}

# same_tree A B: equal listings and content.
same_tree () {
	listing "$1" >"$TRASH/expect" && listing "$2" >"$TRASH/actual" &&
	test_cmp "$TRASH/expect" "$TRASH/actual" &&
	diff -r --no-dereference --exclude=.dig "$1" "$2"
}

# nothing_in DIR: not even a temporary file.
nothing_in () {
	test -z "$(find "$1" -mindepth 1 2>/dev/null)"
}

test_expect_success 'a state with all kinds of things' '
	dig-init-store w >store &&
	(
		cd w &&
		dig-config core.compression none &&
		mkdir -p d/e/f d/empty "strange names" &&
		echo hello >hello &&
		: >nothing &&
		for i in 1 2 3 4 5 6 7 8 9
		do
			seeded --text ${i}234 $i >d/e/file$i || return 1
		done &&
		seeded --text 900K 10 >d/text &&
		seeded 5M 11 >d/e/f/random &&
		seeded 3M 12 >holes && truncate -s 20M holes && seeded 4K 13 >>holes &&
		echo -- >"strange names/$(printf "a\nb\tc")" &&
		echo "marked for damage" >mark &&
		ln -s d/e/f/random link && ln -s /nowhere/at/all dangling &&
		chmod 755 hello && chmod 444 d/text && chmod 600 d/e/file1 && chmod 700 d/empty &&
		touch -h -d @1500000000.123456789 hello link && touch -d @-5 d/e/file2 &&
		touch -d @1400000000 d/empty d/e/f/random &&
		commit_all one &&
		echo other >hello && chmod 644 hello && rm d/e/file9 &&
		commit_all two
	)
'

test_expect_success 'a state comes back with modes, times, links and empty directories' '
	(cd w && dig-checkout-root HEAD ../out) &&
	same_tree w out
'

test_expect_success 'each number of threads gives the same' '
	for threads in 1 3 8
	do
		(cd w && DIG_CONFIG=performance.max_worker_threads=$threads \
			dig-checkout-root HEAD ../out$threads) &&
		same_tree w out$threads || return 1
	done
'

test_expect_success 'runs of zeros become holes' '
	blocks=$(stat -c %b out/holes) &&
	test $blocks -lt 7000
'

test_expect_success 'the umask takes nothing away from a mode' '
	(umask 077 && cd w && dig-checkout-root HEAD ../private) &&
	same_tree w private &&
	test "$(stat -c %a private/d/e)" = 700
'

test_expect_success 'an older state comes back' '
	(cd w && dig-checkout-root @1 ../old) &&
	echo hello >expect &&
	test_cmp expect old/hello &&
	test -x old/hello &&
	test -f old/d/e/file9
'

test_expect_success 'only what is at and below the paths is extracted' '
	(cd w && dig-checkout-root HEAD ../some d/e/f hello "strange names" d/e) &&
	(cd some && find . -type f) >actual.all &&
	sort actual.all >actual &&
	(cd w && find ./d/e ./hello "./strange names" -type f | sort) >expect &&
	test_cmp expect actual
'

test_expect_success 'a path that is not in the state is an error before anything is made' '
	test_expect_code 128 env -C w dig-checkout-root HEAD ../none hello absent 2>err &&
	grep "^dig-checkout-root: .absent. is not in HEAD$" err &&
	test_expect_code 128 env -C w dig-checkout-root HEAD ../none d/e/fil 2>err &&
	test_expect_code 128 env -C w dig-checkout-root @9 ../none 2>err &&
	test ! -e none
'

test_expect_success 'what exists is not replaced, and nothing else is written' '
	mkdir -p there/d/e && echo mine >there/mark &&
	test_expect_code 128 env -C w dig-checkout-root HEAD ../there 2>err &&
	grep "^dig-checkout-root: .mark. exists already" err &&
	find there -type f >actual &&
	echo there/mark >expect &&
	test_cmp expect actual &&
	echo mine >expect &&
	test_cmp expect there/mark
'

test_expect_success 'with -f files and symlinks are replaced as a whole' '
	echo precious >outside &&
	ln -s ../outside there/hello && ln -s elsewhere there/link && ln there/mark linked &&
	(cd w && dig-checkout-root -f HEAD ../there) &&
	same_tree w there &&
	echo precious >expect &&
	test_cmp expect outside &&
	echo mine >expect &&
	test_cmp expect linked &&
	(cd w && dig-checkout-root -f HEAD ../there) &&
	same_tree w there
'

# Where a file system takes two names for one, the second turns out to exist when it is made.
test_expect_success STRACE 'what was not there when all was checked is not replaced, also with -f' '
	mkdir twin && echo mine >twin/hello &&
	test_expect_code 128 env -C w strace -o ../calls -e trace=newfstatat \
		dig-checkout-root HEAD ../twin hello &&
	number=$(grep -n "\"hello\"" calls | cut -d: -f1) &&
	for flag in "" -f
	do
		test_expect_code 128 env -C w strace -f -o ../calls -e trace=newfstatat \
			-e inject=newfstatat:error=ENOENT:when=$number \
			dig-checkout-root $flag HEAD ../twin hello 2>err &&
		grep "^dig-checkout-root: .hello. was made .* meanwhile" err || return 1
	done &&
	echo mine >expect &&
	test_cmp expect twin/hello
'

test_expect_success 'a directory in the way of a file stays, also with -f' '
	mkdir -p way/hello &&
	test_expect_code 128 env -C w dig-checkout-root -f HEAD ../way 2>err &&
	grep ".hello. is a directory" err &&
	rmdir way/hello &&
	nothing_in way
'

test_expect_success 'a file or a symlink in the way of a directory stays, also with -f' '
	: >way/d &&
	test_expect_code 128 env -C w dig-checkout-root -f HEAD ../way 2>err &&
	grep ".d. stands in the way of a directory" err &&
	rm way/d &&
	mkdir target && ln -s ../target way/d &&
	test_expect_code 128 env -C w dig-checkout-root -f HEAD ../way 2>err &&
	grep ".d. stands in the way of a directory" err &&
	nothing_in target &&
	rm way/d &&
	nothing_in way
'

test_expect_success 'the destination may be a symlink, and is made with what is above it' '
	mkdir real && ln -s real symlink &&
	(cd w && dig-checkout-root HEAD ../symlink hello) &&
	test_cmp w/hello real/hello &&
	(cd w && dig-checkout-root HEAD ../x/y/z hello) &&
	test_cmp w/hello x/y/z/hello
'

test_expect_success 'a file is no destination' '
	: >file &&
	test_expect_code 128 env -C w dig-checkout-root HEAD ../file 2>err &&
	test_expect_code 129 dig-checkout-root HEAD
'

# forged NAME LINE...: a store whose newest state has these entries (see helper/forge-state).
forged () {
	name=$1 && shift &&
	dig-init-store $name >store &&
	printf "%s\n" "$@" >entries &&
	(cd $name && forge-state <../entries >../root)
}

test_expect_success 'a file below a symlink is refused, whatever lies between' '
	mkdir victim &&
	forged evil1 "2 777 a $TRASH/victim" "1 644 a-b x" "1 644 a/b evil" &&
	test_expect_code 4 env -C evil1 dig-checkout-root HEAD ../caught 2>err &&
	grep "has .a. as a file and .a/b. below it" err &&
	nothing_in victim && test ! -e caught &&
	(cd evil1 && dig-checkout-root HEAD ../caught a/b) &&
	test -f caught/a/b && nothing_in victim
'

test_expect_success 'a file below a file, an entry twice and disorder are refused' '
	forged evil2 "1 644 a x" "1 644 a/b evil" &&
	test_expect_code 4 env -C evil2 dig-checkout-root HEAD ../caught2 2>err &&
	forged evil3 "1 644 a x" "1 644 a evil" &&
	test_expect_code 4 env -C evil3 dig-checkout-root HEAD ../caught2 2>err &&
	forged evil4 "1 644 b x" "1 644 a evil" &&
	test_expect_code 4 env -C evil4 dig-checkout-root HEAD ../caught2 2>err &&
	test ! -e caught2
'

test_expect_success 'paths that lead out, or into a store, are refused' '
	for path in ../up /abs a/../../up a//b ./a .dig/config .DIG/config d/.dig a/..
	do
		rm -rf evil5 &&
		forged evil5 "1 644 $path evil" &&
		test_expect_code 4 env -C evil5 dig-checkout-root HEAD ../caught3 2>err &&
		test ! -e caught3 && test ! -e up || return 1
	done
'

test_expect_success 'an unknown kind is told and left out' '
	forged odd "9 644 device x" "1 644 file text" &&
	test_expect_code 3 env -C odd dig-checkout-root HEAD ../oddly 2>err &&
	grep "^dig-checkout-root: .device. is not extracted: it is of a kind" err &&
	ls oddly >actual &&
	echo file >expect &&
	test_cmp expect actual
'

test_expect_success 'setuid, setgid and sticky bits come back only when asked for' '
	forged setuid "1 2755 g text" "3 1777 t " "1 4755 u text" &&
	(cd setuid && dig-checkout-root HEAD ../plain && dig-checkout-root --restore-setuid HEAD ../full) &&
	stat -c "%n %a" plain/* >actual && printf "%s\n" "plain/g 755" "plain/t 777" "plain/u 755" >expect &&
	test_cmp expect actual &&
	stat -c "%n %a" full/* >actual && printf "%s\n" "full/g 2755" "full/t 1777" "full/u 4755" >expect &&
	test_cmp expect actual
'

test_expect_success STRACE '--sync syncs each file and directory' '
	strace -f -e trace=fsync,fdatasync,syncfs -o calls dig-checkout-root -h >/dev/null &&
	(cd w && strace -f -e trace=fsync,fdatasync,syncfs -o ../calls \
		dig-checkout-root --sync HEAD ../synced d/e hello) &&
	test $(grep -c sync calls) -ge 14 &&
	(cd w && strace -f -e trace=fsync,fdatasync,syncfs -o ../calls \
		dig-checkout-root HEAD ../unsynced d/e hello) &&
	test_must_fail grep sync calls
'

# One thread: strace sends the signal to the thread that writes, and only the first one takes it.
test_expect_success STRACE 'an interrupted extraction leaves no part of a file' '
	(cd w && test_expect_code 143 env DIG_CONFIG=performance.max_worker_threads=1 strace -f -qq -o ../calls \
		-e trace=pwritev2 -e inject=pwritev2:signal=TERM:when=1 dig-checkout-root HEAD ../stopped d/e) &&
	find stopped -type f >made &&
	while read -r path
	do
		cmp $path w/${path#stopped/} || return 1
	done <made
'

test_expect_success STRACE 'a killed extraction leaves no part of a large file under its name' '
	{ (cd w && strace -f -qq -o ../calls -e trace=pwritev2 -e signal=none \
		-e inject=pwritev2:signal=KILL:when=1 dig-checkout-root HEAD ../killed d/e/f) || :; } &&
	test ! -e killed/d/e/f/random
'

test_expect_success UNSHARE 'a full disk is an error and leaves no part of a file' '
	mkdir full-disk &&
	cat >on-full-disk <<-\EOF &&
	mount -t tmpfs -o size=3m none "$1/full-disk" &&
	cd "$1/w" &&
	dig-checkout-root HEAD "$1/full-disk/out" d hello
	echo $? >"$1/status"
	find "$1/full-disk/out" -name .dig-tmp-\* -o -name random >"$1/actual"
	EOF
	unshare --map-root-user --mount sh on-full-disk "$TRASH" 2>err &&
	echo 128 >expect && test_cmp expect status &&
	grep "No space left" err &&
	test_cmp /dev/null actual
'

test_expect_success PYTHON 'damaged files are named, and all others come back' '
	cat >flip.py <<-\EOF &&
	import glob, sys
	for name in glob.glob("w/.dig/layers/*"):
	    content = open(name, "rb").read()
	    for part in (b"marked for damage", open("w/d/e/f/random", "rb").read()[3000000:3000064]):
	        at = content.find(part)
	        if at >= 0:
	            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
	    open(name, "wb").write(content)
	EOF
	chmod -R u+w w/.dig/layers &&
	python3 flip.py &&
	test_expect_code 4 env -C w dig-checkout-root HEAD ../damaged 2>err &&
	grep "^dig-checkout-root: .mark. is not extracted: .*damaged" err &&
	grep "^dig-checkout-root: .d/e/f/random. is not extracted: .*damaged" err &&
	test $(wc -l <err) = 2 &&
	rm -rf w.part && cp -a w w.part && rm w.part/mark w.part/d/e/f/random &&
	listing w.part >expect.all && grep -v "^d/e/f " expect.all >expect &&
	listing damaged >actual.all && grep -v "^d/e/f " actual.all >actual &&
	test_cmp expect actual
'

test_expect_success PYTHON 'with -f a damaged file leaves the old one in place' '
	mkdir -p keeps/d/e/f && echo old >keeps/mark && echo old >keeps/d/e/f/random &&
	test_expect_code 4 env -C w dig-checkout-root -f HEAD ../keeps 2>err &&
	echo old >expect &&
	test_cmp expect keeps/mark &&
	test_cmp expect keeps/d/e/f/random &&
	find keeps -name ".dig-tmp-*" >actual &&
	test_cmp /dev/null actual
'

test_done
