#!/bin/sh

test_description='merged layers, the layer table and the log of states are what the pages say, for ever'

. "$(dirname "$0")/test-lib.sh"

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}

# merged is the store that make_store left behind when merged layers were new; repacked has the two files
# that a repack of it changed.
golden=$TEST_DIRECTORY/golden/merged
repacked=$TEST_DIRECTORY/golden/repacked
reference=$TEST_DIRECTORY/reference/dig_reference.py

DIG_CONFIG='chunking.target=4KB
core.merge_layers=false
performance.max_worker_threads=1'
export DIG_CONFIG

# state MESSAGE [OPTION]
state () {
	find . -name .dig -prune -o -exec touch -h -d @1600000000 {} + && take_all &&
	layer=$(dig-write-layer ${2-} -m "$1") && dig-update-root $layer >/dev/null
}

# States 1 and 3 are dropped; 2 is in their merged layer, because it was to be compressed later.  A run of the
# chunk index covers the merged layer and layers behind it.  The last layer has content that is to be compressed later.
make_store () {
	dig-init-store --store-id=$(printf fedcba9876543210%.0s 1 2 3 4) . >/dev/null && dig-config core.compression none &&
	mkdir d && seeded 9K 1 >d/several && seeded --text 1500 2 >text && echo small >small && ln -s text link && state one &&
	dig-config core.compression later && seeded 6K 3 >gone && seeded 3K 4 >d/new && rm small && DIG_COMMIT_TIME=-1 DIG_AUTHOR=Üser state "$(printf "two\nlines")" &&
	dig-config core.compression none && seeded 5K 5 >gone && state three && rm gone && mkdir hollow && : >empty && state four &&
	printf "@2\n@4\n" | dig-prune-layers -q --stdin --now &&
	for number in 5 6 7 8 9 10 11 12
	do
		state $number --allow-empty || return 1
	done &&
	dig-config core.compression later && seeded --text 8K 6 >later && state later
}

# print_store STORE FILE: all that is counted and hashed, without ids of files.
print_store () {
	python3 "$reference" store --cuts "$1" >"$2.all" 2>"$2.err" && grep -av "^pack-id " "$2.all" >"$2"
}

# entries FILE: of what print_store found, as dig-ls-root prints them, without times, with a blank for the tab.
entries () {
	awk -v RS= "END { print }" "$1" | sed -E \
		"s/^([0-7]{4}) file /10\1 /; s/^([0-7]{4}) symlink /12\1 /; s/^([0-7]{4}) directory /04\1 /"
}

