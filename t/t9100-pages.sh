#!/bin/sh

test_description='the examples of every page, run as they are printed, against an install in another place'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/session-lib.sh"

source_directory=$TEST_DIRECTORY/..
if ! make --version >/dev/null 2>&1
then
	skip_all='there is no make'
	test_done
fi

# To where no build was told of.
prefix=$TRASH/elsewhere
make -s --no-print-directory -C "$source_directory" srcdir=. O="$DIG_BUILD" prefix="$prefix" DESTDIR= \
	install-built >install.log 2>&1 || {
	cat install.log
	echo 'Bail out! make install-built fails'
	exit 1
}
# The tools themselves are in no directory of PATH.
mkdir helper && cp "$DIG_BUILD/helper/seeded" helper || exit 1
PATH=$prefix/bin:$TRASH/helper:$(echo "$PATH" | sed "s,$DIG_BUILD:,,; s,$DIG_BUILD/helper:,,")

test_expect_success 'dig finds its tools where they were installed' '
	dig --exec-path >actual && echo "$prefix/libexec/dig" | test_cmp - actual &&
	test "$(command -v dig)" = "$prefix/bin/dig" && ! command -v dig-ls-work &&
	dig >actual && grep "^  add " actual && dig help >actual && grep "^  add " actual
'

# What the examples work upon: three states, and changes since.
mkdir example && cd example && dig init >/dev/null && mkdir -p photos/2025 src &&
	seeded 300K 1 >sda.img && seeded --text 20K 2 >photos/2025/shelf.jpg && echo 'first draft' >notes.txt &&
	printf 'int main(void) { return 0; }\n' >src/main.c && dig add -q -A && dig commit -q -m 'as it was delivered' &&
	seeded 4K 3 | dd of=sda.img bs=1K seek=100 conv=notrunc status=none && echo 'second draft' >notes.txt &&
	dig add -q -A && dig commit -q -m 'after the first boot' &&
	seeded --text 30K 4 >photos/2025/lake.jpg && dig add -q -A && dig commit -q -m 'photos of May' &&
	printf '*.o\n*.tmp\nbuild/\n' >.digignore && mkdir build && echo object >build/core.o && echo 'third draft' >notes.txt &&
	cd "$TRASH" || exit 1

# Only the example of dig-add(1) needs it.
gzip <example/sda.img >sda.img.gz

for page in "$source_directory"/Documentation/*.1
do
	name=$(basename "$page" .1)
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" >$name.examples
	literal_blocks <$name.examples >$name
	mkdir $name.work && cp -a example $name.work/work || exit 1
	test $name != dig-add || cp sda.img.gz $name.work/work
	HOME=$TRASH/$name.work run_session $name $name $name.work/work
	test_expect_success "$name(1) has an example, and all of it was run" '
		test $number -ge 1 && ! grep "^\.Dl" $name.examples
	'
done

test_expect_success 'the example of dig-config(5) is a file of settings' '
	cp -a example config && sed -n "/^\.Sh EXAMPLES/,/^\.Ed/p" "$source_directory/Documentation/dig-config.5" |
		literal_blocks >config/.dig/config.toml && cd config &&
	dig config core.author >../actual && echo "Ann Onymous <ann@example.org>" | test_cmp - ../actual &&
	dig config performance.max_worker_threads >../actual && echo 4 | test_cmp - ../actual
'

test_expect_success 'the first example of digignore(5) leaves out what it says' '
	cp -a example ignore && sed -n "/^\.Sh EXAMPLES/,/^\.Ed/p" "$source_directory/Documentation/digignore.5" |
		literal_blocks >ignore/.digignore && cd ignore &&
	printf "%s\n" a.o start.o build src/build >../names &&
	{ dig check-ignore --stdin <../names >../actual || :; } && printf "%s\n" a.o build | test_cmp - ../actual
'

# Without the programs that show pages.
shown_plainly () {
	PATH=/nowhere "$prefix/bin/dig" help "$1"
}

test_expect_success 'dig help finds pages of all sections by their names' '
	for name in add commit digignore layer-format dig-layer-format tutorial glossary dig
	do
		shown_plainly $name >actual && grep -x "DESCRIPTION\|LAYER" actual && ! grep "^\.[A-Z]" actual || { echo $name; return 1; }
	done &&
	shown_plainly digignore >actual && grep "^     digignore - files" actual &&
	test_expect_code 129 dig help commmit 2>err && grep "did you mean .commit" err
'

if mandoc -Tascii "$source_directory/Documentation/dig.1" >/dev/null 2>&1
then
	test_set_prereq MANDOC
fi

# Words alone: lines, bullets and quotation marks may differ.
words () {
	sed "s/.$(printf '\b')//g" | tr -d "\`'" | tr -s ' \t\n*' '\n' | grep -vx -e o -e ''
}

test_expect_success MANDOC 'the plain text of every page has the words of mandoc, in their order' '
	for file in "$source_directory"/Documentation/*.[57] "$source_directory"/Documentation/dig-[a-l]*.1
	do
		name=$(basename "$file") && shown_plainly $name | words >actual &&
		mandoc -Tascii "$file" | sed "1d;\$d" | words >expect && test_cmp expect actual || { echo $name; return 1; }
	done
'

test_expect_success MANDOC 'with mandoc, and without man, mandoc shows the page' '
	mkdir programs && ln -s "$(command -v mandoc)" programs/mandoc &&
	PATH=$TRASH/programs "$prefix/bin/dig" help add >actual && grep "General Commands Manual" actual
'

test_done
