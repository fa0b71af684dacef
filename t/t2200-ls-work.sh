#!/bin/sh

test_description='dig-ls-work lists the work tree in typed records'

. "$(dirname "$0")/test-lib.sh"

# as_lines [ARGUMENT...]: the records of w, a line each.
as_lines () {
	(cd w && dig-ls-work "$@") >nul && tr '\0' '\n' <nul
}

# letters [ARGUMENT...]: of each record the letter, and what stands behind the tab.
letters () {
	as_lines "$@" >lines && sed "s/^\([FLD]\) [^	]*/\1/" lines
}

# F, L or D, from what stat says.
stat_record () {
	case $1 in
	D) format='%a %.9Y %.9Z %i %d' ;;
	*) format='%a %s %.9Y %.9Z %i %d' ;;
	esac
	numbers=$(stat -c "$format" "w/$2" | sed -E 's/([0-9])\.([0-9]{9})/\1\2/g') &&
	printf '%s %s\t%s\n' $1 "$numbers" "$2"
}

test_expect_success 'without a store there is nothing to list' '
	test_expect_code 10 dig-ls-work
'

test_expect_success 'an empty work tree is a scope and an end' '
	dig-init-store w >store &&
	printf "S\\t.\\0E 1\\0" >expect &&
	(cd w && dig-ls-work) >actual && cmp expect actual
'

test_expect_success 'files, links and empty directories come with what stat says, in order' '
	(
		cd w && mkdir -p d/e d.e void &&
		echo file >d/e/file && chmod 4751 d/e/file && : >d.e/empty && echo top >d-e &&
		ln -s d/e link && touch -h -d @1500000000.123456789 link d-e void
	) &&
	{
		printf "S\\t.\\n" && stat_record F d-e && stat_record F d.e/empty &&
		stat_record F d/e/file && stat_record L link && stat_record D void && echo E 6
	} >expect &&
	as_lines >actual && test_cmp expect actual
'

test_expect_success 'the end counts the records before it' '
	echo "E $(($(wc -l <actual) - 1))" >expect && tail -n 1 actual | test_cmp expect -
'