# assembled NAME [DIRECTORY...]: a work tree with nothing but the golden store in it, and these files over it.
assembled () {
	assembled=$1 && shift && rm -rf $assembled && mkdir $assembled && cp -R "$golden" $assembled/.dig && chmod -R u+w $assembled/.dig &&
	for over
	do
		rm -f $assembled/.dig/layers/* $assembled/.dig/chunk-index/* && cp -R "$over"/. $assembled/.dig && chmod -R u+w $assembled/.dig || return 1
	done
}

root=175e1fc46133a88e80b7f081f7ed71f313e48acd2ef0fb96d49e2f723b109052

test_expect_success 'a store with dropped states has a root that is known' '
	mkdir w && (cd w && make_store && dig-info root) >actual && echo $root | test_cmp - actual && cp -a w/.dig made.dig
'

test_expect_success 'each of its files is golden' '
	for file in format store-id roots layer-table states/0 $(cd "$golden" && ls layers/* chunk-index/*)
	do
		cmp "$golden/$file" w/.dig/$file || return 1
	done &&
	ls "$golden/layers" >expect && ls w/.dig/layers | test_cmp expect - && ls "$golden/chunk-index" >expect && ls w/.dig/chunk-index | test_cmp expect -
'

test_expect_success 'every file begins with its magic, and the format says that there is a layer table' '
	for pair in roots:DIGROOTS layer-table:DIGTABLE states/0:DIGSTATE $(cd "$golden" && ls layers/* | sed "s/$/:DIGLAYER/")
	do
		file=$golden/${pair%:*} && test "$(head -c 8 "$file")" = ${pair#*:} &&
		test "$(od -An -td2 -j8 -N8 "$file" | tr -s " ")" = " 1 0 0 0" || return 1
	done &&
	test "$(od -An -td2 -j8 -N8 "$golden/format" | tr -s " ")" = " 1 0 1 0"
'

test_expect_success 'od reads the layer table, the sections and the log of states' '
	number () {
		od -An -t$1 -j$2 -N${1#u} "$3" | tr -d " "
	} &&
	table=$golden/layer-table && test $(number u8 24 $table) = 3 && test $(number u8 32 $table) = 1 && test $(number u8 40 $table) = 1 &&
	test $(number u4 48 $table) = 1 && test $(number u8 52 $table) = 1 && test $(number u8 60 $table) = 3 &&
	merged=$golden/layers/$(od -An -tx1 -v -j68 -N32 $table | tr -d " \n").merged && test -e $merged &&
	test $(number u4 100 $table) = 2 && test $(number u8 104 $table) = 1 && test $(number u8 112 $table) = 1 &&
	test $(number u8 120 $table) = 3 && test $(number u8 128 $table) = 3 && test $(wc -c <$table) = 140 &&
	size=$(wc -c <$merged) && sections=$(number u8 $((size - 80)) $merged) && test $(number u4 $((size - 72)) $merged) = 4 &&
	for record in 0:1 1:2 2:6 3:7
	do
		at=$((sections + 24 * ${record%:*})) && test $(number u2 $at $merged) = ${record#*:} && test $(number u2 $((at + 2)) $merged) = 1 || return 1
	done &&
	states=$(number u8 $((sections + 48 + 8)) $merged) && test $(number u8 $states $merged) = 1 && test $(number u8 $((states + 8)) $merged) = 3 &&
	first=$((states + $(number u8 $((states + 24)) $merged))) && header=$(number u4 $first $merged) && test $header = 195 &&
	noted=$golden/states/0 && record=$(number u4 24 $noted) && test $(number u4 28 $noted) = $header &&
	tail -c +$((first + 1)) $merged | head -c $record >expect && tail -c +29 $noted | head -c $record | cmp expect - &&
	later=$golden/layers/$(cd w && dig-list-roots | sed -n "s/^13 [0-9a-f]* //p").dig && size=$(wc -c <$later) &&
	sections=$(number u8 $((size - 80)) $later) && at=$((sections + 24 * 5)) && test $(number u2 $at $later) = 8 && test $(number u2 $((at + 2)) $later) = 0 &&
	packing=$(number u8 $((at + 8)) $later) && test $(number u8 $((at + 16)) $later) = 9 && test $(number u1 $packing $later) = 0 &&
	test $(number u8 $((packing + 1)) $later) = 8192
'

test_expect_success 'the golden store is sound, and lists what the reference finds in it' '
	assembled old && (cd old && dig-verify-store -q 2>../err && dig-info root) >actual && test_cmp /dev/null err && echo $root | test_cmp - actual &&
	print_store "$golden" all && test_cmp /dev/null all.err && entries all >expect && grep -c "^generation " all | grep -x 13 &&
	(cd old && dig-ls-root) | sed -E "s/^([0-7]+ [0-9]+ [0-9a-f]{64})( -?[0-9]+)?	/\1 /" | test_cmp expect - &&
	test $(grep -c "^merged 1-3$" all) = 3 && grep -x "pending 8192" all
'

test_expect_success 'its content is what it was, and dropped states are refused' '
	(
		cd old && dig-cat @2:gone >../actual && seeded 6K 3 | cmp - ../actual && dig-cat @4:d/several >../actual && seeded 9K 1 | cmp - ../actual &&
		dig-cat HEAD:later >../actual && seeded --text 8K 6 | cmp - ../actual && test_expect_code 128 dig-cat @1:small 2>../err &&
		test_expect_code 128 dig-ls-root @3 2>../err && dig-log --oneline >../out && test $(grep -c "(dropped)" ../out) = 2 && dig-show-layer @2 >../out &&
		grep "^author $(printf "\303\234")ser$" ../out && grep "^time -1$" ../out
	)
'

test_expect_success 'the golden store is written on, and damage is healed from it' '
	(
		cd old && echo new >new && dig-add -q new && dig-commit -q -m new && dig-verify-store -q && dig-log >../log && rm .dig/layers/*.merged &&
		dig-log >../out && test_cmp ../log ../out && dig-verify-store --heal-from="$golden" >../out 2>../err && dig-verify-store -q &&
		dig-cat @2:gone >../actual && seeded 6K 3 | cmp - ../actual
	)
'

test_expect_success 'a repack of it is golden in all that is counted and hashed' '
	(cd w && rm -rf .dig && cp -a ../made.dig .dig && dig-merge-layers -q) && print_store w/.dig actual && assembled again "$repacked" &&
	print_store again/.dig expect && test_cmp expect actual && test $(grep -c "^level 9$" actual) = 13 && ! grep "^pending" actual &&
	cmp_table () {
		head -c 68 "$1/layer-table" && tail -c +101 "$1/layer-table" | head -c -4
	} && cmp_table "$repacked" >expect && cmp_table w/.dig | cmp expect - &&
	(cd again && dig-verify-store -q && dig-cat @2:gone >../actual && seeded 6K 3 | cmp - ../actual && dig-info root) | grep -x $root
'

test_expect_success 'a store that has no layer table, although the format wants one, is refused' '
	assembled less && rm less/.dig/layer-table && (cd less && test_expect_code 4 dig-cat HEAD:text >../out) && ! print_store less/.dig out &&
	grep "layer-table. is not there" out.err
'

# exported is what dig export makes of the golden store.
test_expect_success 'a file that was exported is golden in all that is counted and hashed' '
	assembled from && (cd from && dig export -q ../states.dig) &&
	for from in "$TEST_DIRECTORY/golden/exported/states.dig:golden" "$TRASH/states.dig:made"
	do
		name=${from##*:} && dig-init-store into.$name >/dev/null && (cd into.$name && dig import -q "${from%:*}") &&
		print_store into.$name/.dig $name || return 1
	done &&
	test_cmp golden made && grep -x "root $root" golden
'

test_expect_success 'the store that it is imported into has the states, the roots and the parameters' '
	(
		cd into.golden && dig-verify-store -q && dig-info root | grep -x $root && dig-info chunking | grep "0:4KB" &&
		dig-cat @2:gone >../actual && seeded 6K 3 | cmp - ../actual && test_expect_code 128 dig-cat @1:small 2>../err && grep dropped ../err
	)
'

# --- the reference beside gc, repack, commits and healing ---------------------------------------

# agrees: the reference finds the store sound, and the same in its last state as dig.
agrees () {
	dig-verify-store -q && (cd .. && print_store w/.dig all) && entries ../all >../expect && dig-ls-root >../list &&
	sed -E "s/^([0-7]+ [0-9]+ [0-9a-f]{64})( -?[0-9]+)?	/\1 /" ../list | test_cmp ../expect - && dig-info generation root manifest-root >../expect &&
	awk "/^generation / { g = \$2 } /^root / { r = \$2 } /^manifest-root / { m = \$2 } END { print r; print m; print g }" ../all >../actual &&
	{ sed -n "2,3p" ../expect && sed -n 1p ../expect; } | test_cmp - ../actual
}

test_expect_success 'after each of them, the reference finds what dig finds' '
	rm -rf w && mkdir w && (
		cd w && dig-init-store . >/dev/null && dig-config core.compression zlib && for number in 1 2 3 4 5 6 7 8 9 10
		do
			seeded 20K $number >random && seeded --text 9K $((number / 3)) >text && echo $number >number && state $number || exit 1
		done && cp -a .dig ../ten.dig && agrees &&
		echo gc && dig-prune-layers -q --keep-last=4 && agrees && grep "^merged 1-" ../all &&
		echo undo && dig-prune-layers -q --undo && agrees && ! grep "^merged" ../all &&
		echo now && printf "@3\n@7\n" | dig-prune-layers -q --stdin --now && agrees &&
		echo repack && dig-merge-layers -q && agrees && grep "^level 9" ../all &&
		echo long && dig-merge-layers -q --level=19 --long && agrees && grep "^level 19" ../all &&
		echo later && dig-config core.compression later && seeded --text 50K 11 >more && state later && agrees && grep "^pending 51200" ../all &&
		echo pending && dig-merge-layers -q --pending && agrees && ! grep "^pending" ../all &&
		echo commits && DIG_CONFIG="performance.max_worker_threads=1" && for number in $(seq 12 32)
		do
			echo $number | dig-add -q --stdin --path=number && dig-commit -q -m $number || exit 1
		done && test $(dig-info layer-files) -lt 20 && agrees && dig-cat @20:number | grep -x 20 &&
		echo heal && cp -a .dig ../thirty.dig && rm .dig/layers/* && dig-check -q --heal-from=../thirty.dig 2>../err && agrees
	)
'

test_done
