#!/bin/sh

test_description='dig-cat gives content back, whole or a range of it'

. "$(dirname "$0")/test-lib.sh"

# Published: sha256 of "hello" and a newline.
hello=5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
# H(0x02 ‖ 1 ‖ 0 ‖ u32 1 ‖ u64 1 ‖ u64 6 ‖ H(0x00 ‖ u64 6 ‖ chunk id))
hello_root=5490be80a6d15b9f5956fdf2245720efea54521225882b76fcefbfd0e54033cd

test_expect_success 'a store with two states' '
	dig-init-store w >store &&
	(
		cd w &&
		dig-config core.compression none &&
		mkdir -p d/e empty &&
		echo hello >hello &&
		echo first >changes &&
		: >nothing &&
		ln -s d/e link &&
		seeded --text 9M 1 >d/text &&
		seeded 12M 2 >d/e/random &&
		: >"$(printf "a\tb\nc")" &&
		echo "marked for damage" >mark &&
		commit_all one &&
		echo second >changes &&
		commit_all two
	)
'
test_expect_success 'content comes back, of any size and kind' '
	cd w &&
	dig-cat HEAD:hello >../actual && test_cmp hello ../actual &&
	dig-cat HEAD:d/text >../actual && cmp d/text ../actual &&
	dig-cat HEAD:d/e/random >../actual && cmp d/e/random ../actual &&
	dig-cat HEAD:nothing >../actual && test_cmp /dev/null ../actual
'

test_expect_success 'the content of a symlink is its text' '
	cd w &&
	printf d/e >../expect &&
	dig-cat HEAD:link >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'older states keep what they had' '
	cd w &&
	echo first >../expect &&
	dig-cat @1:changes >../actual &&
	test_cmp ../expect ../actual &&
	dig-cat HEAD~1:changes >../actual &&
	test_cmp ../expect ../actual &&
	dig-list-roots >../roots &&
	root=$(sed -n "s/^1 \([0-9a-f]*\) .*/\1/p" ../roots) &&
	dig-cat $root:changes >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'paths are those of the state, wherever one is' '
	cd w/d &&
	dig-cat HEAD:hello >"$TRASH/actual" &&
	test_cmp ../hello "$TRASH/actual" &&
	dig-cat HEAD:d/../hello >"$TRASH/actual" &&
	test_cmp ../hello "$TRASH/actual"
'

test_expect_success 'a range is what dd would cut' '
	cd w &&
	tail -c +1000001 d/e/random | head -c 7654321 >../expect &&
	dig-cat --range=1000000-8654320 HEAD:d/e/random >../actual &&
	cmp ../expect ../actual &&
	tail -c +12000001 d/e/random >../expect &&
	dig-cat --range=12000000- HEAD:d/e/random >../actual &&
	cmp ../expect ../actual &&
	tail -c 77 d/e/random >../expect &&
	dig-cat --range=-77 HEAD:d/e/random >../actual &&
	cmp ../expect ../actual &&
	printf ell >../expect &&
	dig-cat --range=1-3 HEAD:hello >../actual &&
	cmp ../expect ../actual &&
	printf "llo\n" >../expect &&
	dig-cat --range=2-99 HEAD:hello >../actual &&
	cmp ../expect ../actual
'

test_expect_success 'each thread count gives the same bytes' '
	cd w &&
	for threads in 1 2 7
	do
		DIG_CONFIG=performance.max_worker_threads=$threads \
			dig-cat HEAD:d/e/random >../actual &&
		cmp d/e/random ../actual || return 1
	done
'

test_expect_success 'a range behind the end is an error' '
	cd w &&
	test_expect_code 128 dig-cat --range=6- HEAD:hello >../out 2>../err &&
	test_cmp /dev/null ../out &&
	test_expect_code 129 dig-cat --range=3-2 HEAD:hello
'

test_expect_success STRACE 'a range costs the blocks that it touches' '
	cd w &&
	strace -f -e trace=pread64 -o ../calls dig-cat --range=5000000-5000009 HEAD:d/e/random >../actual &&
	awk "{ sum += \$NF } END { exit sum > 6000000 }" ../calls
'

test_expect_success 'chunks are found by their id' '
	cd w &&
	dig-cat $hello >../actual &&
	test_cmp hello ../actual &&
	printf ello >../expect &&
	dig-cat --range=1-4 $hello >../actual &&
	cmp ../expect ../actual
