#!/bin/sh

test_description='tar archives go in and come out equal, and hostile ones do no harm'

. "$(dirname "$0")/test-lib.sh"

if ! test_have_prereq PYTHON || ! tar --version 2>/dev/null | grep -q GNU
then
	skip_all='there is no Python, or no GNU tar'
	test_done
fi
helper=$TEST_DIRECTORY/helper
bsdtar=${DIG_TEST_BSDTAR:-$(command -v bsdtar)}

python3 "$helper/tar-tree.py" tree 200 || exit 1
mkdir hostile && (cd hostile && python3 "$helper/hostile-tar.py") || exit 1
dig init -q tree && (cd tree && dig add -q -A && dig commit -q -m all && dig ls-root HEAD >../expect) || exit 1

# Lists with whole seconds, as the old formats have them.
whole_seconds () {
	sed "s/[0-9]\{9\}$(printf '\t')/000000000$(printf '\t')/" "$1"
}

# imported NAME [OPTION...]: a new store in the directory NAME, with what comes on standard input.
imported () {
	rm -rf "$1" && dig init -q "$1" && (cd "$1" && shift && dig import -q --tar "$@" -)
}

# What of the state differs from the tree; it has to be nothing.
same_state () {
	(cd "$1" && dig commit -q -m tar && dig ls-root HEAD) >actual && test_cmp expect actual
}

test_expect_success 'pax archives of GNU tar, with sparse files of each version' '
	for version in 0.0 0.1 1.0
	do
		tar -C tree --exclude=.dig --format=pax --sparse-version=$version -S -cf gnu-$version.tar . &&
		imported into <gnu-$version.tar && same_state into || return 1
	done &&
	tar -C tree --exclude=.dig --format=pax -cf plain.tar . && imported into <plain.tar && same_state into
'

test_expect_success 'archives in the format of GNU tar, whose times are whole seconds' '
	tar -C tree --exclude=.dig --format=gnu -S -cf gnu.tar . && imported into <gnu.tar &&
	(cd into && dig commit -q -m tar && dig ls-root HEAD) >list &&
	whole_seconds list >actual && whole_seconds expect >whole && test_cmp whole actual
'

test_expect_success 'archives in the formats ustar and v7' '
	for format in ustar v7
	do
		tar -C tree --format=$format -cf old.tar plain exec link hard a a-b "whole second" &&
		imported into <old.tar && (cd into && dig commit -q -m tar && dig ls-root HEAD) >list &&
		whole_seconds list >actual &&
		whole_seconds expect | grep -E "	(plain|exec|link|hard|a/.*|a-b/.*|whole second)$" >whole &&
		test_cmp whole actual || return 1
	done
'

