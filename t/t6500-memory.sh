#!/bin/sh

test_description='memory does not grow with the input: holes, many names, many changes'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'the chunks and the roots of holes are those of their zeros' '
	mkdir ids && cd ids &&
	truncate -s 40M hole && head -c 40M /dev/zero >zeros &&
	seeded 100K 1 >mixed && truncate -s 30M mixed && seeded 3M 2 >>mixed &&
	truncate -s 50000007 mixed && cp --sparse=never mixed full &&
	for target in 4KB 16KB 64KB 2MB
	do
		dig-hash-object --target=$target hole mixed >sparse &&
		dig-hash-object --target=$target zeros full >read && test_cmp read sparse &&
		dig-chunk --target=$target hole mixed >sparse &&
		dig-chunk --target=$target zeros full >read && test_cmp read sparse || return 1
	done &&
	dig-hash-object hole mixed >sparse && dig-hash-object zeros full >read && test_cmp read sparse &&
	rm zeros full
'

if truncate -s 15T probe 2>/dev/null
then
	test_set_prereq HUGE_FILES
fi
rm -f probe

# Roots that were computed chunk by chunk.
test_expect_success HUGE_FILES 'holes of any size have the roots that they always had' '
	truncate -s 100G hole && test_when_finished "rm hole" &&
	dig-hash-object --target=4KB hole >actual && dig-hash-object hole >>actual &&
	cat >expect <<-\EOF &&
	08f70573d75bcdd50a019d330b5d8cad585fd563198c13ddb0a34a553b94a969
	d59098e1db56977f3c4a2f05553b9d1b3b7a84dd1015efc80ad26f8e7951d74a
	EOF
	test_cmp expect actual
'

# Target and size of a hole.
hole_is_cheap () {
	rm -rf hole referred out && mkdir hole && cd hole && dig -c chunking.target=$1 init >/dev/null &&
	echo before >small && dig add small && dig commit -q -m one && truncate -s $2 huge &&
	within-memory dig add huge && within-memory dig-hash-object huge &&
	touch -d 2001-01-01 huge && within-memory dig status &&
	within-memory dig add huge && within-memory dig commit -q -m two &&
	within-memory dig check && within-memory dig diff @1 @2 &&
	within-memory dig-cat --range=77000000000-77000099999 @2:huge | tr -d "\0" >../rest &&
	test_cmp /dev/null ../rest && within-memory dig extract ../out >/dev/null &&
	test $(stat -c %s huge) = $(stat -c %s ../out/huge) && test $(stat -c %b ../out/huge) = 0 &&
	echo more >>huge && { printf x | dd of=huge bs=1 seek=100000 conv=notrunc 2>/dev/null; } &&
	within-memory dig add huge && dig commit -q -m three &&
	test_expect_code 1 within-memory dig-diff-roots --ranges @2 @3 huge >../ranges &&
	test $(wc -l <../ranges) = 2 &&
	within-memory dig extract -f --in-place --at=@2 . huge >/dev/null && test $(stat -c %b huge) -lt 20000 &&
	cd .. && mkdir referred && cd referred && dig -c chunking.target=$1 init >/dev/null &&
	truncate -s $2 huge && within-memory dig add --by-reference huge &&
	within-memory dig commit -q -m one && cd .. && rm -r hole referred out
}

test_expect_success '!SANITIZED,HUGE_FILES' 'a hole costs neither memory nor time' '
	hole_is_cheap 4KB 15T && hole_is_cheap 0 15T
'

test_expect_success '!SANITIZED,HUGE_FILES,LONG' 'holes of other sizes and other targets are as cheap' '
	for target in 4KB 16KB 64KB 0
	do
		for size in 100G 2T 15T
		do
			hole_is_cheap $target $size || return 1
		done
	done
'

test_expect_success '!SANITIZED,HUGE_FILES' 'the chunks of a hole are printed as they come' '
	truncate -s 20G hole20 && test_when_finished "rm hole20" &&
	within-memory dig-chunk --target=4KB hole20 | tail -n 1 >actual &&
	echo "21474820096 16384 $(head -c 16384 /dev/zero | sha256sum | cut -c 1-64)" >expect &&
	test_cmp expect actual
