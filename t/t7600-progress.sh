#!/bin/sh

test_description='long work shows how far it is, to people and to programs'

. "$(dirname "$0")/test-lib.sh"

# on_terminal NAME TERM COMMAND: what a terminal of 60 columns gets, as drawn, goes to NAME.
on_terminal () {
	TERM=$2 script -qefc "stty cols 60; $3" "$1" </dev/null >/dev/null 2>&1
}
escape=$(printf '\033')

# Each line must have these, in this order; strings, numbers and null are all that there is.
number='-*[0-9][0-9.]*'
count='[0-9][0-9]*'
value="\($number\|null\)"
progress_line='^{"schema":1,"type":"progress","stage":"[a-z]*","files":'$count',"bytes":'$count',"chunks":'$count'.*,"percent":'$value'.*,"eta_s":'$value',"bytes_per_s":'$number'.*,"elapsed_s":'$number'}$'
done_line='^{"schema":1,"type":"done","stage":"[a-z]*",.*,"status":'

ends_with_done () {
	grep "$progress_line" "$1" >/dev/null && tail -n 1 "$1" | grep "$done_line$2}\$"
}

# The value of a field, a line each.
field () {
	sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"
}

dig init >/dev/null && mkdir files && seeded 300000 1 >files/large &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		seeded 2000 $i >files/small$i || exit 1
	done || exit 1

