#!/bin/sh

test_description='dig get finds the store of a URN: here, where DIG_STORES says, among those of the user'

. "$(dirname "$0")/test-lib.sh"

# Two stores with other content at the same path.
for name in one two
do
	mkdir $name && (cd $name && dig init >../said && echo "content of $name" >file && dig add -q -A && dig commit -q -m $name) ||
		exit 1
done
one=$(cat one/.dig/store-id) two=$(cat two/.dig/store-id)
mkdir nowhere named && cp -a two/.dig named/$two || exit 1

# got NAME COMMAND...: the command prints the content of that store.
got () {
	echo "content of $1" >expect
	shift
	(cd nowhere && "$@") >actual && test_cmp expect actual
}

test_expect_success 'DIG_STORES lists work trees, stores, and directories with stores that are named by their ids' '
	got one env DIG_STORES="$TRASH/one" dig get urn:dig:chia:$one/file &&
	got one env DIG_STORES="$TRASH/one/.dig" dig get urn:dig:chia:$one/file &&
	got two env DIG_STORES="$TRASH/named" dig get urn:dig:chia:$two/file
'

test_expect_success 'each of the list is looked at, and the id decides' '
	for list in "$TRASH/one:$TRASH/two" ":$TRASH/absent::$TRASH/one:$TRASH/named:" "$TRASH/one/file:$TRASH/named:$TRASH/one"
	do
		got two env DIG_STORES="$list" dig get urn:dig:chia:$two/file || { echo "$list"; return 1; }
	done &&
	cp -a one/.dig named/$(echo $two | tr 0-9a-f 1-9a-f0) &&
	test_expect_code 10 env DIG_STORES="$TRASH/named:$TRASH/two" dig -C nowhere get urn:dig:chia:$one/file >actual 2>err &&
	test_cmp /dev/null actual && grep "no store with the id $one is known here; DIG_STORES lists" err
'

test_expect_success 'the store here is the first that is asked, and only if it has the id' '
	cp -a one there && echo "content of there" >there/file && (cd there && dig add -q file && dig commit -q -m there) &&
	echo "content of there" >expect && (cd there && DIG_STORES=$TRASH/one dig get urn:dig:chia:$one/file) >actual &&
	test_cmp expect actual &&
	echo "content of two" >expect && (cd there && DIG_STORES=$TRASH/two dig get urn:dig:chia:$two/file) >actual &&
	test_cmp expect actual
'

test_expect_success 'then the data directory of the user: XDG_DATA_HOME, or below HOME' '
	mkdir -p data/dig/stores home/.local/share/dig/stores &&
	cp -a one/.dig data/dig/stores/$one && cp -a two/.dig home/.local/share/dig/stores/$two &&
	got one env XDG_DATA_HOME="$TRASH/data" dig get urn:dig:chia:$one/file &&
	got two env HOME="$TRASH/home" dig get urn:dig:chia:$two/file &&
	got two env HOME="$TRASH/home" XDG_DATA_HOME= dig get urn:dig:chia:$two/file &&
	test_expect_code 10 env HOME="$TRASH/home" XDG_DATA_HOME="$TRASH/data" dig -C nowhere get urn:dig:chia:$two/file &&
	test_expect_code 10 env -u HOME -u XDG_DATA_HOME dig -C nowhere get urn:dig:chia:$two/file
'

test_expect_success 'a URN of a state, and two ranges, are told apart from what is not there' '
	test_expect_code 128 dig -C one get urn:dig:chia:$one 2>err && grep "names a whole state; append the path" err &&
	test_expect_code 129 dig -C one get --range=0-1 "/file#bytes=0-1" 2>err && grep "the URN has a range already" err &&
	test_expect_code 128 dig -C one get urn:dig:chia:$one/absent
'

test_done
