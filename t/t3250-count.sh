#!/bin/sh

test_description='dig-count counts entries and bytes at and below paths'

. "$(dirname "$0")/test-lib.sh"

tab='	'

test_expect_success 'there must be a store, and a state' '
	test_expect_code 10 dig-count && test_expect_code 10 dig-count --index &&
	dig-init-store w >store && cd w && test_expect_code 128 dig-count && dig-count --index >../actual &&
	echo "0 0$tab." | test_cmp - ../actual
'

test_expect_success 'all of a state is one line' '
	cd w && mkdir -p a/b void && echo hello >a/b/c && cp a/b/c a-b && : >a.c && ln -s xyz a/link && echo ab >ab &&
	commit_all one && dig-count >../actual && echo "6 18$tab." | test_cmp - ../actual &&
	dig-count HEAD . >../actual && echo "6 18$tab." | test_cmp - ../actual
'

test_expect_success 'a path is itself and what is below it, and no neighbour' '
	cd w && dig-count @1 a a/b/c void ./a/b// a-b >../actual &&
	printf "%s\\n" "2 9${tab}a" "1 6${tab}a/b/c" "1 0${tab}void" "1 6${tab}a/b" "1 6${tab}a-b" | test_cmp - ../actual
'

test_expect_success 'paths of a state are those of the state, wherever one is; those of the index are from there' '
	cd w/a && dig-count HEAD a/b >../../actual && echo "1 6${tab}a/b" | test_cmp - ../../actual &&
	dig-count --index b . .. >../../actual &&
	printf "%s\\n" "1 6${tab}a/b" "2 9${tab}a" "6 18$tab." | test_cmp - ../../actual
'

test_expect_success 'the index is what the next commit will have' '
	cd w && echo hello again >a/b/new && rm ab && take_all && dig-count --index . a/b >../actual &&
	printf "%s\\n" "6 27$tab." "2 18${tab}a/b" | test_cmp - ../actual &&
	dig-count HEAD . a/b >../actual && printf "%s\\n" "6 18$tab." "1 6${tab}a/b" | test_cmp - ../actual &&
	test_expect_code 128 dig-count --index ab && dig-count HEAD ab
'

test_expect_success 'a path that is nowhere is told, the others are counted' '
	cd w && test_expect_code 128 dig-count @1 a/bb a 2>../err >../actual && echo "2 9${tab}a" | test_cmp - ../actual &&
	grep "^dig-count: .a/bb. is not in @1" ../err &&
	test_expect_code 128 dig-count --index nowhere a/b 2>../err >../actual && echo "2 18${tab}a/b" | test_cmp - ../actual &&
	grep "^dig-count: .nowhere. is not in the index" ../err && test_expect_code 128 dig-count @7
'

# Directories of 1 to 2,000 files that share nodes with their neighbours, files between them.
test_expect_success 'counts of large states are those of their lists' '
	dig-init-store many >store && cd many &&
	root=$(printf x | dig-hash-object -w --stdin) &&
	awk -v root=$root "BEGIN { for (d = 1; d <= 12; d++) for (i = 0; i < d * d * d; i++)
		printf \"100644 1 %s\\t%s%02d/%03d\\n\", root, i % 3 ? \"d/\" : \"e\", d, i }" >../list &&
	dig-update-index --index-info <../list && layer=$(dig-write-layer -m many) &&
	dig-update-root $layer >../line &&
	dig-ls-root --name-only >../paths &&
	for path in d e01 d/02 d/07 d/11 d/12 e03 e09 e12 e12/000
	do
		echo "$(grep -c -e "^$path/" -e "^$path\$" ../paths)$tab$path"
	done >../expect &&
	cut -f2 ../expect | xargs dig-count HEAD >../actual.state && sed "s/ [0-9]*$tab/$tab/" ../actual.state | test_cmp ../expect - &&
	cut -f2 ../expect | xargs dig-count --index >../actual && test_cmp ../actual.state ../actual &&
	dig-count >../actual && echo "$(wc -l <../paths) $(wc -l <../paths)$tab." | test_cmp - ../actual
'

test_expect_success 'names that need it are quoted, or end with NUL' '
	cd w && name=$(printf "new\\nline") && echo >"$name" && take_all &&
	dig-count --index "$name" >../actual && printf "1 1\\t\"new\\\\nline\"\\n" | test_cmp - ../actual &&
	dig-count -z --index "$name" . >../actual && printf "1 1\\tnew\\nline\\0007 28\\t.\\0" | test_cmp - ../actual
'

test_done
