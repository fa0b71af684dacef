#!/bin/sh

test_description='dig-check-ignore, and .digignore as git understands .gitignore'

. "$(dirname "$0")/test-lib.sh"

if git --version >/dev/null 2>&1
then
	test_set_prereq GIT
fi

test_expect_success 'a work tree with rules' '
	dig-init-store &&
	mkdir -p a/b build/sub doc &&
	printf "%s\n" "# objects" "*.o" "!keep.o" "build/" "" "/doc/*.html" >.digignore &&
	printf "%s\n" "keep.o" "!x.o" >a/.digignore &&
	>a/x.o && >build/sub/file && >plain
'

test_expect_success 'ignored paths are printed as they were given' '
	dig-check-ignore m.o keep.o a/x.o ./a//y.o build/sub/file doc/a.html plain >actual &&
	printf "%s\n" m.o ./a//y.o build/sub/file doc/a.html >expect &&
	test_cmp expect actual
'

test_expect_success '-v names the rule, also one that takes back' '
	dig-check-ignore -v m.o keep.o a/keep.o a/x.o a/b/y.o build/sub/file plain >actual &&
	tr "@" "\t" >expect <<-\EOF &&
	.digignore:2:*.o@m.o
	.digignore:3:!keep.o@keep.o
	a/.digignore:1:keep.o@a/keep.o
	a/.digignore:2:!x.o@a/x.o
	.digignore:2:*.o@a/b/y.o
	.digignore:4:build/@build/sub/file
	EOF
	test_cmp expect actual
'

test_expect_success '-v -n prints paths without a rule, too' '
	dig-check-ignore -v -n m.o plain >actual &&
	printf ".digignore:2:*.o\tm.o\n::\tplain\n" >expect &&
	test_cmp expect actual
'

test_expect_success '-z makes a record of each field' '
	printf "m.o\0plain\0" | dig-check-ignore -vnz --stdin >actual &&
	printf ".digignore\0002\0*.o\0m.o\0\0\0\0plain\0" >expect &&
	cmp expect actual &&
	dig-check-ignore -z m.o plain >actual &&
	printf "m.o\0" >expect &&
	cmp expect actual
'

test_expect_success 'the exit status is 1 if nothing is ignored' '
	test_expect_code 1 dig-check-ignore plain >actual &&
	test_cmp /dev/null actual &&
	test_expect_code 1 dig-check-ignore -v keep.o a/x.o >actual &&
	test_expect_code 1 dig-check-ignore --stdin </dev/null
'

test_expect_success '-q prints nothing' '
	dig-check-ignore -q m.o plain >actual &&
	test_cmp /dev/null actual &&
	test_expect_code 1 dig-check-ignore -q plain
'

test_expect_success 'a path that is not there is a directory only with a slash at its end' '
	test_expect_code 1 dig-check-ignore a/build &&
	dig-check-ignore a/build/ a/build/x >actual &&
	printf "%s\n" a/build/ a/build/x >expect &&
	test_cmp expect actual
'

test_expect_success 'paths are relative to the current directory, files to the work tree' '
	(cd a/b && dig-check-ignore -v ../keep.o ../../build/sub >"$TRASH/actual") &&
	printf "a/.digignore:1:keep.o\t../keep.o\n.digignore:4:build/\t../../build/sub\n" >expect &&
	test_cmp expect actual
'

test_expect_success 'the work tree itself is not ignored' '
	mkdir all && printf "*\n" >all/.digignore &&
	test_expect_code 1 dig-check-ignore . &&
	test_expect_code 1 dig-check-ignore all all/ &&
	dig-check-ignore all/.digignore
'

test_expect_success 'in lines, unusual paths are quoted as in C' '
	dig-check-ignore "a b.o" "a\"b.o" "a	b.o" >actual &&
	printf "%s\n" "a b.o" "\"a\\\"b.o\"" "\"a\\tb.o\"" >expect &&
	test_cmp expect actual &&
	dig-check-ignore --stdin <expect >actual &&
	test_cmp expect actual
'