test_expect_success 'archives of Python, whose times are fractions of limited precision' '
	(cd tree && python3 -c "
import tarfile
keep = lambda member: None if member.name.startswith(\"./.dig\") else member
for name, form in (\"pax\", tarfile.PAX_FORMAT), (\"gnu\", tarfile.GNU_FORMAT):
    with tarfile.open(\"../python-%s.tar\" % name, \"w\", format=form) as archive:
        archive.add(\".\", filter=keep)
") &&
	for format in pax gnu
	do
		imported into <python-$format.tar && (cd into && dig commit -q -m tar && dig ls-root HEAD) >list &&
		awk "{ sub(/ -?[0-9]+\t/, \"\t\"); print }" list >actual &&
		awk "{ sub(/ -?[0-9]+\t/, \"\t\"); print }" expect >timeless && test_cmp timeless actual || return 1
	done
'

test -n "$bsdtar" && test_set_prereq BSDTAR
test_expect_success BSDTAR 'archives of bsdtar' '
	{ "$bsdtar" -C tree --exclude=.dig --format=pax -cf bsd.tar . 2>err || :; } && imported into <bsd.tar && same_state into
'

test_expect_success 'an archive of a state has all of it, and goes in again as the same state' '
	(cd tree && dig export --tar -o ../out.tar && dig export --tar HEAD >../piped.tar) && cmp out.tar piped.tar &&
	cat out.tar | imported into && same_state into &&
	test $(stat -c %s out.tar) -lt 30000000
'

# files DIRECTORY: all that extraction can bring back.
files () {
	(cd "$1" && find . -name .dig -prune -o -type f -printf "%p %m %s %T@\n" -o -type l -printf "%p %l\n" | sort)
}
files tree >files.expect

test_expect_success 'GNU tar extracts it: content, modes, times, links' '
	mkdir gnu && tar -C gnu -xpf out.tar 2>err && files gnu >actual && test_cmp files.expect actual &&
	diff -r --no-dereference -x .dig tree gnu && test $(du -s gnu | cut -f1) -lt 30000
'

test_expect_success BSDTAR 'bsdtar extracts it' '
	mkdir bsd && "$bsdtar" -C bsd -xpf out.tar && files bsd >actual && test_cmp files.expect actual &&
	diff -r --no-dereference -x .dig tree bsd
'

test_expect_success 'Python extracts it' '
	mkdir python && python3 -c "
import tarfile
with tarfile.open(\"out.tar\") as archive:
    archive.extractall(\"python\")
" && diff -r --no-dereference -x .dig tree python
'

test_expect_success 'paths and states can be chosen; a wrong one writes nothing' '
	(cd tree && dig export --tar HEAD a plain | tar tf - >../names &&
		test_expect_code 128 dig export --tar -o ../none.tar HEAD nothing 2>err && grep "nothing. is not in HEAD" err &&
		test_must_fail dig export --tar -o ../none.tar nostate &&
		test_expect_code 129 dig export --tar --full &&
		test_expect_code 129 dig export -o x.tar HEAD) &&
	printf "%s\n" a/b/c/ a/file plain | test_cmp - names && ! test -e none.tar
'

test_expect_success 'where content is damaged there is no archive' '
	cp -r tree hurt && (cd hurt && chmod u+w .dig/layers/*.dig &&
		printf "damage" | dd of="$(ls .dig/layers/*.dig)" bs=1 seek=100000 conv=notrunc status=none &&
		test_expect_code 4 dig export --tar -o ../hurt.tar 2>err) && ! test -e hurt.tar
'

test_expect_success '--path, and the current directory, say where members go' '
	dig init -q place && mkdir place/sub &&
	(cd place && dig import -q --tar --path=below/it ../gnu-1.0.tar && cd sub && dig import -q --tar - <../../old.tar &&
		dig ls-index | cut -f2 >../../names) &&
	grep -x "below/it/a/file" names && grep -x sub/plain names && ! grep -x plain names
'

test_expect_success 'the same archive again changes nothing' '
	imported into <gnu-1.0.tar && (cd into && dig commit -q -m one && dig import -q --tar ../gnu-1.0.tar &&
		test_expect_code 1 dig commit -q -m two)
'

test_expect_success 'a link has the content that its name has just then; the last member of a name stays' '
	imported into <hostile/linkorder.tar && (cd into && dig commit -q -m x && dig cat HEAD:l >../actual && dig cat HEAD:a >>../actual) &&
	printf onetwo | test_cmp - actual &&
	imported into <hostile/linkover.tar && (cd into && dig commit -q -m x && dig cat HEAD:l >../actual) &&
	printf three | test_cmp - actual
'

test_expect_success 'a directory has an entry if nothing is below it in the end' '
	imported into <hostile/dirafter.tar && (cd into && dig ls-index | cut -f2) >names &&
	printf "%s\n" d/f e-x e/g | test_cmp - names
'

test_expect_success 'an import of a large and of many files stays within memory' '
	mkdir much && (cd much && seeded 80M 5 >big && python3 "$helper/tar-tree.py" tree 3000) &&
	tar --format=pax -cf much.tar much && dig init -q into2 &&
	(cd into2 && within-memory dig update-index --add --stdin-tar <../much.tar && dig commit -q -m x &&
		within-memory dig -c performance.max_worker_threads=64 update-index --add --stdin-tar --path=again <../much.tar &&
		dig reset -q &&
		within-memory dig tar-root HEAD >../much-again.tar) &&
	tar xf much-again.tar --one-top-level=again 2>err && diff -r --no-dereference much again/much
'

# refuses STATUS NAME TEXT: the archive ends so, with this text, and the member before the damage is staged.
refuses () {
	rm -rf into && dig init -q into && (cd into && test_expect_code $1 dig import -q --tar - <../hostile/$2.tar 2>../err &&
		dig ls-index | cut -f2 >../names) && cat err && grep "$3" err && grep -x good names
}

test_expect_success 'names that lead elsewhere are told of and not staged' '
	refuses 3 dotdot "/../b. is not staged: it has a component" && ! grep -v good names &&
	refuses 3 dig "a/.DIG/x. is not staged: .*names a store" && ! grep -v good names &&
	refuses 0 absolute "in front of ./etc/passwd., and of others, is left away" && grep -x etc/passwd names &&
	refuses 3 symlinkpath "l. is not staged: what came later needs the place" && grep -x l/evil names &&
	refuses 3 fileabove "a. is not staged: what came later needs the place" && grep -x a/b names &&
	refuses 3 badlink "h. is not staged: it is a hard link to .nowhere., which" && ! grep -v good names
'

test_expect_success 'devices are skipped, and what is not known is not staged' '
	refuses 0 devices "p. is skipped: it is a FIFO" && ! grep -v good names &&
	refuses 3 star "in the format of star or Solaris" && ! grep -v good names &&
	refuses 3 unknown "of the type .Q., which this dig does not know"
'

test_expect_success 'damaged archives end with 4; what came before is staged, and nothing torn' '
	refuses 4 negsize "is no number of bytes" &&
	refuses 4 hugesize "the size of a member is too large" &&
	refuses 4 hugesize2 "no number of bytes" &&
	refuses 4 badsum "the checksum of a header is wrong" &&
	refuses 4 truncdata "the archive ends too early" && ! grep -x t names &&
	refuses 4 truncbig "ends inside .t." && ! grep -x t names &&
	refuses 4 trunchdr "without its end mark" &&
	refuses 4 noend "without its end mark" && grep -x b names &&
	refuses 4 paxbad "not made of records" &&
	refuses 4 paxbomb "an extended header has 900000000 bytes" &&
	refuses 4 overlap "pieces that overlap" &&
	refuses 4 beyond "beyond its end" &&
	refuses 4 sparsesum "has other bytes than its content" &&
	test_expect_code 4 imported into <hostile/empty.tar && test_expect_code 4 imported into <hostile/text.tar &&
	test_expect_code 128 imported into <hostile/gz.tar 2>err && grep "compressed by gzip" err
'

test_expect_success 'what was staged before stays when an archive is damaged' '
	dig init -q before && (cd before && echo mine >mine && dig add -q mine &&
		test_expect_code 4 dig import -q --tar ../hostile/badsum.tar && dig commit -q -m x && dig cat HEAD:mine >../actual) &&
	echo mine | test_cmp - actual
'

test_expect_success 'maps of any length and holes of any size take bounded memory' '
	for name in bomb hugehole
	do
		dig init -q $name && (cd $name &&
			within-memory dig update-index --add --stdin-tar <../hostile/$name.tar) || return 1
	done &&
	(cd hugehole && dig commit -q -m x && dig cat --range=2305843009213693952-2305843009213693955 HEAD:hugehole) >actual &&
	printf data | test_cmp - actual
'

test_expect_success 'dig show shows a layer file that stands alone, as ls, cat and check do' '
	dig init -q shown && (cd shown && echo 1 >one && dig add -q one && dig commit -q -m first && echo 2 >two &&
		dig add -q two && dig commit -q -m second && dig export -q ../both.dig && dig export -q --full ../full.dig &&
		dig show | sed 1d >../expect.show) &&
	dig show both.dig >actual && grep -x "@2" actual && grep -x "    second" actual && grep -x "A	two" actual &&
	dig show full.dig >actual && grep "^@2 [0-9a-f]" actual && tail -n 1 actual | grep "state before is not in the file" &&
	dig ls both.dig >actual && printf "%s\n" one two | test_cmp - actual && dig cat both.dig:two | grep -x 2 &&
	dig check both.dig && test_expect_code 129 dig show both.dig:two
'

test_done