# What takes its time runs from here on, each in a store of its own.
new_store () {
	dig init "$1" >/dev/null && cd "$1"
}
if on_terminal typescript xterm true
then
	test_set_prereq TERMINAL
	(new_store lasting && on_terminal ../lasting.screen xterm \
		"(seeded 70000 5; sleep 0.9) | dig add --stdin --path=x; echo over") &
	(new_store never && on_terminal ../never.screen xterm \
		"(echo x; sleep 0.7) | dig add --stdin --path=x --progress=never; echo over") &
	(new_store wide && on_terminal ../wide.screen xterm \
		"(seeded 700000 5; sleep 0.4) | dig add --stdin --path=x --progress; echo over") &
	(new_store messages && echo a >a && mkfifo fifo && on_terminal ../messages.screen xterm \
		"(echo a; sleep 0.3; echo fifo; sleep 0.3) |
			dig-update-index --add --progress --stdin-paths") &
	(new_store dumb && on_terminal ../dumb.screen dumb \
		"(seeded 70000 6; sleep 0.9) | dig add --stdin --path=x; echo over") &
fi
(new_store silent && { echo x; sleep 0.7; } | dig add --stdin --path=x 2>../silent.err) &
(new_store listed && { seeded 9000 7 >a && echo a; sleep 1.1; seeded 9000 8 >b && echo b; } |
	dig-update-index --add --progress=json --stdin-paths 2>../listed.err) &
(new_store slow && for i in 1 2 3 4 5 6
	do
		seeded 100000 $i
		sleep 0.3
	done | dig add --stdin --path=x --progress=json 2>../slow.err) &
wait

test_expect_success 'a slow pipe has a line at least once a second, and bytes that grow' '
	ends_with_done slow.err 0 &&
	grep "$progress_line" slow.err | field elapsed_s >times &&
	awk "NR > 1 && \$1 - last > 1 { bad = 1 } { last = \$1 } END { exit bad || NR < 4 || last < 1.5 }" times &&
	grep "\"stage\":\"take\"" slow.err | field bytes >bytes &&
	sort -n bytes | test_cmp bytes - &&
	test $(sort -u bytes | wc -l) -ge 3 &&
	tail -n 1 slow.err | grep "\"files\":1,\"bytes\":600000,\"chunks\":"
'

test_expect_success PYTHON 'every line is JSON' '
	python3 -c "import json, sys; [json.loads(line) for line in sys.stdin]" <slow.err
'

test_expect_success 'each command that may last begins, goes through its stages, and ends' '
	dig add -A files --progress=json 2>add.err && ends_with_done add.err 0 &&
	dig commit -m first --progress=json 2>commit.err >out && ends_with_done commit.err 0 &&
	dig get --progress=json /files/large 2>get.err >out && ends_with_done get.err 0 &&
	cmp out files/large &&
	dig extract --progress=json copy 2>extract.err && ends_with_done extract.err 0 &&
	cmp copy/files/large files/large &&
	dig check --progress=json 2>check.err >out && ends_with_done check.err 0 &&
	grep "\"stage\":\"take\"" add.err && grep "\"stage\":\"finish\"" add.err &&
	grep "\"stage\":\"manifest\"" commit.err && grep "\"stage\":\"publish\"" commit.err &&
	grep "\"stage\":\"read\".*\"total_bytes\":300000," get.err &&
	grep "\"stage\":\"write\".*\"total_files\":10,\"total_bytes\":318000," extract.err &&
	grep "\"stage\":\"check\".*\"percent\":0.000" check.err
'

test_expect_success 'there is no percentage while nobody knows how much there is' '
	grep "\"stage\":\"take\".*\"total_bytes\":null" listed.err | field percent | sort -u >percent &&
	echo null | test_cmp - percent &&
	grep "\"stage\":\"finish\".*\"percent\":95.000" listed.err &&
	ends_with_done listed.err 0
'

test_expect_success 'with JSON, what is said is JSON, and the last line has the exit status' '
	echo more >files/c &&
	printf "files/c\nnowhere\n" |
		test_expect_code 3 dig-update-index --add --progress=json --stdin-paths 2>err &&
	grep "^{\"schema\":1,\"type\":\"error\",\"command\":\"dig-update-index\",\"message\":\"cannot open .nowhere.: No such" err &&
	grep "\"text\":\"dig-update-index: cannot open .nowhere.: No such" err &&
	ends_with_done err 3 &&
	test_expect_code 128 dig get --progress=json /nowhere 2>err &&
	tail -n 1 err | grep "$done_line"128
'

test_expect_success 'what is no terminal sees no progress, unless it is asked for' '
	grep "^1 file, 2 bytes, 2 bytes new, 2 bytes stored, [0-9.]* s$" silent.err && test $(wc -l <silent.err) = 1 &&
	dig check -q --progress=auto 2>err && test_cmp /dev/null err &&
	dig check -q --progress=never 2>err && test_cmp /dev/null err &&
	dig check -q --progress 2>err &&
	grep "^0 %, 0:00, check: 0 bytes of [0-9.]* KiB$" err &&
	tail -n 1 err | grep "^95 %, 0:00.*, finish: "
'

test_expect_success 'another word is a mistake' '
	test_expect_code 129 dig check --progress=sometimes 2>err &&
	grep "progress takes auto, always, never or json, not .sometimes." err &&
	test_expect_code 129 dig add -A --progress=sometimes 2>err &&
	test_expect_code 129 dig extract --progress=sometimes new 2>err &&
	test_must_fail test -e new
'

test_expect_success TERMINAL 'short work draws nothing on a terminal' '
	on_terminal screen xterm "dig check -q; echo over" &&
	! grep "$escape" screen &&
	grep "^over" screen
'

test_expect_success TERMINAL 'work that lasts draws two lines, and takes them away' '
	grep "take: 68.4 KiB, .*$escape\[K$escape\[J.$escape\[A" lasting.screen &&
	grep "$escape\[J1 file, 68.4 KiB, " lasting.screen && grep "^over" lasting.screen
'

test_expect_success TERMINAL 'never is never' '
	grep "^over" never.screen &&
	! grep "$escape" never.screen
'

test_expect_success TERMINAL 'no line is wider than the terminal' '
	tr "\r" "\n" <wide.screen | sed "s/$escape\[[A-Z]//g; /^Script /d" >lines &&
	grep "take: 684 KiB" lines &&
	! grep -E ".{60}" lines
'

test_expect_success TERMINAL 'messages are not mixed with what is drawn' '
	grep "$escape\[Jdig-update-index: warning: .fifo. is skipped: [a-z ,]*.\$" messages.screen &&
	tr "\r" "\n" <messages.screen | grep "take" >drawn &&
	test $(wc -l <drawn) -ge 3
'

test_expect_success TERMINAL 'a terminal that can do nothing gets one line, blanked at the end' '
	! grep "$escape" dumb.screen &&
	tr "\r" "\n" <dumb.screen >lines &&
	grep "^0:01, take: 68.4 KiB" lines &&
	grep -A1 "^ *$" lines | grep "^1 file, 68.4 KiB, " && grep "^over" lines
'

# all_json FILE: each line of it is one object that says what it is.
all_json () {
	test -s "$1" && ! grep -v "^{\"schema\":1,\"type\":\"[a-z]*\",.*}$" "$1"
}

test_expect_success 'with JSON, errors of the command line, of the store and of other tools are JSON, too' '
	test_expect_code 129 dig add --progress=json 2>err && all_json err &&
	grep "\"type\":\"error\",\"command\":\"dig add\",\"message\":\"no path given.*\"status\":129}" err &&
	test_expect_code 129 dig-verify-store --progress=json --no-such 2>err && all_json err &&
	test_expect_code 128 dig add --progress=json /etc 2>err && all_json err &&
	grep -c "\"type\":\"error\"" err >count && echo 1 | test_cmp - count &&
	test_expect_code 10 dig -C / check --progress=json 2>err && all_json err &&
	mkfifo fifo && test_when_finished "rm -f fifo" && dig add --progress=json fifo 2>err && all_json err &&
	grep "\"type\":\"warning\".*fifo" err &&
	grep "\"type\":\"summary\",\"command\":\"dig add\",\"message\":\"0 files, " err &&
	dig reset -q && test_expect_code 1 dig commit --progress=json -m none 2>err && all_json err &&
	grep "\"message\":\"nothing is staged\",\"text\":\"dig commit: nothing is staged\",\"status\":1}" err
'

test_expect_success 'a program of the user does not speak in the name of dig' '
	dig add --progress=json --from-command --path=x -- \
		sh -c "echo \"[\$DIG_NAME\$DIG_MESSAGES]\" >seen; echo text" 2>err && all_json err &&
	echo "[]" | test_cmp - seen
'

test_expect_success 'with --progress=json a command line that is wrong is told in an object, too' '
	for command in "frobnicate" "add --nope" "add"
	do
		test_expect_code 129 dig $command --progress=json 2>err && test $(wc -l <err) = 1 &&
		grep "^{.*\"type\":\"error\".*\"status\":129}$" err || return 1
	done
'

test_done