test_expect_success 'a reply does not wait for the end of the questions' '
	mkfifo questions replies &&
	{ dig-check-ignore --stdin <questions >replies & } &&
	exec 5>questions 6<replies &&
	echo m.o >&5 && read -r reply <&6 && test "$reply" = m.o &&
	echo n.o >&5 && read -r reply <&6 && test "$reply" = n.o &&
	exec 5>&- 6<&- && wait
'

test_expect_success 'paths elsewhere and below a symbolic link are refused' '
	ln -s a link &&
	test_expect_code 128 dig-check-ignore ../x 2>err &&
	test_expect_code 128 dig-check-ignore link/x 2>err &&
	grep "symbolic link" err &&
	test_expect_code 1 dig-check-ignore link
'

test_expect_success 'a link named .digignore is not followed' '
	mkdir linked && printf "x\n" >rules && ln -s ../rules linked/.digignore &&
	test_expect_code 1 dig-check-ignore linked/x 2>err &&
	grep "linked/.digignore.*symbolic link" err
'

test_expect_success 'rules that cannot be read are a failure, not an answer' '
	mkdir secret && printf "x\n" >secret/.digignore && chmod 0 secret/.digignore &&
	test_expect_code 128 without_override dig-check-ignore secret/x 2>err &&
	grep "secret/.digignore.: Permission denied" err
'

if test -x "$DIG_BUILD/dig" && test -x "$DIG_BUILD/dig-add"
then
	test_set_prereq ADD
fi

test_expect_success ADD 'what is in the staging area is not ignored' '
	mkdir spared && >spared/s.o && dig add -f spared/s.o &&
	printf "spared/\n" >>.digignore &&
	test_expect_code 1 dig-check-ignore -v -n spared/s.o spared spared/ >actual &&
	printf "::\t%s\n" spared/s.o spared spared/ >expect &&
	test_cmp expect actual &&
	dig-check-ignore spared/other.o &&
	dig-check-ignore --no-index -v spared/s.o spared >actual &&
	printf ".digignore:7:spared/\t%s\n" spared/s.o spared >expect &&
	test_cmp expect actual
'

test_expect_success 'options that do not go together are refused' '
	test_expect_code 129 dig-check-ignore &&
	test_expect_code 129 dig-check-ignore --stdin x &&
	test_expect_code 129 dig-check-ignore -q -v x &&
	test_expect_code 129 dig-check-ignore -n x
'

test_expect_success 'without a store there is no answer' '
	test_expect_code 10 env DIG_DIR="$TRASH/nowhere" dig-check-ignore x
'

# Trees with the same random rules under both names, and paths to ask about.  Three kinds: nested
# files with rules disguised from paths that are there; one wildcard and deep paths; one bracket
# expression and each byte.
cat >generate.py <<'EOF'
import os
import random
import re
import sys

chance = random.Random(int(sys.argv[1]))
scale = int(sys.argv[2])
# An older git takes "a**/b" for "a" and "**/b"; such rules get one star, which all read alike.
is_older_git = sys.argv[3] == "older"

NAMES = [b"a", b"b", b"ab", b"ba", b"aab", b"a.c", b"b.c", b"a b", b".x", b"*", b"[", b"]", b"\\",
    b"!", b"#", b" ", b"a ", b" a", b"#a", b"!a", b"a*", b"**", b"[a]", b"a\\b", b"^", b"-", b"?",
    b"\xc3\xa9", b"\xff", b"A", b"0", b"a\r", b"a\tb", b"\xef\xbb\xbfa", b"a\n"]
CLASSES = [b"[:%s:]" % name for name in (b"alnum alpha blank cntrl digit graph lower print punct "
    b"space upper xdigit nothing").split()] + [b"[::]"]
ITEMS = CLASSES + [b"a", b"z", b"m", b"-", b"-", b"-", b"]", b"[", b"[:", b":]", b"\\", b"\\]",
    b"\\-", b"!", b"^", b":", b"/", b"0", b"9", b"\x80", b"\xff", b"\\\\"]
BRACKETS = [b"[ab]", b"[!a]", b"[^b]", b"[a-c]", b"[]a]", b"[\\a-c]", b"[a", b"[", b"[a/b]",
    b"[!/]"]