test_expect_success 'paths limit what is listed, and are scopes' '
	printf "S\\td/e\\nS\\tlink\\nF\\td/e/file\\nL\\tlink\\nE 4\\n" >expect &&
	letters link d/e d/e/file >actual && test_cmp expect actual &&
	(cd w/d && dig-ls-work e ../link ../d//./e) >nul && tr "\\0" "\\n" <nul | cut -c 1-4 >actual &&
	cut -c 1-4 lines | test_cmp - actual
'

test_expect_success 'what is asked for and not there is a record' '
	printf "S\\tabsent\\nS\\tlink\\nM\\tabsent\\nL\\tlink\\nE 4\\n" >expect &&
	letters link absent >actual && test_cmp expect actual
'

test_expect_success 'paths outside, in the store, or of nothing are refused' '
	for path in ../x /x .dig .dig/roots d/.dig "" d/../../x
	do
		test_expect_code 128 as_lines "$path" 2>err && test -s err || return 1
	done
'

test_expect_success 'an absolute path into the work tree is one of it' '
	letters d >expect && letters "$TRASH/w/d" >actual && test_cmp expect actual
'

test_expect_success PYTHON 'pipes, sockets, devices and stores are passed over, and named' '
	cp -a w plain && test_when_finished "rm -rf w && mv plain w" &&
	mkfifo w/pipe && (cd w && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")") &&
	dig-init-store w/nested >store && echo x >w/nested/inner &&
	printf "P fifo\\tpipe\\nP socket\\tsocket\\nP store\\tnested\\n" >expect &&
	letters >actual && grep ^P actual | sort | test_cmp expect - &&
	! grep -e inner -e "^[FLD].*nested" actual
'

test_expect_success ROOT 'devices are passed over, too' '
	test_when_finished "rm -f w/device" &&
	if mknod w/device c 1 3
	then
		letters >actual && grep "^P device	device$" actual
	fi
'

test_expect_success 'what is ignored is one record, and not below; -f lists it' '
	test_when_finished "rm -rf w/.digignore w/build w/x.o" &&
	printf "*.o\\nbuild/\\n" >w/.digignore && mkdir w/build && : >w/build/inner && : >w/x.o &&
	printf "I\\tbuild\\nI\\tx.o\\n" >expect &&
	letters >actual && grep -e "^I" -e build -e x.o actual | test_cmp expect - &&
	printf "F\\tbuild/inner\\nF\\tx.o\\n" >expect &&
	letters -f >actual && grep -e "^I" -e build -e x.o actual | test_cmp expect - &&
	test_expect_code 1 letters d/e x.o 2>err && grep "x\.o. is ignored" err &&
	grep -a "d/e/file" nul && letters -f x.o >actual && grep "^F	x.o" actual
'

test_expect_success 'a rule that cannot be read is no rule that says nothing' '
	test_when_finished "rm -f w/.digignore" &&
	: >w/.digignore && chmod 0 w/.digignore &&
	(cd w && test_expect_code 128 without_override dig-ls-work) 2>err &&
	grep "^dig-ls-work: cannot read .\.digignore.: Permission denied" err
'

# Nothing below it is listed, and the order of the rest stays.
test_expect_success 'what cannot be looked at is a record with its errno' '
	test_when_finished "chmod 755 w/d/e" &&
	chmod 0 w/d/e &&
	(cd w && without_override dig-ls-work) >nul && tr "\\0" "\\n" <nul >lines &&
	printf "X 13\\td/e/\\n" >expect && grep -e ^X -e d/e lines | test_cmp expect - &&
	grep "^E 6$" lines
'

test_expect_success 'names are verbatim, whatever is in them' '
	test_when_finished "rm -rf w/odd" &&
	mkdir w/odd && odd=$(printf "n\\nt\\tq\\042b\\\\e\\377 ") && : >"w/odd/$odd" &&
	(cd w && dig-ls-work odd) >nul && printf "\\todd/%s\\0E 2\\0" "$odd" >expect &&
	tail -c $(wc -c <expect) nul | cmp expect -
'

test_expect_success 'names of the store are no entries' '
	test_when_finished "rm -rf w/.DIG" &&
	mkdir w/.DIG && : >w/.DIG/x && letters >actual &&
	grep "^X [0-9]*	\.DIG/*$" actual && ! grep "DIG/x" actual
'

test_expect_success 'a list that is cut short has no end, and is no success' '
	test_when_finished "rm -f w/d/.digignore" &&
	: >w/d/.digignore && chmod 0 w/d/.digignore &&
	(cd w && test_expect_code 128 without_override dig-ls-work d/e) >nul && ! grep -az "^E" nul &&
	(cd w && without_override dig-ls-work) >nul && grep -az "^X 13	d/$" nul &&
	(cd w && test_expect_code 128 dig-ls-work >/dev/full)
'

# So many directories that threads list them, and files that batches of them are read.
test_expect_success 'where few files may be open, nothing is missed' '
	mkdir few && cd few && dig-init-store >/dev/null &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		for j in 1 2 3 4 5 6 7 8 9
		do
			echo d$i/d$j/a && echo d$i/d$j/b || return 1
		done
	done >../paths && xargs -n 1 dirname <../paths | xargs mkdir -p && xargs touch <../paths &&
	for path in $(cat ../paths)
	do
		echo $path >$path || return 1
	done &&
	(ulimit -n 40 && dig-ls-work >../records && dig-update-index --add -A --stdin <../records) &&
	dig-ls-work | cmp - ../records && dig-ls-index >../actual && test $(wc -l <../actual) = 162
'

test_expect_success 'a name that a file system may take for the store is told as such' '
	dig init names >/dev/null && cd names && mkdir .DIG .dig. && echo a >.DIG/a && echo b >.dig./b && echo c >"dig~1" && echo d >d &&
	test_expect_code 3 dig add -A 2>../err && ! grep "Invalid argument" ../err &&
	for name in .DIG .dig. dig~1
	do
		grep "$name. cannot be stored: it has a component .\.dig., which names a store" ../err || return 1
	done &&
	dig status >../actual && ! grep "Invalid argument" ../actual && grep "cannot be stored" ../actual &&
	test_expect_code 128 dig add .DIG/a 2>../err && grep "cannot be stored" ../err &&
	test_expect_code 128 dig add "dig~1" 2>../err && grep "cannot be stored" ../err
'

test_expect_success 'a store that cannot be made is told in our words' '
	for place in /proc/x /proc/x/y /dev/null/x
	do
		test_expect_code 128 dig init $place 2>err && grep "^dig init: cannot " err && ! grep -i boost err || return 1
	done
'

# of_all_kinds DIRECTORY: a work tree there, with names that sort differently as files and directories.
of_all_kinds () {
	(
		cd $1 && dig-init-store . >/dev/null && mkdir -p a/b empty && echo 1 >a/b/c && echo 2 >a- && echo 3 >a0 &&
		ln -s a link && mkfifo pipe && mknod zero c 1 5
	)
}

test_expect_success LOOP 'on a file system whose directories tell no kinds, each name is looked at' '
	truncate -s 16M image && mkdir told untold && mkfs.ext4 -q -O ^filetype image && mount -o loop image untold &&
	test_when_finished "umount untold" && rmdir untold/lost+found && of_all_kinds told && of_all_kinds untold &&
	(cd told && dig-add -q -A && dig-ls-index --name-only) >expect 2>err.told &&
	(cd untold && dig-add -q -A && dig-ls-index --name-only) >actual 2>err.untold &&
	grep link actual && test_cmp expect actual && test_cmp err.told err.untold &&
	grep pipe err.untold && grep zero err.untold
'

test_done
