#!/bin/sh

test_description='nodes of the tree over blocks of a file, as proofs need them'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

# nodes.py FILE puts "FIRST LAST" of nodes of its tree into FILE.ask, and their roots by the definition into FILE.expect.
cat >nodes.py <<EOF
import random, sys
sys.path.insert(0, "$TEST_DIRECTORY/reference")
from dig_reference import leaf_hash, mth_of_hashes
with open(sys.argv[1], "rb") as file:
	leaves = [leaf_hash(block) for block in iter(lambda: file.read(16384), b"")]
ask, expect, most = open(sys.argv[1] + ".ask", "w"), open(sys.argv[1] + ".expect", "w"), 1
while True:
	nodes = range((len(leaves) + most - 1) // most)
	for node in sorted({0, nodes[-1], *random.Random(most).sample(nodes, min(len(nodes), 10))}):
		first, last = node * most, min(len(leaves), (node + 1) * most)
		print(first, last, file=ask)
		print(mth_of_hashes(leaves[first:last]).hex(), file=expect)
	if len(nodes) == 1:
		break
	most *= 2
EOF

# is_right PATH: all nodes of the file that are asked for are as they should be.
is_right () {
	block-roots HEAD:$1 <$1.ask >../actual && test_cmp $1.expect ../actual
}

test_expect_success 'nodes of files of many sizes are those of the definition' '
	dig-init-store w >/dev/null && cd w && dig-config core.block_tree true &&
	for size in 1048577 2097152 3145729 11000000
	do
		seeded 11M $size | head -c $size >$size || return 1
	done &&
	{ seeded 3M 1 && head -c 50000000 /dev/zero && seeded 5M 2 && head -c 30000000 /dev/zero && seeded 100K 3; } >holed &&
	{ seeded 20M 4 && seeded 44M 5; } >mibs &&
	dig-add . && dig-commit -q -m one && for file in 1048577 2097152 3145729 11000000 holed mibs
	do
		python3 ../nodes.py $file && is_right $file || { echo $file; return 1; }
	done
'

test_expect_success 'tables of large files are kept, and used' '
	cd w && ls .dig/cache | sort >../actual && dig-ls-index holed mibs | sed "s/.*blocks=\([0-9a-f]*\).*/blocks-\1/" >../names &&
	{ echo lock; cat ../names; } | sort | test_cmp - ../actual && is_right mibs && is_right holed &&
	table=.dig/cache/$(tail -n 1 ../names) && stat -c %i $table >../before && is_right mibs && stat -c %i $table | test_cmp ../before -
'

test_expect_success 'a table that is damaged is made anew' '
	cd w && table=.dig/cache/$(tail -n 1 ../names) && cp $table ../whole &&
	for place in 0 8 16 30 56 100 1000 2000 4000
	do
		cp ../whole $table && printf "damage" | dd of=$table bs=1 seek=$place conv=notrunc 2>/dev/null && is_right mibs || { echo $place; return 1; }
	done &&
	head -c 3000 ../whole >$table && is_right mibs && : >$table && is_right mibs && cmp ../whole $table &&
	head -c $(wc -c <../whole) /dev/zero >$table && is_right mibs && cmp ../whole $table &&
	head -c 72 ../whole >../zeros && head -c $(($(wc -c <../whole) - 72)) /dev/zero >>../zeros && cp ../zeros $table && is_right mibs
'

test_expect_success 'who may not write makes a table each time' '
	cd w && rm -r .dig/cache && chmod -R a-w .dig && test_when_finished "chmod -R u+w ." &&
	without_override block-roots HEAD:mibs <mibs.ask >../actual && test_cmp mibs.expect ../actual && test ! -e .dig/cache
'

test_expect_success 'an entry without a tree is named, and one of other content' '
	cd w && wrong=$(dig-ls-index holed | sed "s/.*blocks=\([0-9a-f]*\).*/\1/") &&
	dig-ls-index mibs | sed "s/blocks=[0-9a-f]*/blocks=$wrong/; s/mibs/lie/" | dig-update-index --index-info && echo small >small && dig-add small && dig-commit -q -m two &&
	test_expect_code 128 block-roots HEAD:small <mibs.ask 2>../err && grep "small. has no block tree" ../err &&
	rm -rf .dig/cache && test_expect_code 4 block-roots HEAD:lie <mibs.ask 2>../err && grep "lie. has another block tree" ../err &&
	is_right holed && test_expect_code 4 block-roots HEAD:lie <mibs.ask 2>../err && is_right holed
'

test_expect_success !SANITIZED 'a TiB that is sparse takes no time, no memory and no disk' '
	dig-init-store sparse >/dev/null && cd sparse && dig-config core.block_tree true && truncate -s 1T tib && seeded 3M 1 >data &&
	dd if=data of=tib bs=1M seek=700000 conv=notrunc 2>/dev/null && dig-add tib && dig-commit -q -m one &&
	echo "0 67108864" | block-roots HEAD:tib >../actual && dig-ls-index | sed "s/.*blocks=\([0-9a-f]*\).*/\1/" | test_cmp ../actual - &&
	test $(du -k .dig/cache/blocks-* | cut -f 1) -lt 1000 &&
	seq 1 99733 67108863 | within-memory block-roots HEAD:tib --path >../paths && test $(wc -l <../paths) = $((673 * 26))
'

test_done