WILD = [b"a", b"a", b"b", b"/", b"/", b"*", b"**", b"**/", b"/**/", b"/**", b"?", b"[ab]", b"[!a]",
    b"\\/", b"***/", b"**\\/", b"\\a", b"\\*", b"[^/]"]
SOUP = WILD + [b"c", b".", b"[", b"]", b"\\", b"!", b"#", b" ", b"-", b"\\ "]
LINES = [b"", b"# comment", b"#a", b" ", b"!", b"/", b"//", b"\\", b"**", b"/**", b"**/", b"*",
    b"\0a", b"a\0b", b"!!a", b"\\!a", b"\\#a", b"/*", b"!*/", b"*.c"]
TAILS = [b" ", b"  ", b"\\ ", b"\\  ", b" \\ ", b"\t", b" \r", b"\r\r", b"\\"]


def some(items, most):
    return b"".join(chance.choice(items) for _ in range(chance.randrange(1, most)))


def escaped(name):
    return b"".join(b"\\" + bytes([c]) if c in b"*?[\\" or chance.random() < 0.05 else bytes([c])
        for c in name)


def disguised_name(name):
    kind = chance.random()
    if kind < 0.4:
        return escaped(name) if kind < 0.35 else name
    if kind < 0.5:
        return chance.choice([b"*", b"?", b"**", b"?*", b"*?", b"***"])
    cut = chance.randrange(len(name) + 1)
    if kind < 0.7:
        return b"*" + escaped(name[cut:]) if kind < 0.6 else escaped(name[:cut]) + b"*"
    return b"".join(chance.choice([escaped(bytes([c])), escaped(bytes([c])), b"?", b"*",
        chance.choice(BRACKETS), b"[" + bytes([c]) + b"x]"]) for c in name)


def disguised(path):
    parts = [disguised_name(part) for part in path.split(b"/")]
    while len(parts) > 1 and chance.random() < 0.3:
        first = chance.randrange(len(parts))
        parts[first:first + chance.randrange(3)] = [chance.choice([b"**", b"**", b"*", b"***"])]
    return b"/".join(parts).replace(b"\n", b"")


def rule(paths):
    if chance.random() < 0.05:
        return chance.choice(LINES)
    if chance.random() < 0.2:
        text = some(SOUP, 6)
    else:
        parts = chance.choice(paths).split(b"/")
        text = disguised(b"/".join(parts[chance.choice([0, chance.randrange(len(parts))]):]))
    text = chance.choice([b"", b"", b"", b"/"]) + text + chance.choice([b"", b"", b"", b"/"])
    text = chance.choice([b"", b"", b"", b"!"]) + text
    return text + chance.choice(TAILS) if chance.random() < 0.1 else text


def write(directory, content):
    if is_older_git:
        content = re.sub(rb"([^/*\n])\*\*+", rb"\1*", content)
    for name in b".gitignore", b".digignore":
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)


def write_rules(directory, paths):
    end = chance.choice([b"\n"] * 5 + [b"\r\n"])
    content = end.join(rule(paths) for _ in range(chance.choice([1, 2, 3, 5, 8])))
    mark = b"\xef\xbb\xbf" if chance.random() < 0.05 else b""
    write(directory, mark + content + chance.choice([end, end, b""]))


def ask(*parts):
    sys.stdout.buffer.write(b"/".join(parts) + b"\0")


def make_tree(top):
    paths, directories = [], [b""]
    for directory in directories:
        os.mkdir(os.path.join(top, directory))
        for name in chance.sample(NAMES, chance.randrange(2, 5)):
            paths.append(os.path.join(directory, name))
            if directory.count(b"/") < 2 and chance.random() < 0.5:
                directories.append(paths[-1])
            else:
                open(os.path.join(top, paths[-1]), "wb").close()
    for directory in directories:
        if not directory or chance.random() < 0.4:
            start = directory and directory + b"/"
            below = [path[len(start):] for path in paths if path.startswith(start)]
            write_rules(os.path.join(top, directory), below)
    return paths


def path_in(paths):
    kind = chance.random()
    if kind < 0.7:
        return chance.choice(paths)
    if kind < 0.85:
        return chance.choice(paths) + b"/" + chance.choice(NAMES)
    return b"/".join(chance.choice(NAMES) for _ in range(chance.randrange(1, 5)))