'

# A directory of so many names of 80 bytes, in no order.
wide_directory () {
	mkdir "$1" && seq 1 $2 | awk -v dir="$1" "{ printf \"%s/%d-%078d\\n\", dir, \$1 * 7919 % 1000003, \$1 }" |
		xargs touch
}

test_expect_success !SANITIZED 'a directory that is listed in parts is listed whole and in order' '
	mkdir parts && cd parts && dig init >/dev/null && wide_directory wide 60000 &&
	mkdir wide/.dot wide/z wide/5-d && : >wide/.dot/a && : >wide/z/a && : >wide/5-d/a &&
	within-memory dig-ls-work | tr "\0\n" "\n\1" | sed -n "s/^F.*$(printf "\t")//p" >../actual &&
	(cd wide && find . -type f) | sed "s|^\.|wide|" | LC_ALL=C sort >../expect &&
	test_cmp ../expect ../actual && test $(wc -l <../actual) = 60003 &&
	echo "wide/1*" >.digignore && within-memory dig add -A &&
	within-memory dig status --porcelain=v1 >status && ! grep "wide/1" status &&
	rm -rf wide/z && dig add -A && ! dig-ls-index | grep wide/z/
'

# Paths in the index, of which none is in the work tree.
listed () {
	seq 1 $1 | awk -v kind="$2" "{ printf \"100644 0 $empty\tsome/directory-%d/file-of-a-long-name-%d\n\", \$1 % 97, \$1 }"
}
empty=7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3

# A store with so many paths that are staged, then committed and gone.
many_changes () {
	rm -rf many && mkdir many && cd many && dig init >/dev/null &&
	listed $1 | within-memory dig-update-index --index-info &&
	within-memory dig status --porcelain=v1 >../staged && test $(grep -c "^A" ../staged) = $1 &&
	LC_ALL=C sort -c ../staged && within-memory dig status >/dev/null &&
	within-memory dig reset -q && test -z "$(dig-ls-index | head -n 1)" &&
	listed $1 | dig-update-index --index-info && within-memory dig commit -q -m one &&
	within-memory dig diff @1 >/dev/null && within-memory dig diff >/dev/null &&
	within-memory dig rm --cached some >/dev/null &&
	within-memory dig status --porcelain=v1 >../removed && test $(grep -c "^D" ../removed) = $1 &&
	within-memory dig reset -q && cd ..
}

test_expect_success '!SANITIZED' 'many paths are staged, shown, committed, removed and reset' '
	many_changes 100000
'

test_expect_success '!SANITIZED,LONG' 'a million paths are, too' '
	many_changes 1000000
'

test_expect_success '!SANITIZED,LONG' 'a million files are added, changed, referred to and removed' '
	rm -rf million && mkdir million && cd million && dig init >/dev/null && wide_directory wide 1000000 &&
	within-memory dig-ls-work >../list && within-memory dig status >/dev/null &&
	find wide -type f -print0 >../names && xargs -0 sed -i "\$a one" <../names &&
	within-memory dig add -q --by-reference -A && within-memory dig commit -q -m one &&
	xargs -0 truncate -s +1 <../names &&
	within-memory dig status --porcelain=v1 >../status && test $(grep -c "^ M" ../status) = 1000000 &&
	within-memory dig diff >/dev/null && test_expect_code 128 within-memory dig rm wide &&
	within-memory dig add -q -A && within-memory dig commit -q -m two &&
	within-memory dig rm wide && test ! -e wide && cd .. && rm -r million
'

# The chunk list of the first waits for those of others, which do not come.
test_expect_success '!SANITIZED,LONG' 'a file of several chunks comes in front of many small ones' '
	rm -rf million && mkdir million && cd million && dig init >/dev/null && seeded 1M 1 >a &&
	wide_directory wide 300000 && within-memory dig add -q -A && cd .. && rm -r million
'

# hostile_store CASE: a store whose newest state is that of helper/hostile.py.
hostile_store () {
	rm -rf hostile made && mkdir hostile &&
	python3 "$TEST_DIRECTORY/helper/hostile.py" $1 made &&
	dig-init-store --store-id=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f hostile &&
	cp -r made/layers made/roots hostile/.dig/
}

