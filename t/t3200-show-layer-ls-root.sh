#!/bin/sh

test_description='dig-show-layer and dig-ls-root print what a state is and has'

. "$(dirname "$0")/test-lib.sh"

hello=5490be80a6d15b9f5956fdf2245720efea54521225882b76fcefbfd0e54033cd
empty=7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3
store_id=$(printf %064d 8)
tab='	'

test_expect_success 'there must be a store, and a state' '
	test_expect_code 10 dig-show-layer && test_expect_code 10 dig-ls-root &&
	dig-init-store --store-id=$store_id w >store && cd w &&
	test_expect_code 128 dig-show-layer && test_expect_code 128 dig-ls-root && test_expect_code 128 dig-ls-root @0
'

test_expect_success 'each line of a layer is a key and its value' '
	cd w && mkdir -p a/b void && echo hello >a/b/c && cp a/b/c a.c && : >a-c && ln -s a a/link && chmod 4755 a.c &&
	commit_all one && first=$layer && echo new >new && rm a-c && take_all &&
	layer=$(dig-write-layer -m "$(printf "two\\n\\nlines")") && dig-update-root $layer >/dev/null &&
	set -- $(dig-list-roots) && dig-show-layer >../actual &&
	{
		printf "%s\\n" "layer $layer" "root $2" "store-id $store_id" "generation 2" "parent $5" \
			"manifest $(dig-info manifest-root)" "time 1700000000" "entries 5" "bytes 17" \
			"size $(wc -c <.dig/layers/$layer.dig)" "items 2" "full no" "author $DIG_AUTHOR" "" two "" lines
	} >../expect &&
	grep -v -e "^pack " -e "^blocks " ../actual | test_cmp ../expect - &&
	grep -x "pack [0-9a-f]\{64\}" ../actual && grep -x "blocks [0-9]*" ../actual
'

test_expect_success 'a layer is named by state, id or file' '
	cd w && dig-show-layer >../expect && root=$(dig-info root) &&
	for name in HEAD @2 $root $layer .dig/layers/$layer.dig ./.dig/layers/$layer.dig
	do
		dig-show-layer $name >../actual && test_cmp ../expect ../actual || return 1
	done &&
	cp .dig/layers/$layer.dig ../alone.dig && (cd .. && dig-show-layer alone.dig) >../actual && test_cmp ../expect ../actual &&
	for name in HEAD~ HEAD~1 @1 $first
	do
		dig-show-layer $name >../actual && grep -x "generation 1" ../actual || return 1
	done &&
	test "$(sed -n "s/^parent //p" ../actual)" = $(printf %064d 0)
'

test_expect_success 'what is no layer is told' '
	cd w && for name in HEAD~2 @3 @0 nothing $(printf %064d 7) ./absent absent.dig
	do
		test_expect_code 128 dig-show-layer $name 2>../err && test -s ../err || return 1
	done &&
	cp ../alone.dig ../cut.dig && chmod u+w ../cut.dig && truncate -s -7 ../cut.dig && test_expect_code 4 dig-show-layer ../cut.dig &&
	test_expect_code 129 dig-show-layer HEAD HEAD && test_expect_code 128 dig-show-layer >/dev/full
'

test_expect_success 'entries of a state come in the order of the bytes of their paths' '
	cd w && link=$(printf a | dig-hash-object --stdin) &&
	{
		printf "%s\\n" "104755 6 $hello${tab}a.c" "100644 6 $hello${tab}a/b/c" "120777 1 $link${tab}a/link" \
			"100644 4 $(dig-hash-object new)${tab}new" "040755 0 $empty${tab}void"
	} >../expect &&
	dig-ls-root >../timed && without_times <../timed >../actual && test_cmp ../expect ../actual &&
	dig-ls-root HEAD | test_cmp ../timed - && dig-ls-index | test_cmp ../timed - &&
	grep "^100644 4 [0-9a-f]* $(stat -c %Y new)[0-9]\{9\}${tab}new$" ../timed &&
	printf "a-c\\na.c\\na/b/c\\na/link\\nvoid\\n" >../expect && dig-ls-root --name-only @1 >../actual && test_cmp ../expect ../actual
'

test_expect_success 'paths are those of the state, wherever one is' '
	cd w/a && printf "a/b/c\\na/link\\nvoid\\n" >../../expect &&
	dig-ls-root --name-only HEAD a void >../../actual && test_cmp ../../expect ../../actual &&
	dig-ls-root --name-only HEAD a/link >../../actual && echo a/link | test_cmp - ../../actual &&
	test_expect_code 128 dig-ls-root --name-only HEAD a b a-c >../../actual 2>../../err &&
	printf "a/b/c\\na/link\\n" | test_cmp - ../../actual && grep "b. is not in HEAD" ../../err && grep a-c ../../err
'

test_expect_success 'names are quoted on lines, and verbatim with -z' '
	cd w && odd=$(printf "n\\nt\\tq\\042b\\\\e\\377") && : >"$odd" && commit_all odd &&
	printf "100644 0 $empty\\t\"n\\\\nt\\\\tq\\\\\"b\\\\\\\\e\\\\377\"\\n" >../expect &&
	dig-ls-root HEAD "$odd" | without_times >../actual && test_cmp ../expect ../actual &&
	printf "%s\\0" "100644 0 $empty$tab$odd" >../expect && dig-ls-root -z HEAD "$odd" | without_times -z >../actual && cmp ../expect ../actual &&
	printf "%s\\0" "$odd" >../expect && dig-ls-root -z --name-only HEAD "$odd" >../actual && cmp ../expect ../actual
'

test_expect_success 'states of many nodes are listed whole, and below a path' '
	cd w && mkdir many && (cd many && seq 3000 | xargs touch) && commit_all many &&
	seq -f "many/%g" 3000 | sort >../expect && dig-ls-root --name-only HEAD many >../actual && test_cmp ../expect ../actual &&
	dig-ls-root --name-only >../actual && test $(wc -l <../actual) = 3006 &&
	sed "/^\"/d" ../actual | sort -c
'

test_expect_success 'a state of which a node is damaged is told, and one that is not there' '
	cp -a w damaged && cd damaged && chmod u+w .dig/layers/$layer.dig &&
	printf "\\377\\377\\377" | dd of=.dig/layers/$layer.dig bs=1 seek=100 conv=notrunc status=none &&
	test_expect_code 4 dig-ls-root >../out && dig-ls-root @2 >../out &&
	test_expect_code 128 dig-ls-root @9 && test_expect_code 128 dig-ls-root nothing && test_expect_code 128 dig-ls-root @2 >/dev/full
'

test_done
