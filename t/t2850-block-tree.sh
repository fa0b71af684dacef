#!/bin/sh

test_description='core.block_tree: the root of a tree over blocks of each large file'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

reference=$TEST_DIRECTORY/reference/dig_reference.py

# blocks_of PATH: what the index has for it.
blocks_of () {
	dig-ls-index "$1" | sed -n "s/.* blocks=\([0-9a-f]*\)${tab}.*/\1/p"
}

# root_of FILE: by the reference.
cat >root.py <<EOF
import sys
sys.path.insert(0, "$TEST_DIRECTORY/reference")
import dig_reference
with open(sys.argv[1], "rb") as file:
	print(dig_reference.block_tree_root(iter(lambda: file.read(1 << 20), b"")).hex())
EOF
root_of () {
	python3 ../root.py "$1"
}

# has_root PATH FILE: the entry of the path has the tree of the file.
has_root () {
	root_of "$2" >../expect && blocks_of "$1" >../actual && test_cmp ../expect ../actual
}

new_store () {
	dig-init-store "$1" >/dev/null && (cd "$1" && dig-config core.block_tree true)
}

tab=$(printf '\t')

test_expect_success 'only files of more than 1 MiB have a tree, and chunks and file roots stay' '
	dig-init-store w >/dev/null && cd w && seeded 1M 1 >mib && { cat mib && echo; } >more && seeded 9M 2 >large && ln -s large link &&
	mkdir hollow && echo small >small && cp large holed && truncate -s 40M holed && { seeded 100K 3 && echo; } >>holed &&
	dig-add . && dig-ls-index >../bare && ! grep blocks= ../bare && dig-reset -q &&
	dig-config core.block_tree true && dig-add --reread . && dig-ls-index >../with &&
	sed "s/ blocks=[0-9a-f]*//" ../with | test_cmp ../bare - &&
	sed -n "s/.*blocks=.*$tab//p" ../with >../actual && printf "%s\n" holed large more | test_cmp - ../actual &&
	has_root holed holed && has_root large large && has_root more more
'

test_expect_success 'the reference makes the same manifest of the tree, and finds the trees true' '
	cd w && dig-commit -q -m one && dig-info manifest-root >../actual &&
	python3 "$reference" tree --block-tree --format .dig/format . >../tree && sed -n "s/^manifest-root //p" ../tree >../expect &&
	test_cmp ../expect ../actual && python3 "$reference" store .dig >../actual && grep holed ../actual
'

test_expect_success 'the tree does not depend on how content comes' '
	cd w && for file in more large holed
	do
		root_of $file >../expect &&
		for config in performance.max_worker_threads=1 performance.max_worker_threads=7 performance.buffer_size=4KB \
			performance.memory_map_threshold=1MB performance.max_memory_usage=32MB performance.async_io=false core.compression=none
		do
			dig-reset -q && dig -c $config add --reread $file && blocks_of $file | test_cmp ../expect - || { echo $config; return 1; }
		done &&
		for size in 1000 4096 999999
		do
			dd if=$file bs=$size 2>/dev/null | dig-update-index --add --stdin-content --path=stream && blocks_of stream | test_cmp ../expect - || return 1
		done &&
		cp $file ../copy && dig-add -q "file://$(cd .. && pwd)/copy" --path=url && blocks_of url | test_cmp ../expect - || return 1
	done
'

test_expect_success 'the chunk size makes no difference, nor does adding by reference' '
	for target in 4KB 2MB
	do
		DIG_CONFIG=chunking.target=$target dig-init-store $target >/dev/null && cd $target && dig-config core.block_tree true &&
		cp ../w/large ../w/more ../w/holed . && dig-add . && has_root large large && has_root holed holed && has_root more more && cd .. || return 1
	done &&
	new_store referred && cd referred && cp ../w/large ../w/holed . && dig-add --by-reference . && has_root large large &&
	has_root holed holed && dig-commit -q -m one && dig-ls-root HEAD >../actual && grep -c blocks= ../actual && dig-verify-store -q &&
	python3 "$reference" store .dig >/dev/null
'

test_expect_success 'an entry keeps its root until its file is read again' '
	new_store kept && cd kept && cp -p ../w/large . && touch -d 2020-01-01 large && sleep 0.05 && dig-config core.block_tree false &&
	dig-add large && dig-commit -q -m without && dig-config core.block_tree true && dig-add large && test_expect_code 1 dig-commit -q -m nothing &&
	dig-add --reread large && has_root large large && dig-commit -q -m with && dig-config core.block_tree false && dig-add large &&
	has_root large large && test_expect_code 1 dig-commit -q -m nothing && dig-add --reread large && blocks_of large | test_cmp /dev/null - &&
	dig-commit -q -m gone && dig-ls-root @1 >../one && dig-ls-root @3 | test_cmp ../one - && dig-verify-store -q
'

test_expect_success 'lists of the index have it, and give it back' '
	new_store lists && cd lists && cp ../w/large ../w/more . && dig-add . && dig-ls-index >../list && dig-commit -q -m one &&
	dig-ls-root HEAD >../listed && test_cmp ../list ../listed && dig-update-index --index-info --replace <../list && test_expect_code 1 dig-commit -q -m same &&
	sed "s/ [0-9]* blocks=/ blocks=/; s/large/moved/" ../list >../moved && dig-update-index --index-info <../moved && has_root moved large &&
	sed "s/blocks=/blocks=0/" ../list >../bad && test_must_fail dig-update-index --index-info <../bad 2>../err && grep "the digest has not 64 digits" ../err &&
	sed "s/\(blocks=[0-9a-f]*\)/\1 changed/" ../list >../bad && test_must_fail dig-update-index --index-info <../bad 2>../err && grep "not in the order" ../err
