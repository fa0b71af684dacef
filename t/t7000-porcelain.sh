#!/bin/sh

test_description='the commands for people: what one sees and what they return'

. "$(dirname "$0")/test-lib.sh"

store_id=$(printf %064d 3)

# status EXPECTED [ARGUMENT...]: all of the porcelain format.
status () {
	printf "$1" >"$TRASH/expect" && shift && dig status --porcelain=v1 "$@" >"$TRASH/actual" &&
	test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'without a store each command says so' '
	for command in "add -A" "rm x" reset status "commit -m x" log show ls "get /x" "extract out" check diff
	do
		test_expect_code 10 dig $command 2>err && grep "no store" err || { echo "$command"; return 1; }
	done
'

test_expect_success 'dig init makes a store once' '
	dig init --store-id=$store_id w >out && grep "$TRASH/w/.dig" out && test "$(cat w/.dig/store-id)" = $store_id &&
	test_expect_code 128 dig init w && (cd w && status "" && dig log >../out && test_cmp /dev/null ../out)
'

test_expect_success 'what is added is shown as new, and the rest as unknown' '
	cd w && mkdir -p d/e void && echo hello >hello && seeded 5000 1 >d/e/data && ln -s hello link && echo later >later &&
	touch -h -d @1600000000 hello link d/e/data && status "?? d/\\n?? hello\\n?? later\\n?? link\\n?? void/\\n" &&
	dig add hello link d void && status "A  d/e/data\\nA  hello\\n?? later\\nA  link\\nA  void\\n" &&
	status "A  d/e/data\\n" d && (cd d && status "A  d/e/data\\n?? later\\n" e ../later) &&
	dig status >../out && grep "new:  *d/e/data" ../out && grep later ../out
'

test_expect_success 'a commit is one line: generation, root, counts' '
	cd w && dig commit -m one >../out && test $(wc -l <../out) = 1 &&
	grep "^@1 $(dig info root | cut -c1-12) 4 entries, 4.89 KiB; layer of [0-9.]* [KM]iB$" ../out && status "?? later\\n" &&
	dig add later && dig commit -q -m "$(printf "two\\n\\nand more")" >../out && test_cmp /dev/null ../out && status ""
'

test_expect_success 'both letters of the status' '
	cd w && echo new >new && echo more >>hello && rm later && dig add -A && chmod 600 new && rm hello &&
	rm link && mkdir link && : >link/in && echo gone >d/e/gone && dig add d/e/gone && rm d/e/gone &&
	status "AD d/e/gone\\nMD hello\\nD  later\\n D link\\n?? link/\\nAM new\\n" &&
	dig status --porcelain=v1 -z >../out && tr "\\n" "\\0" <../expect | cmp - ../out
'

test_expect_success 'without a version the porcelain format is v1, and no other is known' '
	cd w && dig status --porcelain >../out && test_cmp ../expect ../out &&
	dig status --porcelain hello >../out && echo "MD hello" | test_cmp - ../out &&
	test_expect_code 129 dig status --porcelain=v2 2>../err && grep "v1 only" ../err
'

test_expect_success 'a reset takes back all or some, and leaves the work tree' '
	cd w && dig reset d new 2>../err && status "MD hello\\nD  later\\n D link\\n?? link/\\n?? new\\n" &&
	dig reset -q 2>../err && test_cmp /dev/null ../err && test -e new && ! test -e hello &&
	status " D hello\\n D later\\n D link\\n?? link/\\n?? new\\n" && rm -r new link && dig extract -f . >../out && status ""
'

test_expect_success 'a damaged staging area is given up by a reset of all' '
	cp -a w hurt && cd hurt && echo lost >lost && dig add lost && printf XXXXXXXX | dd of=.dig/staging/changes bs=1 seek=40 conv=notrunc status=none &&
	test_expect_code 4 dig check && test_expect_code 4 dig reset lost && dig reset && dig check -q && dig add lost &&
	dig commit -q -m found && dig get /lost >../out && test_cmp lost ../out
'

test_expect_success 'dig rm removes from index and work tree, with directories that are empty then' '
	cd w && dig rm d later && ! test -e d && ! test -e later && status "D  d/e/data\\nD  later\\n" &&
	dig get /d/e/data >../out && seeded 5000 1 | cmp - ../out && dig reset -q && dig extract -f . >../out && status "" &&
	dig rm --cached hello && test -e hello && status "D? hello\\n" &&
	dig status >../out && grep "deleted:  *hello" ../out && dig reset -q && status ""
'

test_expect_success 'dig rm removes nothing when a path is unknown or was changed' '
	cd w && echo changed >>hello && test_expect_code 128 dig rm later hello 2>../err && grep hello ../err &&
	test_expect_code 128 dig rm later nothing 2>../err && grep nothing ../err && test -e later && test -e hello &&
	status " M hello\\n" && dig rm -f hello && ! test -e hello && status "D  hello\\n" && dig reset -q &&
	dig extract -f . hello >../out && status ""
'

test_expect_success 'dig add tells by its status what was not taken' '
	cd w && test_when_finished "rm -f .digignore x.o secret" && echo "*.o" >.digignore && : >x.o &&
	test_expect_code 1 dig add x.o .digignore 2>../err && grep "x\.o. is ignored" ../err && status "A  .digignore\\n" &&
	dig add -f x.o && status "A  .digignore\\nA  x.o\\n" && dig reset -q && rm .digignore x.o &&
	echo secret >secret && chmod 0 secret && echo changed >>later &&
	test_expect_code 3 without_override dig add secret later 2>../err && grep "secret.: Permission denied" ../err &&
	status "M  later\\n?F secret\\n" && rm secret && dig extract -f . later >../out && dig add -A && status ""
'

test_expect_success 'the log is newest first: generation, root, author, time, message' '
	cd w && set -- $(dig list-roots | cut -d " " -f 2) && printf "@2 %.12s two\\n@1 %.12s one\\n" $1 $2 >../expect &&
	dig log --oneline >../actual && test_cmp ../expect ../actual &&
	dig log -n 1 --oneline >../actual && head -n 1 ../expect | test_cmp - ../actual &&
	dig log --oneline HEAD~ >../actual && tail -n 1 ../expect | test_cmp - ../actual &&
	dig log >../actual && grep "^@2 $1$" ../actual && grep "^@1 $2$" ../actual && grep "Test Author <author@example.org>" ../actual &&
	grep "2023-11-14 22:13:20 UTC" ../actual && grep "^ *and more$" ../actual && test_expect_code 128 dig log @7
'

test_expect_success 'a state is shown with the paths that it changed' '
	cd w && dig show >../actual && grep "^@2 $(dig info root)$" ../actual && grep "^A	later$" ../actual &&
	grep "^Content: 5 entries, 4.90 KiB$" ../actual && dig show --bytes | grep "^Content: 5 entries, 5017 bytes$" && ! grep "	hello" ../actual &&
	dig show @1 >../actual && printf "A\\td/e/data\\nA\\thello\\nA\\tlink\\nA\\tvoid\\n" >../expect &&
	grep "^[AMDT]	" ../actual | test_cmp ../expect - && test_expect_code 128 dig show nothing
'

test_expect_success 'a state is listed like a directory' '
	cd w && printf "d/\\nhello\\nlater\\nlink\\nvoid\\n" >../expect && dig ls >../actual && test_cmp ../expect ../actual &&
	printf "e/\\n" >../expect && dig ls :d >../actual && test_cmp ../expect ../actual && dig ls HEAD:d/ >../actual && test_cmp ../expect ../actual &&
	printf "d/e/data\\nhello\\nlink\\nvoid\\n" >../expect && dig ls -r HEAD~1 >../actual && test_cmp ../expect ../actual &&
	echo d/e/data >../expect && dig ls HEAD~1:d/e/data >../actual && test_cmp ../expect ../actual &&
	dig ls -l :hello >../actual && test $(wc -l <../actual) = 1 && grep "^-rw-r--r--  *6 .* hello$" ../actual &&
	dig ls -l >../actual && grep "^-rw-r--r--  *6 2020-09-13 12:26:40 UTC hello$" ../actual && grep "^lrwxrwxrwx " ../actual &&
	printf "d/e/data\\0" >../expect && dig ls -rz :d >../actual && cmp ../expect ../actual &&
	test_expect_code 128 dig ls :absent && test_expect_code 128 dig ls nothing:
'

test_expect_success 'content is got by its path, its state, its range, and from elsewhere' '
	cd w && echo hello >../expect && root=$(dig info root) &&
	dig get /hello >../actual && test_cmp ../expect ../actual &&
	dig get urn:dig:chia:$store_id/hello >../actual && test_cmp ../expect ../actual &&
	(cd .. && DIG_STORES=$TRASH/w dig get URN:DIG:CHIA:$store_id:$root/%68ello) >../actual && test_cmp ../expect ../actual &&
	test_expect_code 10 env -C .. dig get urn:dig:chia:$store_id/hello &&
	printf ell >../expect && dig get "/hello#bytes=1-3" >../actual && cmp ../expect ../actual &&
	dig get --range=1-3 /hello >../actual && cmp ../expect ../actual && printf "lo\\n" >../expect &&
	dig get "/hello#bytes=-3" >../actual && cmp ../expect ../actual && dig get "/hello#bytes=3-" -o ../actual && cmp ../expect ../actual &&
	echo kept >../actual && test_expect_code 128 dig get -o ../actual /absent && echo kept | test_cmp - ../actual &&
	for urn in "/hello#bytes=9-" urn:other:x urn:dig:chia:12/hello hello
	do
		test_expect_code 128 dig get "$urn" >../out 2>../err && test_cmp /dev/null ../out || { echo "$urn"; return 1; }
	done
'

test_expect_success 'a state is extracted, and nothing that exists is replaced without -f' '
	cd w && dig extract ../all && diff -r --no-dereference --exclude=.dig . ../all && dig extract --at=@1 ../first && ! test -e ../first/later &&
	dig extract ../some d hello && test "$(find ../some -type f | sort | tr "\\n" " ")" = "../some/d/e/data ../some/hello " &&
	rm ../all/d/e/data && echo mine >../all/hello && test_expect_code 128 dig extract ../all 2>../err && grep hello ../err &&
	test "$(cat ../all/hello)" = mine && ! test -e ../all/d/e/data && dig extract -f --sync ../all && diff -r --no-dereference --exclude=.dig . ../all &&
	test_expect_code 128 dig extract --at=@9 ../none && test_expect_code 128 dig extract ../none absent
'

test_expect_success 'a check names what is damaged' '
	cd w && dig check >../out && grep "nothing damaged" ../out && dig check -q >../out && test_cmp /dev/null ../out && dig check --quick -q &&
	cp -a . ../broken && cd ../broken && layer=$(dig list-roots -n 1 | cut -d " " -f 3) && chmod u+w .dig/layers/* &&
	printf XXXX | dd of=.dig/layers/$layer.dig bs=1 seek=60 conv=notrunc status=none && find . -type f -exec cksum {} + >../before &&
	test_expect_code 4 dig check 2>../err && grep $layer ../err && find . -type f -exec cksum {} + | test_cmp ../before -
'

test_expect_success 'a commit of nothing is a no, and without a message wrong usage' '
	cd w && test_expect_code 1 dig commit -m none 2>../err && grep "nothing is staged" ../err && dig info generation >../out && echo 2 | test_cmp - ../out &&
	test_expect_code 129 dig commit && dig commit -q --allow-empty -m empty && echo 3 >../expect && dig info generation | test_cmp ../expect -
'

test_expect_success 'the plumbing that dig add shows does the same' '
	cp -a w copy && for tree in w copy
	do
		echo same >$tree/same && touch -d @1600000000 $tree/same && rm -f $tree/later || return 1
	done &&
	(cd w && dig add -A --show-plumbing >../plumbing && status " D later\\n?? same\\n" && sh ../plumbing && dig commit -m x >../one) &&
	(cd copy && dig add -A && dig commit -m x >../two) && test_cmp one two
'

test_expect_success 'usage that is wrong is 129, with the right one' '
	cd w &&
	for command in add "rm" "reset --hard" "status --porcelain=v9" "commit -m" "log -n x" "show a b" "ls a b" get extract "check x" frob
	do
		test_expect_code 129 dig $command 2>../err && grep -i usage ../err || { echo "$command"; return 1; }
	done
'

test_expect_success 'dig runs where it is told, with settings it is given' '
	dig -C w -c core.author=Someone ls >actual && dig -C w/d -C .. ls | test_cmp actual - &&
	echo x >w/x && dig -C w add x && (unset DIG_AUTHOR && dig -C w -c core.author=Someone commit -q -m x) &&
	dig -C w log -n 1 | grep Someone
'

test_expect_success 'a name that is wrong is a failure of this command, and of no later one' '
	cd w && test_expect_code 128 dig add absent 2>../err && grep "absent.: No such file" ../err &&
	dig status --porcelain=v1 >../actual && ! grep absent ../actual &&
	echo more >more && test_expect_code 3 dig add absent more && dig status --porcelain=v1 >../actual &&
	grep "^A  more" ../actual && ! grep absent ../actual
'

test_expect_success 'a commit whose line is lost says that the state is made' '
	dig-init-store lost-line &&
	(
		cd lost-line &&
		echo one >one && dig-add one &&
		test_expect_code 128 dig-commit -m one >/dev/full 2>err &&
		grep "committed @1; but its output is lost" err &&
		grep "cannot write .standard output.: No space left on device" err &&
		test $(dig-info generation) = 1 &&
		echo two >two && dig-add two &&
		dig-commit -q -m two >/dev/full &&
		echo three >three && dig-add three && layer=$(dig-write-layer -m three) &&
		test_expect_code 128 dig-update-root $layer >/dev/full 2>err &&
		grep "the state [0-9a-f]* is recorded; but its output is lost" err &&
		test $(dig-info generation) = 3
	)
'

test_done
