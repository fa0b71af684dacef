#!/bin/sh

test_description='dig find lists paths of a state by pattern, size and kind'

. "$(dirname "$0")/test-lib.sh"

dig init w >/dev/null && cd w && mkdir -p src/lib/deep src-old empty docs &&
	for name in src/main.c src/lib/a.c src/lib/deep/b.c src/lib/b.h src-old/main.c docs/main.txt top.c 'star*'
	do
		echo "$name" >"$name" || exit 1
	done
head -c 70000 /dev/zero >src/lib/big.bin && ln -s main.c src/link.c && dig add -q -A && dig commit -q -m one &&
	rm src/lib/a.c && echo more >later.c && dig add -q -A && dig commit -q -m two || exit 1
cd "$TRASH" || exit 1

# finds "PATH..." ARGUMENT...
finds () {
	printf "%s\n" $1 >"$TRASH/expect" && shift && (cd "$TRASH/w" && dig find "$@") >"$TRASH/actual" && test_cmp "$TRASH/expect" "$TRASH/actual"
}

test_expect_success 'a pattern without a slash is for names, one with a slash for paths' '
	finds "later.c src-old/main.c src/lib/deep/b.c src/link.c src/main.c top.c" "*.c" && finds "src-old/main.c src/main.c" main.c &&
	finds "src/link.c src/main.c" "src/*.c" && finds "src/link.c src/main.c" "/src/*.c" && finds "src/lib/deep/b.c src/link.c src/main.c" "src/**/*.c" &&
	finds "src/lib/b.h" "src/lib/[ab].h" && finds "docs/main.txt later.c" "docs/*" "later*" && finds "src-old/main.c" "src-old/main.c" "src-*/*.c"
'

test_expect_success 'directories are found by name, each once' '
	finds "src/" src && finds "src/lib/ src/lib/deep/" "lib" "deep" && finds "empty/" "empty" && finds "docs/ empty/ src-old/ src/ src/lib/ src/lib/deep/" --type=d "*" &&
	finds "src/lib/deep/" "src/lib/d*/" && finds "src/ src/lib/ src/lib/deep/" --type=d "src" "src/**"
'

test_expect_success 'a pattern that is escaped is a name' '
	finds "star*" "star\\*" && finds "star*" "star[*]" && (cd w && dig find -z "star*" >../actual) && printf "star*\\0" | cmp - actual
'

test_expect_success '--size and --type' '
	finds "src/lib/big.bin" --size=+64KB "*" && finds "src/lib/big.bin" --size=70000 "*" && finds "src/link.c" --type=l "*" &&
	finds "later.c" --size=-6 --type=f "*" && test_expect_code 129 dig -C w find --size=big "*" 2>err && grep "is no size" err &&
	test_expect_code 129 dig -C w find --type=x "*" 2>err && test_expect_code 129 dig -C w find 2>err && test_expect_code 129 dig -C w find "" 2>err
'

test_expect_success '--at takes a state, and a directory of it' '
	finds "src/lib/a.c src/lib/deep/b.c" --at=@1:src/lib "*.c" && finds "src/lib/a.c" --at=HEAD~1 a.c && finds "src/lib/deep/b.c" --at=:src/lib "*.c" &&
	finds "src/lib/deep/" --at=:src/lib --type=d "*" && test_expect_code 128 dig -C w find --at=@1:nowhere "*" 2>err && grep "nowhere" err
'

test_expect_success 'nothing found is 1' '
	test_expect_code 1 dig -C w find "*.rs" >out && test_cmp /dev/null out && test_expect_code 1 dig -C w find "nowhere/*" && test_expect_code 1 dig -C w find a.c
'

test_expect_success PYTHON '-l and --json' '
	cd w && dig find -l --human big.bin src >../out && cat ../out && grep "^d---------            - -* src/$" ../out && grep "^-rw-r--r--     68.4 KiB .* src/lib/big.bin$" ../out &&
	dig find --json big.bin link.c lib >../out && python3 -c "
import json, sys
link, lib, big = sorted(map(json.loads, sys.stdin), key=lambda r: (r[\"kind\"] != \"symlink\", r[\"size\"]))
assert link[\"path\"] == \"src/link.c\" and link[\"kind\"] == \"symlink\" and link[\"schema\"] == 1
assert lib[\"kind\"] == \"directory\" and lib[\"file_root\"] is None
assert big[\"size\"] == 70000 and len(big[\"file_root\"]) == 64
" <../out
'

test_expect_success !SANITIZED 'tens of thousands of hits need no more memory than one' '
	dig init many >/dev/null && cd many && seq -f "%08g" 30000 | sed "s,.*,100644 0 &\t&/a-name-that-is-rather-long-so-that-the-paths-take-some-megabytes-together-&," |
		sed "s/^100644 0 [0-9]*/100644 0 $(: | dig hash-object --stdin)/" | dig update-index --index-info && dig commit -q -m many &&
	within-memory dig-find "*" >../out && test $(wc -l <../out) = 60000
'

test_done
