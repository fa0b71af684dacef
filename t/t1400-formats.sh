#!/bin/sh

test_description='what was written once is written and read that way for ever'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

# The .dig directory that make_store left behind when version 1 was new.  Whoever changes a format
# puts a version-2 beside it, that is written from then on; version-1 has to be read for ever.
# In version-2 are only the files that are another version.
# checksums has the staging area as it is since the journal has checksums.
golden=$TEST_DIRECTORY/golden/version-1
reference=$TEST_DIRECTORY/reference/dig_reference.py
still=$TEST_DIRECTORY/helper/still-staging.py

DIG_CONFIG='chunking.target=4KB
performance.max_worker_threads=1'
export DIG_CONFIG

# at TIME FILE...
at () {
	time=$1 && shift && touch -h -d $time "$@"
}

# state CODEC MESSAGE [OPTION]
state () {
	dig-config core.compression $1 && take_all &&
	case $2 in
	two) printf stream | dig-update-index --add --stdin-content --path=d/stream --mode=600 ;;
	esac &&
	layer=$(dig-write-layer ${3-} -m "$2") && dig-update-root $layer >/dev/null
}

# Content of many chunks, of one and of none, links, empty directories, modes, times of both signs
# and no time, removals, levels of nodes, each codec, a full layer, a run of the chunk index.
make_states () {
	dig-init-store --store-id=$(printf 0123456789abcdef%.0s 1 2 3 4) . >/dev/null &&
	mkdir d hollow &&
	seeded 9K 1 >several &&
	seeded --text 1500 2 >d/text &&
	echo small >small &&
	printf '#!/bin/sh\n' >d/run && chmod 755 d/run &&
	: >empty &&
	ln -s d/run link &&
	echo odd >"$(printf 'a\tname\nof\377bytes')" &&
	at @1600000000.123456789 several d/run link && at @-1.5 a* && at @0 empty &&
	at @1600000001 d/text small hollow &&
	state none one &&
	{ head -c 4000 several && echo inserted && tail -c +4001 several; } >longer &&
	mv longer several && chmod 4711 several &&
	rm small d/run && ln -s several small && : >hollow/full &&
	at @1600000002 several small hollow/full &&
	DIG_COMMIT_TIME=-1 DIG_AUTHOR=Üser state none two --full &&
	seeded 2500 3 >block && for i in 1 2 3 4; do cat block block block block; done >blocks &&
	for i in 1 2 3 4 5 6 7 8 9; do cat blocks blocks blocks blocks; done >many-chunks && rm block* &&
	mkdir many d/void &&
	(cd many && seq 120 | tr '\n' '\0' | xargs -0 touch -d @1600000003) &&
	at @1600000003 many-chunks d/void &&
	dig-update-index --remove d/stream &&
	state zlib "$(printf 'three\nlines\nhere')" &&
	seeded --text 5000 4 >d/text && at @1600000004 d/text &&
	state zstd four &&
	for i in 5 6 7 8 9
	do
		state none $i --allow-empty || return 1
	done
}

# A base of the index, and something of each kind staged over it.  A writer makes a base only of
# more than 4 MiB of changes; these have the same form, so they can be renamed.
make_staging () {
	rm .dig/staging/changes && take_all && mv .dig/staging/changes .dig/staging/index &&
	seeded 6000 5 >staged && echo referred >referred && rm several &&
	at @1600000005 staged referred &&
	dig-update-index --remove several &&
	echo referred | dig-update-index --add --by-reference --stdin-paths &&
	echo staged | dig-update-index --add --stdin-paths
}

# What two stores must have in common even where blocks are compressed: other versions of zlib and
# zstd make other bytes of the same items, and so other offsets, and another pack id.
print_store () {
	python3 "$reference" store --cuts "$1" >"$2.all" && grep -av "^pack-id " "$2.all" >"$2"
}

# entries FILE: of what print_store found, as dig-ls-root prints them, with a blank for the tab.
entries () {
	awk -v RS= "END { print }" "$1" | sed -E \
		"s/^([0-7]{4}) file /10\1 /; s/^([0-7]{4}) symlink /12\1 /; s/^([0-7]{4}) directory /04\1 /"
}