'

test_expect_success 'a file that grows while it is streamed has the tree of each checkpoint' '
	new_store stream && cd stream && seeded 9M 5 >../long && mkfifo ../p &&
	{ dig-update-index --add --stdin-content --path=stream --checkpoint-every=2MB <../p & } && stream=$! &&
	exec 7>../p && head -c 4M ../long >&7 &&
	until test -n "$(dig-ls-index)"
	do
		sleep 0.05
	done &&
	dig-commit -q -m one && tail -c +4194305 ../long >&7 && exec 7>&- && wait $stream && dig-commit -q -m two &&
	dig-cat @1:stream >../first && test $(wc -c <../first) -gt 1048576 && root_of ../first >../expect &&
	dig-ls-root @1 | sed "s/.*blocks=\([0-9a-f]*\).*/\1/" | test_cmp ../expect - && has_root stream ../long &&
	python3 "$reference" store .dig >/dev/null
'

# killed_add NAME SETTING: an add of a file that was killed behind a checkpoint.
killed_add () {
	new_store $1 && cd $1 && dig-config performance.checkpoint_bytes 1MB && seeded 30M 6 >begun && touch -d 2020-01-01 begun && sleep 0.05 &&
	test_expect_code 128 strace -f -qq -o ../calls -e trace=pwritev2 -e signal=none \
		-e inject=pwritev2:signal=KILL:when=8 dig -c core.block_tree=$2 add begun &&
	dig-show-staging >../staging && grep -a "^journal [0-9]* checkpoint reached=[1-9]" ../staging
}

test_expect_success STRACE 'an add that was killed inside a file goes on with the tree' '
	killed_add goes-on true && grep -a "^journal [0-9]* block-tree reached=[1-9][0-9]* tree-size=[1-9]" ../staging &&
	dig-add --metrics=../metrics begun && has_root begun begun &&
	test $(sed -n "s/^bytes_processed //p" ../metrics) -lt 30000000 && dig-commit -q -m one && python3 "$reference" store .dig >/dev/null
'

test_expect_success STRACE '... also after something else was added, which writes the checkpoint again' '
	killed_add carried true && dig-update-index --add --stdin-content --path=other --mode=600 <../w/small 2>../err &&
	dig-add --metrics=../metrics begun && has_root begun begun
'

test_expect_success STRACE '... and from the beginning, where there is no tree to go on with' '
	killed_add treeless false && ! grep -a "block-tree" ../staging && dig-add --metrics=../metrics begun && has_root begun begun &&
	test $(sed -n "s/^bytes_processed //p" ../metrics) = 31457280
'

test_expect_success STRACE '... and a tree that nobody wants any more does no harm' '
	killed_add unwanted true && dig -c core.block_tree=false add --metrics=../metrics begun && blocks_of begun | test_cmp /dev/null - &&
	test $(sed -n "s/^bytes_processed //p" ../metrics) -lt 30000000 && dig-commit -q -m one && dig-verify-store -q &&
	dig-cat HEAD:begun | cmp - begun
'

test_expect_success 'dig check --block-trees compares the trees with the content' '
	new_store lies && cd lies && cp ../w/large ../w/holed . && dig-add . && dig-commit -q -m true && dig-check -q --block-trees &&
	dig-verify-store --block-trees >../actual && grep "nothing damaged" ../actual &&
	wrong=$(blocks_of holed) && dig-ls-index large | sed "s/blocks=[0-9a-f]*/blocks=$wrong/" | dig-update-index --index-info &&
	dig-commit -q -m lie && dig-check -q && test_expect_code 4 dig-check -q --block-trees 2>../err &&
	grep ".large. in @2 is damaged: its block tree is that of other content" ../err && ! grep holed ../err &&
	test_expect_code 1 python3 "$reference" store .dig 2>../err && grep "large.*has the tree of other blocks" ../err &&
	test_expect_code 129 dig-verify-store --block-trees --quick && test_expect_code 129 dig-verify-store --block-trees --budget=1s
'

# Kept for ever, as version-1 is: the attribute is an optional part of that version.
golden=$TEST_DIRECTORY/golden/version-1-blocks
root=4cc05f028cf7ecc0680370dc56e0a363422e1af79899a5e0771e7d54ecb62b92

test_expect_success 'the attribute is written as it always was' '
	DIG_CONFIG=chunking.target=4KB dig-init-store --store-id=$(printf 0123456789abcdef%.0s 1 2 3 4) g >/dev/null && cd g &&
	dig-config core.record_mtime false && dig-config core.compression none && dig-config core.block_tree true &&
	{ seeded 20K 1 && head -c 1100000 /dev/zero && echo end; } >large && seeded 5K 2 >small && dig-add . && dig-commit -q -m one &&
	dig-info root >../actual && echo $root | test_cmp - ../actual &&
	for file in $(cd "$golden" && ls -d roots layers/*)
	do
		cmp "$golden/$file" .dig/$file || return 1
	done
'

test_expect_success 'what was written with it is read, and the reference reads the same' '
	mkdir old && cp -R "$golden" old/.dig && chmod -R u+w old/.dig && cd old && dig-verify-store -q --block-trees &&
	dig-info root >../actual && echo $root | test_cmp - ../actual && dig-ls-root HEAD >../actual && grep "blocks=[0-9a-f]*${tab}large" ../actual &&
	python3 "$reference" store "$golden" >../actual && grep "$root" ../actual && dig-cat HEAD:large >large && root_of large >../expect &&
	dig-ls-root HEAD | sed -n "s/.*blocks=\([0-9a-f]*\).*/\1/p" | test_cmp ../expect -
'

test_done
