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
	printf "a-c\\na.c\\na/b/c\\na/link\\nab\\nvoid\\n\"\\\\377\"\\n" >../expect &&
	dig-ls-index --name-only >../actual && test_cmp ../expect ../actual
'

test_expect_success 'a line has mode, size, file root and path' '
	cd w && {
		printf "%s\\n" "100644 6 $hello${tab}a-c" "100600 6 $hello${tab}a.c" "100644 6 $hello${tab}a/b/c" \
			"120777 5 $(printf xxxxx | dig-hash-object --stdin)${tab}a/link" "100644 0 $empty${tab}ab" \
			"040755 0 $empty${tab}void" && printf "100644 6 $hello\\t\"\\\\377\"\\n"
	} >../expect &&
	dig-ls-index | without_times >../actual && test_cmp ../expect ../actual &&
	touch -d @-1.5 ab && dig add ab && dig-ls-index ab >../actual &&
	echo "100644 0 $empty -1500000000${tab}ab" | test_cmp - ../actual &&
	echo hello | dig-update-index --add --stdin-content --path=ab && dig-ls-index ab >../actual &&
	echo "100644 6 $hello${tab}ab" | test_cmp - ../actual && dig add ab
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
	dig-ls-index -s | without_times >../actual && test_cmp ../expect ../actual &&
	sed "s/.*$tab//" ../expect >../names && dig-ls-index -s --name-only >../actual && test_cmp ../names ../actual &&
	dig-ls-index --name-only >../actual && ! grep -ax -e ab -e a/link ../actual && dig-reset -q
'

test_expect_success 'names are quoted on lines, and verbatim with -z' '
	cd w && odd=$(printf "n\\nt\\tq\\042b\\\\e") && : >"$odd" && take_all &&
	printf "100644 0 $empty\\t\"n\\\\nt\\\\tq\\\\\"b\\\\\\\\e\"\\n" >../expect &&
	dig-ls-index "$odd" | without_times >../actual && test_cmp ../expect ../actual &&
	printf "%s\\0" "100644 0 $empty$tab$odd" >../expect &&
	dig-ls-index -z "$odd" | without_times -z >../actual && cmp ../expect ../actual &&
	printf "%s\\0" "$odd" >../expect && dig-ls-index -sz --name-only "$odd" >../actual && cmp ../expect ../actual
'

test_expect_success 'no terminal gets bytes of a name that are controls or no UTF-8' '
	dig init odd >/dev/null && cd odd && echo odd >content &&
	for name in "c1\302\233x" "bad\377x" "cut\342\200" "surrogate\355\240\200" "bidi\342\200\256x" "caf\303\251" "\360\237\230\200"
	do
		cp content "$(printf "$name")" || return 1
	done &&
	printf "%s\n" "\"bad\\377x\"" "\"bidi\\342\\200\\256x\"" "\"c1\\302\\233x\"" "$(printf "caf\303\251")" content \
		"\"cut\\342\\200\"" "\"surrogate\\355\\240\\200\"" "$(printf "\360\237\230\200")" >../expect &&
	dig add -A 2>../err && dig ls-index --name-only >../actual && test_cmp ../expect ../actual &&
	dig reset -q && dig update-index --add --stdin-paths <../expect &&
	dig ls-index --name-only >../actual && test_cmp ../expect ../actual &&
	dig commit -q -m odd && dig ls >../actual && test_cmp ../expect ../actual
'

# raw_free COMMAND...: what it says has no byte of a name that a terminal must not get.
raw_free () {
	{ "$@" >../seen 2>&1 || :; } &&
	if LC_ALL=C grep -a -e "$(printf "\377")" -e "$(printf "\302\233")" ../seen; then echo "$*" && false; fi
}

test_expect_success 'nor does it from any other command' '
	cd odd && bad=$(printf "bad\377x") c1=$(printf "c1\302\233x") &&
	echo new >"$bad" && echo new >"$c1" &&
	for command in ls "ls -lr HEAD" show "diff-roots @0 HEAD" ls-root status "status --porcelain=v1" diff diff-work \
		"extract --progress=always ../out" "extract --progress=json -f ../out" "ls-index -s" "check-ignore -v -n $bad $c1" \
		"rm $bad $c1" "cat HEAD:$bad/x" "cat HEAD:$c1/x" "get /$c1/x" "add $bad/x $c1/x" "reset $c1/x" "-C $c1 log" "$c1" "log $c1" \
		"log --$c1" "-c $c1=1 log" "-c core.author.$bad=1 log" "config $c1" "init $c1/x" "add --progress=always -A"
	do
		raw_free dig $command || return 1
	done
'

test_expect_success 'a damaged index is told' '
	cp -a w damaged && cd damaged && printf "\\377\\377" | dd of=.dig/staging/changes bs=1 seek=60 conv=notrunc status=none &&
	test_expect_code 4 dig-ls-index 2>../err && grep staging/changes ../err
'

test_expect_success 'wrong usage is told, and output that cannot be written' '
	cd w && test_expect_code 129 dig-ls-index --stage && test_expect_code 128 dig-ls-index >/dev/full
'

test_expect_success 'with --error-unmatch a path without an entry is an error, the others are listed' '
	dig-init-store unmatched >store && cd unmatched && mkdir d && echo >d/one && echo >gone && take_all && rm gone && take_all &&
	dig-ls-index --name-only nowhere d gone >../actual && echo d/one | test_cmp - ../actual &&
	test_expect_code 128 dig-ls-index --error-unmatch --name-only nowhere d d/oen gone >../actual 2>../err &&
	echo d/one | test_cmp - ../actual && grep -c "is not in the index" ../err | grep -x 3 &&
	grep "^dig-ls-index: .nowhere. is not in the index" ../err && grep "d/oen.*did you mean .d/one" ../err &&
	dig-ls-index --error-unmatch d d/one . && dig-ls-index --error-unmatch && commit_staged one >../root && dig-update-index --remove d/one &&
	test_expect_code 128 dig-ls-index -s --error-unmatch --name-only d gone >../actual 2>../err && echo d/one | test_cmp - ../actual &&
	grep "^dig-ls-index: nothing is staged at or below .gone.$" ../err
'

test_done
