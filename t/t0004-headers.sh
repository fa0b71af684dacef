#!/bin/sh

test_description='each header of the library compiles by itself, without a warning'

. "$(dirname "$0")/test-lib.sh"

compiler=${CXX:-c++}
if ! $compiler --version >/dev/null 2>&1
then
	skip_all="there is no $compiler"
	test_done
fi
export compiler

# X.cpp begins with X.h, so that the build has shown of that header what is to be shown.  Only
# the others, about a fourth of them, need the compiler, which takes half a second for each.
cd "$TEST_DIRECTORY/.." || exit 1
headers=$(ls libdig/*/*.h)
for header in $headers
do
	code=${header%.h}.cpp
	first=$(sed -n 's/^#include //p' "$code" 2>/dev/null | head -n 1)
	test "$first" = "\"$header\"" || echo $header
done >"$TRASH/to-compile"

# Two at a time; what the compiler says of X.h goes to X.h.err, which is not there if it passes.
xargs -P2 -n1 sh -c '
	said=$0/$(basename "$1").err
	echo "#include \"$1\"" | $compiler -std=c++20 -O0 -Wall -Wextra -Werror -I. -fsyntax-only \
		-x c++ - 2>"$said" && rm "$said"' "$TRASH" <"$TRASH/to-compile"
cd "$TRASH" || exit 1

for header in $headers
do
	test_expect_success "$header" '
		{ test ! -e "${header##*/}.err" || { cat "${header##*/}.err"; false; }; }
	'
done

# A header of the library may include any other one, and the next version of it does.  std::quoted
# once took a call of ours that way.
test_expect_success LONG 'no name of ours is found in std instead, whatever is included' '
	cd "$TEST_DIRECTORY/.." &&
	ls libdig/*/*.cpp plumbing/*.cpp porcelain/*.cpp t/helper/*.cpp |
	xargs -P2 -n1 $compiler -std=c++20 -O0 -I. -I"$DIG_BUILD" -DDIG_VERSION=\"\" -DDIG_EXEC_PATH=\"\" \
		-include bits/stdc++.h -fsyntax-only
'

test_done
