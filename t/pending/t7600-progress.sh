#!/bin/sh

test_description='long work shows how far it is, to people and to programs'

. "$(dirname "$0")/test-lib.sh"

# A terminal of 60 columns for a command: its output, as drawn, goes to "screen".
on_terminal () {
	TERM=${terminal:-xterm} script -qefc "stty cols 60; $1" screen </dev/null >/dev/null
}
escape=$(printf '\033')

if on_terminal true 2>/dev/null
then
	test_set_prereq TERMINAL
fi

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

slow_pipe () {
	for i in 1 2 3 4 5
	do
		seeded 100000 $i
		sleep 0.45
	done
}

test_expect_success 'a slow pipe has a line at least once a second, and bytes that grow' '
	slow_pipe | dig add --stdin --path=slow --progress=json 2>err &&
	ends_with_done err 0 &&
	grep "$progress_line" err | field elapsed_s >times &&
	awk "NR > 1 && \$1 - last > 1 { bad = 1 } { last = \$1 } END { exit bad || NR < 3 || last < 2 }" times &&
	grep "\"stage\":\"take\"" err | field bytes | sort -n | uniq >bytes &&
	test $(wc -l <bytes) -ge 3 &&
	tail -n 1 err | grep "\"files\":1,\"bytes\":500000,\"chunks\":"
'

test_expect_success PYTHON 'every line is JSON' '
	python3 -c "import json, sys; [json.loads(line) for line in sys.stdin]" <err
'

test_expect_success 'each command that may last begins, goes through its stages, and ends' '
	dig add -A --progress=json 2>add.err && ends_with_done add.err 0 &&
	dig commit -m first --progress=json 2>commit.err >out && ends_with_done commit.err 0 &&
	dig get --progress=json /files/large 2>get.err >out && ends_with_done get.err 0 &&
	cmp out files/large &&
	dig extract --progress=json copy 2>extract.err && ends_with_done extract.err 0 &&
	cmp copy/files/large files/large &&
	dig check --progress=json 2>check.err >out && ends_with_done check.err 0 &&
	grep "\"stage\":\"take\"" add.err && grep "\"stage\":\"finish\"" add.err &&
	grep "\"stage\":\"manifest\"" commit.err && grep "\"stage\":\"publish\"" commit.err &&
	grep "\"stage\":\"read\".*\"total_bytes\":300000," get.err &&
	grep "\"stage\":\"write\".*\"total_files\":11,\"total_bytes\":818000," extract.err &&
	grep "\"stage\":\"check\".*\"percent\":0.000" check.err
'

test_expect_success 'there is no percentage while nobody knows how much there is' '
	cd files &&
	{ seeded 9000 77 >a && echo a; sleep 1.1; seeded 9000 78 >b && echo b; } |
		dig-update-index --add --progress=json --stdin-paths 2>../err &&
	cd .. &&
	grep "\"stage\":\"take\"" err | field percent | sort -u >percent &&
	echo null | test_cmp - percent &&
	grep "\"stage\":\"finish\".*\"percent\":95.000" err
'

test_expect_success 'with JSON, what is said is JSON, and the last line has the exit status' '
	echo more >files/c &&
	printf "files/c\nnowhere\n" |
		test_expect_code 3 dig-update-index --add --progress=json --stdin-paths 2>err &&
	grep "^{\"schema\":1,\"type\":\"message\",\"text\":\"dig-update-index: cannot open .nowhere.: No such" err &&
	ends_with_done err 3 &&
	test_expect_code 128 dig get --progress=json /nowhere 2>err &&
	tail -n 1 err | grep "$done_line"128
'

test_expect_success 'what is no terminal sees nothing, unless it is asked for' '
	{ echo x; sleep 0.7; } | dig add --stdin --path=quiet 2>err &&
	test_cmp /dev/null err &&
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
	on_terminal "dig check -q; echo over" &&
	! grep "$escape" screen &&
	grep "^over" screen
'

test_expect_success TERMINAL 'work that lasts draws two lines, and takes them away' '
	on_terminal "(seeded 70000 5; sleep 0.9) | dig add --stdin --path=drawn; echo over" &&
	grep "take: 68.4 KiB" screen &&
	grep "^$escape\[A\|$escape\[J.$escape\[A" screen &&
	tail -n 2 screen >end &&
	grep "$escape\[Jover" end
'

test_expect_success TERMINAL 'never is never' '
	on_terminal "(echo x; sleep 0.7) | dig add --stdin --path=drawn --progress=never; echo over" &&
	! grep "$escape" screen
'

test_expect_success TERMINAL 'no line is wider than the terminal' '
	on_terminal "(seeded 700000 5; sleep 0.4) | dig add --stdin --path=wide --progress; echo over" &&
	grep "take: 684 KiB" screen &&
	tr "\r" "\n" <screen | sed "s/$escape\[[A-Z]//g; /^Script /d" | grep -E ".{60}" >wide ||
	test_cmp /dev/null wide
'

test_expect_success TERMINAL 'messages are not mixed with what is drawn' '
	mkfifo fifo &&
	on_terminal "(echo files/a; sleep 0.3; echo fifo; sleep 0.3) |
		dig-update-index --add --progress --stdin-paths" &&
	grep "$escape\[Jdig-update-index: warning: .fifo. is skipped" screen &&
	tr "\r" "\n" <screen | grep "take" >drawn &&
	test $(wc -l <drawn) -ge 3
'

test_expect_success TERMINAL 'a terminal that can do nothing gets one line, blanked at the end' '
	terminal=dumb &&
	on_terminal "(seeded 70000 6; sleep 0.9) | dig add --stdin --path=drawn; echo over" &&
	terminal= &&
	! grep "$escape" screen &&
	tr "\r" "\n" <screen >lines &&
	grep "take: 68.4 KiB" lines &&
	grep "^over" lines
'

test_done