every = []
for number in range(scale):
    top = b"nested%d" % number
    paths = make_tree(top)
    every += [top + b"/" + path for path in paths]
    asked = sorted(path_in(paths) for _ in range(100))
    if number % 2:
        chance.shuffle(asked)
    for path in asked:
        ask(top, path)
for number in range(scale):
    top = b"wild%d" % number
    os.mkdir(top)
    write(top, some(WILD, 10) + b"\n")
    for _ in range(30):
        ask(top, *[some([b"a", b"a", b"b", b"*"], 4) for _ in range(chance.randrange(1, 7))])
named = [b"[" + negation + name + b"]" for name in CLASSES for negation in (b"", b"!")]
named += [b"[a-m-z]", b"[[:digit:]-z]", b"[--0]", b"[!-~]", b"[m-\\z]", b"[z-a]",
    b"[]-a]", b"[^]-a]"]
for number in range(scale + len(named)):
    top = b"bracket%d" % number
    os.mkdir(top)
    end = chance.choice([b"]", b"]", b"]", b"]]", b""])
    write(top, named[number] if number < len(named) else b"[" + some(ITEMS, 7) + end)
    for c in range(1, 256):
        if c not in b"./" and (number < len(named) or c % 8 == number % 8 or c in b"amz-[]!^\\:"):
            ask(top, bytes([c]))
            if number >= len(named) or c == 0x5d:
                ask(top, bytes([c]) + b"]")
# The rules at the top speak of one tree each, lest they hide all of them.
lines = []
for path in chance.sample(every, scale // 2):
    top, rest = path.split(b"/", 1)
    start = chance.choice([b"", b"", b"/", b"!", b"!/"])
    lines.append(start + top + b"/" + disguised(rest) + b"\n")
write(b".", b"".join(lines))
EOF

# "older" for a git in which two stars behind a name are a number of directories.
age_of_git () {
	git init -q age && echo "a**/b" >age/.gitignore &&
	{ git -C age check-ignore -q --no-index a/x/b && echo older || echo newer; } &&
	rm -rf age
}

# Leaves both answers in compare/.
compare_with_git () {
	mkdir compare && cd compare &&
	git init -q . && dig-init-store &&
	age=$(age_of_git) && python3 ../generate.py "$1" "$2" "$age" >paths &&
	git -c core.excludesFile=/dev/null check-ignore -vnz --no-index --stdin <paths >git.out &&
	dig-check-ignore -vnz --stdin <paths >dig.out &&
	tr "\n\0" "\1\n" <git.out | sed "s/^\(.*\)\.gitignore$/\1.digignore/" >expect &&
	tr "\n\0" "\1\n" <dig.out >actual &&
	echo "seed $1: $(tr -dc "\0" <paths | wc -c) paths" &&
	test_cmp expect actual
}

test_expect_success PYTHON,GIT 'git agrees on over 20,000 random pairs of rule and path (seed 2300)' '
	test_when_finished rm -rf compare &&
	(compare_with_git 2300 60) &&
	test $(tr -dc "\0" <compare/paths | wc -c) -ge 20000
'

test_expect_success LONG,PYTHON,GIT 'git agrees on over 500,000 (seeds 1 to 5)' '
	for seed in 1 2 3 4 5
	do
		(compare_with_git $seed 600) && rm -rf compare || return 1
	done
'

test_expect_success GIT 'lines look as git prints them' '
	test_when_finished rm -rf lines &&
	mkdir lines &&
	(
		cd lines && git init -q . && dig-init-store &&
		mkdir "d d" "e	e" &&
		printf "*.o\n!k.o\n" | tee "d d/.gitignore" "d d/.digignore" \
			"e	e/.gitignore" "e	e/.digignore" >/dev/null &&
		printf "%s\n" "d d/a.o" "d d/k.o" "\"e\\te/a\\\\b\\\"\\001.o\"" "e	e/c" >paths &&
		git -c core.quotePath=false check-ignore -v -n --no-index --stdin <paths >out &&
		sed "s/\.gitignore/.digignore/" out >expect &&
		dig-check-ignore -v -n --stdin <paths >actual &&
		test_cmp expect actual
	)
'

test_done
