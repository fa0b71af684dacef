#!/bin/sh

test_description='dig-hash-object prints file roots, and stores content if asked to'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/ways-lib.sh"

reference=$TEST_DIRECTORY/reference/dig_reference.py
# H(0x02 ‖ 1 ‖ 0 ‖ u32 1 ‖ u64 1 ‖ u64 6 ‖ H(0x00 ‖ u64 6 ‖ sha256 of "hello" and a newline))
hello=5490be80a6d15b9f5956fdf2245720efea54521225882b76fcefbfd0e54033cd
# H(0x02 ‖ 1 ‖ 0 ‖ u32 0 ‖ u64 0 ‖ u64 0 ‖ H())
empty=7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3

test_expect_success 'published digests, one a line in the order of the files' '
	make_ways &&
	echo hello >hello && : >empty && seeded 10M 1 >random && seeded --text 200K 2 >text &&
	printf "%s\\n" $hello $empty $hello >expect &&
	dig-hash-object hello empty hello >actual && test_cmp expect actual
'

test_expect_success PYTHON 'the reference computes the same root, of one node and of levels of them' '
	for target in 4KB 64KB 1MB
	do
		dig-hash-object --target=$target text &&
		python3 "$reference" chunk --file-root --target $target text >lines || return 1
		tail -n 1 lines | sed "s/file-root //" >>expected
	done >actual &&
	test_cmp expected actual
'

test_expect_success 'each kernel, number of threads and way of reading gives the same roots' '
	mkdir small && (cd small && for i in 1 2 3 4 5 6 7 8 9
	do
		seeded ${i}000 $i >a$i && seeded --text ${i}0K $i >b$i || exit 1
	done) &&
	dig-hash-object random small/* text empty >expect &&
	each_way dig-hash-object random small/* text empty &&
	dig-hash-object --target=4KB random small/* >expect &&
	each_way dig-hash-object --target=4KB random small/*
'

test_expect_success 'standard input, pipes and links are the content that they give' '
	dig-hash-object random >expect &&
	dig-hash-object --stdin <random >actual && test_cmp expect actual &&
	mkfifo pipe && { cat random >pipe & } &&
	dig-hash-object pipe >actual && wait && test_cmp expect actual &&
	ln -s random link &&
	dig-hash-object link >actual && test_cmp expect actual &&
	echo $empty >expect &&
	dig-hash-object --stdin </dev/null >actual && test_cmp expect actual &&
	dig-hash-object /dev/null >actual && test_cmp expect actual
'

test_expect_success PYTHON 'pieces of any size through a pipe give the same root' '
	dig-hash-object --target=4KB text >expect &&
	for seed in 1 2 3
	do
		in_pieces text $seed | dig-hash-object --target=4KB --stdin >actual &&
		test_cmp expect actual || return 1
	done
'

odd=$(printf 'a\tb\nc\377')
test_expect_success 'paths come from standard input, quoted or with NUL' '
	cp hello "$odd" &&
	printf "%s\\n" $hello $empty $hello >expect &&
	printf "hello\\nempty\\n\"a\\\\tb\\\\nc\\\\377\"\\n" | dig-hash-object --stdin-paths >actual &&
	test_cmp expect actual &&
	tr "\\n" "\\0" <expect >expect.nul &&
	printf "hello\\0empty\\0%s\\0" "$odd" | dig-hash-object -z --stdin-paths >actual &&
	cmp expect.nul actual &&
	dig-hash-object --stdin-paths </dev/null >actual && test_cmp /dev/null actual
'

test_expect_success 'a digest comes before the next path is asked for' '
	mkfifo to from &&
	{ dig-hash-object --stdin-paths <to >from & } &&
	exec 7>to 8<from &&
	echo hello >&7 && read -r first <&8 &&
	echo empty >&7 && read -r second <&8 &&
	exec 7>&- 8<&- && wait &&
	test $first = $hello && test $second = $empty
'

test_expect_success 'what cannot be read is named and has no line' '
	printf "%s\\n" $hello $empty >expect &&
	test_expect_code 128 dig-hash-object hello nowhere small empty >actual 2>err &&
	test_cmp expect actual &&
	grep "cannot open .nowhere.: No such file" err && grep "cannot read .small.: Is a directory" err &&
	printf "hello\\nnowhere\\nempty\\n" >paths &&
	test_expect_code 128 dig-hash-object --stdin-paths <paths >actual && test_cmp expect actual
'

test_expect_success 'without -w nothing is stored, and no store is needed' '
	test_expect_code 10 dig-hash-object -w hello 2>err &&
	dig-init-store w >store &&
	(cd w && find .dig | sort >../before && dig-hash-object ../random && find .dig | sort >../after) &&
	test_cmp before after
'

test_expect_success 'with -w content is staged once, from files, paths and a pipe' '
	cd w &&
	dig-hash-object ../hello ../random ../text ../hello >../expect &&
	{
		dig-hash-object -w ../hello && echo ../random | dig-hash-object -w --stdin-paths &&
		dig-hash-object -w --stdin <../text && dig-hash-object -w ../hello
	} >../actual &&
	test_cmp ../expect ../actual &&
	dig-chunk ../random >../chunks &&
	while read -r offset size digest
	do
		dig-cat $digest || return 1
	done <../chunks >../actual &&
	cmp ../random ../actual &&
	size=$(wc -c <.dig/staging/pack) &&
	dig-hash-object -w ../random ../text ../hello && test $size = $(wc -c <.dig/staging/pack) &&
	dig-ls-index >../actual && test_cmp /dev/null ../actual &&
	dig-verify-store -q
'

# Of "hello" a chunk and a node, of "other" a chunk, and the manifest.
test_expect_success 'with -w the node of a list of one chunk is stored, too' '
	dig-init-store one >store &&
	cd one && dig-hash-object -w ../hello &&
	echo other >other && commit_all one &&
	dig-show-layer >../actual && grep "^items 4$" ../actual
'

test_expect_success 'wrong usage is told' '
	test_expect_code 129 dig-hash-object &&
	test_expect_code 129 dig-hash-object --stdin hello &&
	test_expect_code 129 dig-hash-object --stdin --stdin-paths &&
	test_expect_code 129 dig-hash-object --target=5MB hello
'

test_done