# root_of_tree DIR: the manifest root, as the reference computes it.
root_of_tree () {
	python3 "$reference" tree --format "$golden/format" "$1" >tree.list &&
	sed -n "s/^manifest-root //p" tree.list
}

# assembled NAME: a work tree with nothing but the golden store in it.
assembled () {
	mkdir $1 && cp -R "$golden" $1/.dig && chmod -R u+w $1/.dig
}

root=c7cfab2490cdb3e9b6bebb56457d6e44789eea5b92bd44822294d25913e89ae3
manifest_root=5ec5cb60a63c8b4284aca8b704c84ea320f466d17983518e39ef6959ea430079
root_of_staged=3da31e11d9c2bf12740bf4505a451befce8208e8ed72fdb5c545220a16a0c91c

test_expect_success 'four states and more have roots that are known' '
	mkdir w && (cd w && make_states) && cp -a w tree &&
	(cd w && dig-info root manifest-root) >actual &&
	printf "%s\n" $root $manifest_root >expect &&
	test_cmp expect actual
'

test_expect_success 'the reference computes the same manifest root from the tree' '
	root_of_tree w >actual && echo $manifest_root | test_cmp - actual
'

test_expect_success 'things of each kind are staged' '
	(cd w && make_staging)
'

test_expect_success 'format, store id, roots and run are the golden bytes' '
	for file in format store-id roots
	do
		cmp $golden/$file w/.dig/$file || return 1
	done &&
	cmp $golden/../version-2/chunk-index/8.run w/.dig/chunk-index/8.run
'

test_expect_success 'layers have their names, and their golden bytes where nothing is compressed' '
	ls $golden/layers >expect && ls w/.dig/layers >actual && test_cmp expect actual &&
	(cd w && dig-list-roots | cut -d " " -f 1,3 >../numbers) &&
	while read -r number id
	do
		case $number in
		3 | 4) continue ;;
		esac
		cmp $golden/layers/$id.dig w/.dig/layers/$id.dig || return 1
	done <numbers
'

test_expect_success 'all that is counted and hashed is golden where blocks are compressed, too' '
	print_store $golden expect && print_store w/.dig actual &&
	test_cmp expect actual &&
	grep -c "^generation " actual >count && echo 9 | test_cmp - count
'

test_expect_success 'base and delta of the index, journal and pack are golden but for times and ids' '
	for file in index changes journal
	do
		python3 "$still" $golden/../checksums/$file >expect &&
		python3 "$still" w/.dig/staging/$file >actual &&
		cmp expect actual || return 1
	done &&
	cmp $golden/staging/pack w/.dig/staging/pack
'