test_expect_success '!SANITIZED,PYTHON' 'a file of chunks of one byte is extracted, and checked' '
	hostile_store shared-2-18 &&
	(cd hostile && within-memory dig extract out >/dev/null && within-memory dig check && within-memory dig status >/dev/null) &&
	test $(tr -dc x <hostile/out/a | wc -c) = 262144
'

for levels in 16000 32768
do
	test $levels = 16000 && long=PYTHON || long=PYTHON,LONG
	test_expect_success "!SANITIZED,$long" "a path of $levels levels is extracted, found and taken" '
		hostile_store deep-$levels &&
		(
			cd hostile && within-memory dig extract . >/dev/null &&
			within-memory dig-ls-work | tr "\0" "\n" >../deep && grep -c "^F" ../deep &&
			within-memory dig status >/dev/null && within-memory dig add -A && within-memory dig diff
		)
	'
done

test_expect_success 'a deep tree is walked with few open files' '
	mkdir few-open && cd few-open && dig init >/dev/null &&
	path=a && for i in 1 2 3 4 5 6 7; do path=$path/$path || return 1; done && mkdir -p $path &&
	at=. && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
	do
		at=$at/a && : >$at/0 && : >$at/z && mkdir $at/x && : >$at/x/file || return 1
	done && : >$path/end &&
	dig-ls-work >../many-open && (ulimit -n 40 && dig-ls-work) >../few-open-list &&
	cmp ../many-open ../few-open-list && tr "\0" "\n" <../many-open >../lines && test $(grep -c "^F" ../lines) = 61
'

test_expect_success '!SANITIZED' 'rules beyond a limit are refused, those below it take little memory' '
	mkdir rules && cd rules && dig init >/dev/null &&
	seq 1 100000 | sed "s/$/*x?/" >.digignore && : >file && within-memory dig-ls-work >/dev/null &&
	echo one-more >>.digignore && test_expect_code 128 within-memory dig-ls-work 2>err >/dev/null &&
	grep "more than 100000 rules" err &&
	head -c 2100000 /dev/zero | tr "\0" "?" >.digignore &&
	test_expect_code 128 dig-ls-work 2>err >/dev/null && grep "larger than 2 MiB" err &&
	head -c 2000000 /dev/zero | tr "\0" "?" >.digignore && within-memory dig-ls-work >/dev/null &&
	mkdir sub && cp .digignore sub && test_expect_code 128 within-memory dig-ls-work 2>err >/dev/null &&
	grep "directories above" err
'

test_expect_success 'rules of many components are quick in a deep tree' '
	mkdir deep-rules && cd deep-rules && dig init >/dev/null &&
	rule=$(printf "?/%.0s" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20) &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
	do
		echo "**/$rule$i" || return 1
	done >.digignore &&
	path=a && for i in 1 2 3 4 5 6 7 8 9 10; do path=$path/$path || return 1; done &&
	mkdir -p $path && : >$path/b && timeout 20 dig-ls-work | tr "\0" "\n" >actual && grep -c "^F.*/b$" actual
'

test_expect_success 'the least memory that can be set is enough to check' '
	mkdir least && cd least && dig init >/dev/null && seeded 3M 1 >a && dig add a && dig commit -q -m one &&
	dig-config performance.max_memory_usage 16MB && dig check && dig extract out >/dev/null && cmp a out/a
'

# A sanitizer opens files of its own at the end.
test_expect_success !SANITIZED 'few files that may be open are no damage' '
	mkdir few && cd few && dig init >/dev/null &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
	do
		echo $i >a$i && dig add a$i && dig commit -q -m $i || return 1
	done &&
	(ulimit -n 32 && dig check && dig status >/dev/null && echo x >a1 && dig add a1 && dig commit -q -m more) &&
	for few in 8 10 12 14
	do
		status=0 && { (ulimit -n $few && dig-verify-store) >out.few 2>err || status=$?; } &&
		case $status in 0 | 128) : ;; *) echo "status $status" && false ;; esac || return 1
	done
'

test_done