'

test_expect_success 'a chunk that is only staged is found, too' '
	cd w &&
	test_when_finished "rm -f w/staged" &&
	echo staged >staged &&
	id=$(sha256sum <staged | cut -c 1-64) &&
	test_expect_code 128 dig-cat $id 2>../err &&
	grep "is not in this store" ../err &&
	echo staged >../paths &&
	dig-update-index --add --stdin-paths <../paths &&
	dig-cat $id >../actual &&
	test_cmp staged ../actual
'

test_expect_success 'what is not there is named' '
	cd w &&
	test_expect_code 128 dig-cat HEAD:absent 2>../err &&
	grep "^dig-cat: .absent. is not in HEAD$" ../err &&
	test_expect_code 128 dig-cat @7:hello 2>../err &&
	grep "@7" ../err &&
	test_expect_code 128 dig-cat no-root:hello 2>../err &&
	test_expect_code 128 dig-cat hello 2>../err &&
	grep "neither ROOT:PATH nor" ../err &&
	test_expect_code 128 dig-cat $(printf %064d 5) 2>../err &&
	grep "is not in this store" ../err
'

test_expect_success 'a directory has no content' '
	cd w &&
	test_expect_code 128 dig-cat HEAD:d 2>../err &&
	grep ".d. is a directory" ../err &&
	test_expect_code 128 dig-cat HEAD:empty 2>../err &&
	grep ".empty. is a directory" ../err &&
	test_expect_code 128 dig-cat HEAD: 2>../err
'

test_expect_success 'wrong usage is told' '
	cd w &&
	test_expect_code 129 dig-cat &&
	test_expect_code 129 dig-cat -z HEAD:hello &&
	test_expect_code 129 dig-cat --batch HEAD:hello </dev/null &&
	test_expect_code 129 dig-cat --batch --range=1-2 </dev/null &&
	test_expect_code 129 dig-cat HEAD:hello HEAD:link
'

test_expect_success 'output that cannot be written is no success' '
	cd w &&
	test_expect_code 128 dig-cat HEAD:hello >/dev/full &&
	test_expect_code 128 dig-cat HEAD:d/text >/dev/full
'

test_expect_success 'a batch answers each request in order' '
	cd w &&
	{
		printf "%s 6\nhello\n\n" $hello_root &&
		echo "HEAD:absent missing" &&
		printf "%s 6\nhello\n\n" $hello &&
		printf "%s 3\nell\n" $hello_root &&
		echo "no missing" &&
		echo "HEAD:d missing" &&
		printf "HEAD:hello\t9-12 missing\n" &&
		echo "$(printf %064d 1) missing"
	} >../expect &&
	{
		echo HEAD:hello &&
		echo HEAD:absent &&
		echo $hello &&
		printf "HEAD:hello\t1-3\n" &&
		echo no &&
		echo HEAD:d &&
		printf "HEAD:hello\t9-12\n" &&
		printf %064d 1
	} >../requests &&
	dig-cat --batch <../requests >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'requests are quoted as records are, or end with NUL' '
	cd w &&
	printf "%s\n" "\"HEAD:a\\tb\\nc\"" >../requests &&
	dig-cat --batch <../requests >../actual &&
	dig-hash-object nothing >../root &&
	printf "%s 0\n\n" $(cat ../root) >../expect &&
	test_cmp ../expect ../actual &&
	printf "HEAD:a\tb\nc\0HEAD:hello\0" >../requests &&
	dig-cat -z --batch <../requests >../actual &&
	printf "%s 0\0\0%s 6\0hello\n\0" $(cat ../root) $hello_root >../expect &&
	cmp ../expect ../actual
'

# It was taken for a range of "hello".
test_expect_success 'with -z, a path that ends with a TAB and digits is that path' '
	cd w &&
	printf "HEAD:hello\t0-2\0" >../requests &&
	printf "HEAD:hello\t0-2 missing\0" >../expect &&
	dig-cat -z --batch <../requests >../actual &&
	cmp ../expect ../actual
'

