#!/bin/sh

test_description='dig-ls-index lists the index, or what is staged in it'

. "$(dirname "$0")/test-lib.sh"

hello=5490be80a6d15b9f5956fdf2245720efea54521225882b76fcefbfd0e54033cd
empty=7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3
zeros=$(printf %064d 0)
tab='	'

test_expect_success 'there must be a store, but nothing in it' '
	test_expect_code 10 dig-ls-index &&
	dig-init-store w >store && cd w && dig-ls-index >../actual && test_cmp /dev/null ../actual &&
	dig-ls-index -s absent >../actual && test_cmp /dev/null ../actual
'

test_expect_success 'entries come in the order of the bytes of whole paths' '
	cd w && mkdir -p a/b void && echo hello >a/b/c && cp a/b/c a.c && cp a/b/c a-c && : >ab && cp a/b/c "$(printf "\\377")" &&
	ln -s xxxxx a/link && chmod 600 a.c && take_all &&
	printf "a-c\\na.c\\na/b/c\\na/link\\nab\\nvoid\\n\\377\\n" >../expect &&
	dig-ls-index --name-only >../actual && test_cmp ../expect ../actual
'

test_expect_success 'a line has mode, size, file root and path' '
	cd w && {
		printf "%s\\n" "100644 6 $hello${tab}a-c" "100600 6 $hello${tab}a.c" "100644 6 $hello${tab}a/b/c" \
			"120777 5 $(printf xxxxx | dig-hash-object --stdin)${tab}a/link" "100644 0 $empty${tab}ab" \
			"040755 0 $empty${tab}void" && printf "100644 6 $hello\\t\\377\\n"
	} >../expect &&
	dig-ls-index >../actual && test_cmp ../expect ../actual
'

test_expect_success 'paths limit the list, relative to where one is' '
	cd w/a && printf "a/b/c\\na/link\\nab\\n" >../../expect &&
	dig-ls-index --name-only . ../ab ../absent >../../actual && test_cmp ../../expect ../../actual &&
	dig-ls-index --name-only b >../../actual && echo a/b/c | test_cmp - ../../actual
'

test_expect_success '-s lists what is staged over the newest state, removals as zeros' '
	cd w && commit_staged one && dig-ls-index -s >../actual && test_cmp /dev/null ../actual &&
	echo new >new && rm ab && chmod 755 a-c && rm -r a && ln -s a-c a && take_all &&
	{
		printf "%s\\n" "120777 3 $(printf a-c | dig-hash-object --stdin)${tab}a" "100755 6 $hello${tab}a-c" \
			"000000 0 $zeros${tab}a/b/c" "000000 0 $zeros${tab}a/link" "000000 0 $zeros${tab}ab" \
			"100644 4 $(dig-hash-object new)${tab}new"
	} >../expect &&
	dig-ls-index -s >../actual && test_cmp ../expect ../actual &&
	sed "s/.*$tab//" ../expect >../names && dig-ls-index -s --name-only >../actual && test_cmp ../names ../actual &&
	dig-ls-index --name-only >../actual && ! grep -ax -e ab -e a/link ../actual && dig-reset -q
'

test_expect_success 'names are quoted on lines, and verbatim with -z' '
	cd w && odd=$(printf "n\\nt\\tq\\042b\\\\e") && : >"$odd" && take_all &&
	printf "100644 0 $empty\\t\"n\\\\nt\\\\tq\\\\\"b\\\\\\\\e\"\\n" >../expect &&
	dig-ls-index "$odd" >../actual && test_cmp ../expect ../actual &&
	printf "%s\\0" "100644 0 $empty$tab$odd" >../expect &&
	dig-ls-index -z "$odd" >../actual && cmp ../expect ../actual &&
	printf "%s\\0" "$odd" >../expect && dig-ls-index -sz --name-only "$odd" >../actual && cmp ../expect ../actual
'

test_expect_success 'a damaged index is told' '
	cp -a w damaged && cd damaged && printf "\\377\\377" | dd of=.dig/staging/changes bs=1 seek=60 conv=notrunc status=none &&
	test_expect_code 4 dig-ls-index 2>../err && grep staging/changes ../err
'

test_expect_success 'wrong usage is told, and output that cannot be written' '
	cd w && test_expect_code 129 dig-ls-index --stage && test_expect_code 128 dig-ls-index >/dev/full
'

test_done