test_expect_success 'every file begins with its magic and version 1, and needs no feature' '
	for pair in format:DIGFORMT roots:DIGROOTS chunk-index/8.run:DIGCHRUN staging/index:DIGINDEX \
		staging/changes:DIGINDEX staging/journal:DIGJRNAL staging/pack:DIGLAYER \
		$(cd "$golden" && ls layers/* | sed "s/$/:DIGLAYER/")
	do
		file=$golden/${pair%:*} &&
		test "$(head -c 8 "$file")" = ${pair#*:} &&
		test "$(od -An -td2 -j8 -N8 "$file" | tr -s " ")" = " 1 0 0 0" || return 1
	done &&
	file=$golden/../version-2/chunk-index/8.run && test "$(head -c 8 $file)" = DIGCHRUN &&
	test "$(od -An -td2 -j8 -N8 $file | tr -s " ")" = " 2 0 0 0" &&
	file=$golden/../checksums/journal && test "$(head -c 8 $file)" = DIGJRNAL &&
	test "$(od -An -td2 -j8 -N8 $file | tr -s " ")" = " 1 0 1 0"
'

test_expect_success 'the golden store is sound, and lists what the reference finds in it' '
	assembled old &&
	(cd old && dig-verify-store -q && dig-info root) >actual &&
	echo $root | test_cmp - actual &&
	print_store "$golden" all && entries all >expect &&
	(cd old && dig-ls-root -z) >list && tr "\0" "\n" <list | sed -E "s/^([0-7]+ [0-9]+ [0-9a-f]{64})( -?[0-9]+)?	/\1 /" >actual &&
	test_cmp expect actual
'

test_expect_success 'content of the golden store is what it was, with and without the chunk index' '
	for run in 1 2 none
	do
		{ test $run != 2 || cp $golden/../version-2/chunk-index/8.run old/.dig/chunk-index/; } &&
		(
			cd old &&
			for path in several d/text many-chunks
			do
				dig-cat HEAD:$path >../actual && cmp ../tree/$path ../actual || exit 1
			done &&
			dig-cat @1:several >../actual && seeded 9K 1 | cmp - ../actual &&
			dig-cat @2:d/stream >../actual && printf stream | cmp - ../actual &&
			dig-ls-root @1 hollow >../actual && grep "^040755 0 .*	hollow$" ../actual &&
			rm -f .dig/chunk-index/*
		) || return 1
	done
'

test_expect_success 'a tree that is checked out of the golden store has its manifest root' '
	(cd old && dig-checkout-root --restore-setuid HEAD ../out) &&
	root_of_tree out >actual && echo $manifest_root | test_cmp - actual
'

test_expect_success 'a full layer of the golden store is read alone' '
	full=$(sed -n "s/^2 //p" numbers) &&
	dig-show-layer "$golden/layers/$full.dig" >actual &&
	grep "^full yes$" actual && grep "^time -1$" actual && grep "^author $(printf "\303\234")ser$" actual &&
	mkdir alone && cp "$golden/layers/$full.dig" alone &&
	python3 "$reference" extract alone several >several.actual && cmp tree/several several.actual
'

test_expect_success 'what is staged in the golden store is listed, and its commit has a known root' '
	for from in version-1/staging checksums
	do
		rm -rf staged && assembled staged && echo referred >staged/referred &&
		cp $golden/../$from/* staged/.dig/staging &&
		(
			cd staged &&
			dig-diff-index >../actual
			test $? = 1 && printf "A\treferred\nD\tseveral\nA\tstaged\n" | test_cmp - ../actual &&
			dig-write-layer -m staged >../layer && dig-update-root $(cat ../layer) >../actual &&
			echo $root_of_staged | test_cmp - ../actual &&
			dig-verify-store -q &&
			dig-cat HEAD:staged >../actual && cmp ../w/staged ../actual &&
			dig-cat HEAD:referred >../actual && cmp referred ../actual
		) || return 1
	done
'

# What the flag of a record that never had a file looks like; no-file is the staging area alone.
unfiled=$TEST_DIRECTORY/golden/no-file

test_expect_success 'records without a file are golden, and a feature of the index' '
	mkdir unfiled && (
		cd unfiled && dig-init-store --store-id=$(printf 0123456789abcdef%.0s 1 2 3 4) . >/dev/null &&
		printf marked | dig-update-index --add --stdin-content --path=d/stream --mode=600
	) &&
	for file in changes journal
	do
		python3 "$still" $unfiled/$file >expect &&
		python3 "$still" unfiled/.dig/staging/$file >actual &&
		cmp expect actual || return 1
	done &&
	cmp $unfiled/pack unfiled/.dig/staging/pack &&
	test "$(od -An -td2 -j8 -N8 $unfiled/changes | tr -s " ")" = " 1 0 1 0"
'

test_expect_success 'they are read, and kept by what passes them over' '
	chmod -R u+w unfiled/.dig/staging && cp $unfiled/* unfiled/.dig/staging && (
		cd unfiled && take_all && dig-ls-index --name-only >../actual && echo d/stream | test_cmp - ../actual &&
		dig-write-layer -m marked >../layer && dig-update-root $(cat ../layer) >/dev/null &&
		take_all && test_expect_code 0 dig-diff-index && dig-cat HEAD:d/stream >../actual &&
		printf marked | cmp - ../actual
	)
'

test_done