test_expect_success 'large content passes through a batch' '
	cd w &&
	printf "HEAD:d/e/random\nHEAD:hello\n" >../requests &&
	dig-cat --batch <../requests >../actual &&
	{
		echo "$(dig-hash-object d/e/random) 12582912" &&
		cat d/e/random &&
		printf "\n%s 6\nhello\n\n" $hello_root
	} >../expect &&
	cmp ../expect ../actual
'

test_expect_success 'a reply comes before the next request, and knows of new commits' '
	cd w &&
	mkfifo ../to ../from &&
	{ dig-cat --batch <../to >../from & } &&
	exec 7>../to 8<../from &&
	echo HEAD:changes >&7 &&
	read -r head <&8 && read -r line <&8 && read -r empty <&8 &&
	test "$line" = second &&
	echo third >changes &&
	commit_all three &&
	echo HEAD:changes >&7 &&
	read -r head <&8 && read -r line <&8 && read -r empty <&8 &&
	exec 7>&- 8<&- &&
	wait &&
	test "$line" = third
'

# damage FILE TEXT: changes the first byte of TEXT in FILE.
damage () {
	offset=$(grep -abo "$2" "$1" | head -n 1 | cut -d: -f1) &&
	chmod u+w "$1" &&
	printf X | dd of="$1" bs=1 seek=$offset conv=notrunc status=none
}

test_expect_success 'a damaged chunk is never given out' '
	cd w &&
	layer=$(grep -l "marked for damage" .dig/layers/*) &&
	damage $layer "marked for damage" &&
	test_expect_code 4 dig-cat HEAD:mark >../out 2>../err &&
	test_cmp /dev/null ../out &&
	grep "$(echo "marked for damage" | sha256sum | cut -c 1-64)" ../err &&
	printf "HEAD:mark\nHEAD:hello\n" >../requests &&
	dig-cat --batch <../requests >../actual &&
	printf "HEAD:mark corrupt\n%s 6\nhello\n\n" $hello_root >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'of damaged content what lies before the damage is given out' '
	cd w &&
	layer=$(ls -S .dig/layers/* | head -n 1) &&
	dd if=d/e/random bs=1 skip=9000000 count=16 of=../needle status=none &&
	cat >../find.py <<-\EOF &&
	import sys
	needle = open(sys.argv[2], "rb").read()
	with open(sys.argv[1], "r+b") as layer:
	    offset = layer.read().index(needle)
	    layer.seek(offset)
	    layer.write(bytes([needle[0] ^ 1]))
	EOF
	python3 ../find.py $layer ../needle &&
	test_expect_code 4 dig-cat HEAD:d/e/random >../actual 2>../err &&
	grep damaged ../err &&
	size=$(wc -c <../actual) &&
	test $size -gt 1000000 && test $size -le 9000000 &&
	head -c $size d/e/random >../expect &&
	cmp ../expect ../actual &&
	dig-cat --range=-1000 HEAD:d/e/random >../actual &&
	tail -c 1000 d/e/random >../expect &&
	cmp ../expect ../actual
'

test_expect_success '!SANITIZED,PYTHON' 'memory stays below 100 MB' '
	cd w &&
	cat >../rss.py <<-\EOF &&
	import resource, subprocess, sys
	subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
	sys.exit(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 97656)
	EOF
	python3 ../rss.py dig-cat HEAD:d/text
'

# The message was searched for: with it, the roots of both states begin with bd9e.
test_expect_success 'a root that several states begin with is ambiguous, and no other request is' '
	dig-init-store --store-id=$(printf %064d 7) alike >store &&
	cd alike &&
	dig-config core.record_mtime false &&
	echo hello >hello &&
	chmod 644 hello &&
	commit_all one &&
	layer=$(dig-write-layer --allow-empty -m "two 4271") &&
	dig-update-root $layer &&
	cat >../requests <<-\EOF &&
	bd9e:hello
	bd9ea:hello
	ambiguous:x
	HEAD:ambiguous
	EOF
	cat >../expect <<-EOF &&
	bd9e:hello ambiguous
	$hello_root 6
	hello

	ambiguous:x missing
	HEAD:ambiguous missing
	EOF
	dig-cat --batch <../requests >../actual &&
	test_cmp ../expect ../actual &&
	test_must_fail dig-cat bd9e:hello 2>../err &&
	grep "bd9e. names no state: it is ambiguous; give more digits" ../err
'

test_done
