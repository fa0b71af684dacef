#!/bin/sh

test_description='rules that the files of the tree keep'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'each script that is run has its run bit, and what is sourced has none' '
	cd "$TEST_DIRECTORY" &&
	for file in *.sh
	do
		case $file in
		*-lib.sh) test ! -x "$file" ;;
		*.sh) test -x "$file" ;;
		esac || echo "$file"
	done >"$TRASH/actual" &&
	test_cmp /dev/null "$TRASH/actual"
'

test_expect_success 'a script runs as t/README says' '
	(cd "$TEST_DIRECTORY" && ./t1000-hash-object.sh) >actual 2>&1 && tail -n 1 actual | grep "^1\.\."
'

# all_sources: the C++ of this tree, from its top.
all_sources () {
	ls libdig/*/*.cpp libdig/*/*.h plumbing/*.cpp porcelain/*.cpp t/unit/*.cpp t/helper/*.cpp
}

# Of the first block of includes in each file: an angle bracket that stands behind a quotation mark
# which is not that of the own header, or of what a unit test is about.
disordered='
FNR == 1 { own = FILENAME; sub(/\.cpp$/, ".h", own); is_block = is_first = 1; has_ours = 0 }
/^[^#\/]/ { is_block = 0 }
!is_block { next }
/^#include </ && has_ours { print FILENAME ":" FNR ": " $2 }
/^#include "/ {
	if ($2 != "\"" own "\"" && !(is_first && FILENAME ~ /^t\/unit\//))
		has_ours = 1
	is_first = 0
}'

test_expect_success 'includes are in order: the own header, the standard library and others, libdig' '
	printf "%s\n" "#include \"a.h\"" "#include <map>" "#include \"b.h\"" "#include <set>" "int i;" "#include <list>" >a.cpp &&
	awk "$disordered" a.cpp >actual && echo "a.cpp:4: <set>" | test_cmp - actual &&
	cd "$TEST_DIRECTORY/.." && awk "$disordered" $(all_sources) >"$TRASH/actual" && test_cmp /dev/null "$TRASH/actual"
'

# The headers of one compiler bring some of these by chance, and those of the next do not.
algorithms='copy_n|copy_if|copy_backward|sort|stable_sort|partial_sort|nth_element|(min|max|minmax)_element|(any|all|none)_of|count|count_if|find|find_if|find_if_not|search|remove|remove_if|replace|reverse|unique|clamp|rotate|transform|is_sorted|merge|generate|for_each|shuffle|partition|partition_point|binary_search|equal_range|ranges::[a-z_]+'
without_algorithms () {
	grep -lE "std::($algorithms)\(" "$@" | while read -r file
	do
		grep -qs "#include <algorithm>" "$file" "${file%.cpp}.h" || echo "$file"
	done
}

test_expect_success 'what uses an algorithm includes their header' '
	echo "auto a = std::find_if(b);" >bad.cpp && echo "#include <algorithm>" | cat - bad.cpp >good.cpp && echo "std::find_first a;" >none.cpp &&
	without_algorithms *.cpp >actual && echo bad.cpp | test_cmp - actual &&
	cd "$TEST_DIRECTORY/.." && without_algorithms $(all_sources) t/fuzz/*.cpp >"$TRASH/actual" && test_cmp /dev/null "$TRASH/actual"
'

test_expect_success 'no line takes more than 120 columns, tabs being four' '
	cd "$TEST_DIRECTORY/.." &&
	awk "{ gsub(/\t/, \"    \"); gsub(/[\200-\277]/, \"\") } length > 120 { print FILENAME \":\" FNR }" $(all_sources) >"$TRASH/actual" &&
	test_cmp /dev/null "$TRASH/actual"
'

# What ends such a handler is "throw;", or the exception is kept for who waits.
swallowing='
FNR == 1 { left = 0 }
/catch \(\.\.\.\)/ { left = 4; at = FILENAME ":" FNR }
left > 0 && /throw;|current_exception/ { left = 0 }
left > 0 && --left == 0 { print at }'

test_expect_success 'only libdig/tool/command ends what is thrown, whatever it is' '
	printf "%s\n" "} catch (...) {" "	a();" "	throw;" "}" "} catch (...) {" "}" "" "" "" >b.cpp &&
	awk "$swallowing" b.cpp >actual && echo b.cpp:5 | test_cmp - actual &&
	cd "$TEST_DIRECTORY/.." && awk "$swallowing" $(ls libdig/*/*.cpp libdig/*/*.h plumbing/*.cpp porcelain/*.cpp |
		grep -vx libdig/tool/command.cpp) >"$TRASH/actual" && test_cmp /dev/null "$TRASH/actual"
'

if make --version >/dev/null 2>&1
then
	test_set_prereq MAKE
fi

# make TARGET...: of a tree of its own, since make notes the flags in the tree, and those of this one may
# be other ones.
make_alone () {
	make -s --no-print-directory -C "$TEST_DIRECTORY/.." srcdir=. O="$TRASH/tree" "$@"
}

test_expect_success MAKE 'make help tells of every target that has no file' '
	make_alone help >help && grep "^	make check TESTS=" help &&
	sed -n "/^\.PHONY:/,/[^\\]\$/p" "$TEST_DIRECTORY/../Makefile" | tr -d "\\\\" | tr " \t" "\n\n" |
		grep "^[a-z]" | grep -vx -e all -e install-built >targets && test $(wc -l <targets) -gt 10 &&
	while read -r target
	do
		grep -q "^	make .*$target\( \|\$\)" help || echo $target
	done <targets >actual && test_cmp /dev/null actual
'

test_expect_success MAKE 'make check takes some scripts only, by patterns or names' '
	make_alone -n check TESTS="t11* t3400-cat.sh" >actual && grep "prove .* t11[*]\.sh t3400-cat\.sh\$" actual &&
	make_alone -n check >actual && grep "prove .* t\[0-9\][*]\.sh\$" actual
'

# A copy of what the makefile looks at, to be written into.
test_expect_success MAKE,PYTHON 'compile_commands.json has each source, and the command that compiles it' '
	mkdir -p copy/libdig/base copy/plumbing copy/porcelain && cp "$TEST_DIRECTORY/../Makefile" "$TEST_DIRECTORY/../VERSION" copy &&
	(cd copy && touch libdig/base/word.cpp plumbing/some-tool.cpp porcelain/dig.cpp && make -s compile_commands.json &&
		python3 -c "import json; [print(c[\"file\"], \"-std=c++20\" in c[\"command\"]) for c in json.load(open(\"compile_commands.json\"))]") |
		sort >actual &&
	printf "./%s True\n" libdig/base/word.cpp plumbing/some-tool.cpp porcelain/dig.cpp | test_cmp - actual
'

if gcov --version >/dev/null 2>&1 && g++ --version >/dev/null 2>&1
then
	test_set_prereq GCOV
fi

test_expect_success GCOV 'the table of coverage counts a line once, whatever has it' '
	mkdir -p covered/libdig/base covered/plumbing covered/porcelain covered/tree/libdig/base covered/tree/plumbing && cd covered &&
	printf "inline int sign(int n)\n{\n\tif (n < 0)\n\t\treturn -1;\n\treturn 1;\n}\nint both(int n);\n" >libdig/base/word.h &&
	printf "#include \"libdig/base/word.h\"\nint both(int n)\n{\n\treturn sign(-n);\n}\n" >libdig/base/word.cpp &&
	printf "#include \"libdig/base/word.h\"\nint main()\n{\n\tif (both(1) > 5)\n\t\treturn 2;\n\treturn sign(1) - 1;\n}\n" >plumbing/tool.cpp &&
	for file in libdig/base/word plumbing/tool
	do
		g++ --coverage -O0 -I. -c -o tree/$file.o $file.cpp || return 1
	done &&
	printf "int never(int n)\n{\n\treturn n;\n}\n" >porcelain/never.cpp && mkdir tree/porcelain &&
	g++ --coverage -O0 -c -o tree/porcelain/never.o porcelain/never.cpp &&
	g++ --coverage -o tool tree/libdig/base/word.o tree/plumbing/tool.o &&
	GCOV_PREFIX=$PWD/tree/counts/one ./tool && GCOV_PREFIX= ./tool &&
	GCOV=gcov sh "$TEST_DIRECTORY/coverage-table.sh" tree >../table && cd .. &&
	sed "s/  */ /g" table >actual &&
	printf "%s\n" " run lines of module" " 100.0 % 6 6 libdig/base/word" " 75.0 % 3 4 plumbing/tool" \
		" 0.0 % 0 2 porcelain/never" " 75.0 % 9 12 all of it" |
		test_cmp - actual
'

# Linked with the flags of the makefile.
test_expect_success GCOV,MAKE 'what a process has run before a signal, exec or _exit ends it is counted' '
	make_alone -p -n help COVERAGE=yes >database && sed -n "s/^counting := //p" database >flags &&
	grep -e --coverage flags && mkdir ended && cd ended &&
	printf "%s\n" "#include <csignal>" "#include <unistd.h>" "int main(int n, char **words)" "{" \
		"	if (n == 2)" "		raise(SIGKILL);" "	if (n == 3)" "		execvp(words[1], words + 1);" "	_exit(0);" "}" >end.cpp &&
	g++ -std=c++20 --coverage -c end.cpp && g++ -c "$TEST_DIRECTORY/coverage/ends.cpp" &&
	g++ -o end end.o ends.o $(cat ../flags) &&
	GCOV_PREFIX= ./end && gcov -t end.o >counts && grep "1: *9:" counts && grep "#: *[68]:" counts &&
	test_expect_code 137 env GCOV_PREFIX= ./end now && gcov -t end.o >counts && grep "1: *6:" counts &&
	GCOV_PREFIX= ./end echo ran >actual && grep ran actual && gcov -t end.o >counts && grep "1: *8:" counts
'

test_done
