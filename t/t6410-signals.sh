#!/bin/sh

test_description='SIGINT, SIGTERM and SIGHUP end every tool, wherever it waits'

. "$(dirname "$0")/test-lib.sh"

env --default-signal=INT true 2>/dev/null || {
	skip_all='env cannot set signals to their defaults'
	test_done
}

# plainly [NAME=VALUE] COMMAND...: as in the foreground, since the shell starts what is in the background
# with SIGINT ignored.  The number of the process stays, so that a signal goes to the command itself:
# timeout(1) that gets one while it starts the command leaves it behind.
plainly () {
	exec env --default-signal=INT,TERM,HUP,PIPE "$@"
}

# A tool ends within a second, which may be long on a busy machine; what is waited for here never comes.
patience=20

# ended_by SIGNAL PID: the process ends by that signal.
ended_by () {
	wait $2
	ended=$?
	case $1,$ended in
	INT,130 | TERM,143 | HUP,129) return 0 ;;
	esac
	echo "$1: status $ended" >&2
	return 1
}

# each_ends SIGNAL FILE: so does every command of the file, a line each, run in the tree.  They wait
# at once, so that this takes as long as one of them does.
each_ends () {
	pids=
	while read -r line
	do
		(cd tree && eval "plainly $line") <${input:-pipe} >${output:-out} 2>>err 7>&- &
		pids="$pids $!:$line
"
	done <"$2"
	# Whoever is not there yet ends in the same way.
	sleep 0.2
	echo "$pids" >started
	while IFS=: read -r pid line
	do
		test -z "$pid" || kill -s $1 $pid 2>/dev/null || echo "ended before: $line"
	done <started >offenders
	{ sleep $patience; kill -s KILL $(cut -d: -f1 started); } >/dev/null 2>&1 6>&- 7>&- 8>&- 9>&- &
	watch=$!
	while IFS=: read -r pid line
	do
		test -z "$pid" || ended_by $1 $pid || echo "$line"
	done <started >>offenders
	kill $watch 2>/dev/null
	wait $watch
	test_cmp /dev/null offenders
}

# all_end FILE...: by each of the signals; and what they started is gone, too, for it has descriptor 9.
all_end () {
	cat lifeline >/dev/null &
	reader=$!
	exec 9>lifeline
	each_result=0
	for signal in INT TERM HUP
	do
		for file
		do
			each_ends $signal $file || each_result=1
		done
	done
	exec 9>&-
	wait $reader
	return $each_result
}

# Open for writing all the time, so that reading it waits; and for reading, so that the commands can
# open the other one.
mkfifo pipe lifeline && exec 7<>pipe && mkfifo fifo metrics-fifo || exit 1
dig-init-store tree >store && seeded 3M 1 >tree/large && seeded 200K 2 >tree/small || exit 1
(cd tree && dig-add -q -A && dig-commit -q -m first && echo more >more && dig-add -q more) || exit 1

cat >reading <<\EOT
dig-add --stdin --path=new
dig-update-index --add --stdin-content --path=new
dig-update-index --add --stdin-content --checkpoint-every=1s --path=new
dig-update-index --add --stdin-paths
dig-update-index --add -A --stdin
dig-update-index --index-info
dig-update-index --remove --stdin-paths
dig-hash-object --stdin
dig-hash-object -w --stdin
dig-chunk /dev/stdin
dig-check-ignore --stdin
dig-add --from-command --path=new -- sleep 60
EOT
test_expect_success 'while it reads a pipe that nothing comes from' '
	all_end reading
'

test_expect_success 'nothing of what had an end then is staged' '
	(cd tree && dig-ls-index >../actual && dig-status --porcelain=v1) >status &&
	! grep -w new actual &&
	! grep -w new status
'

cat >locked <<\EOT
dig-add large
dig-add --stdin --path=new
dig-commit -m none
dig-write-layer -m none
dig-update-root 0000000000000000000000000000000000000000000000000000000000000000
dig-reset small
dig-rm --cached small
dig-update-index --remove small
EOT
test_expect_success 'while it waits for a lock' '
	exec 6<tree/.dig/lock 8<tree/.dig/staging/lock && flock 6 && flock 8 &&
	test_when_finished "exec 6<&- 8<&-" &&
	all_end locked
'

(cd "$TEST_DIRECTORY/.." && ls plumbing porcelain) |
	sed -n 's/\.cpp$//p' | grep -vx dig | sed 's/^/dig-/; s/$/ -h/; s/^/DIG_TRACE=..\/metrics-fifo /' >tracing
cat >opening <<\EOT
dig-hash-object ../fifo
dig-chunk ../fifo
dig-add -A --metrics=../metrics-fifo
dig-commit -m none --metrics=../metrics-fifo
dig-cat --metrics=../metrics-fifo HEAD:small
dig-get --metrics=../metrics-fifo /small
dig-extract --metrics=../metrics-fifo ../out.d
dig-check --metrics=../metrics-fifo
EOT
test_expect_success PROMPT_SIGNALS 'while it opens a FIFO that nobody else opens' '
	cat tracing >>opening &&
	all_end opening
'

# A pipe that holds 64 KB and that nobody reads.
long=a-name-that-is-long-so-that-few-directories-make-a-list-of-more-than-64-kilobytes
(cd tree && i=1000 && while test $((i += 1)) -le 2000; do echo $long$i; done | xargs mkdir &&
	dig-add -A && dig-commit -q -m many) || exit 1
cat >writing <<\EOT
dig-cat HEAD:large
dig-get /large
dig-ls-root HEAD
dig-ls-index
dig-ls-work
dig-ls -r
dig-diff-roots @0 HEAD
dig-diff @0 HEAD
EOT
test_expect_success 'while nobody takes what it prints' '
	mkfifo full && exec 5<>full &&
	test_when_finished "exec 5<&-" &&
	output=full all_end writing
'

cat >working <<\EOT
dig-add --stdin --path=new
dig-hash-object --stdin
dig-hash-object -w --stdin
dig-chunk /dev/stdin
EOT
test_expect_success 'in the middle of work that has no end' '
	mkfifo endless &&
	{ yes "a line" >endless & } && producer=$! &&
	exec 8<endless &&
	test_when_finished "exec 8<&-; kill $producer" &&
	input=endless output=/dev/null all_end working
'

# until_true CODE: tries it again and again, for a while.
until_true () {
	tries=400
	until eval "$1"
	do
		test $((tries -= 1)) -gt 0 && sleep 0.05 || return 1
	done
}

# interrupted_group CODE: all of a pipeline gets SIGINT, as by ^C.
interrupted_group () {
	exec setsid env --default-signal=INT sh -c "$1"
}

test_expect_success 'a stream whose writer was interrupted, too, is not taken for whole' '
	{ (cd tree && interrupted_group "(cat large; touch ../sent; sleep 60; echo end) |
		dig-add --stdin --path=cut-short") & } && group=$! &&
	until_true "test -e sent" &&
	sleep 0.2 &&
	kill -s INT -- -$group &&
	{ wait $group; test $? = 130; } &&
	(cd tree && dig-ls-index) >actual &&
	! grep cut-short actual &&
	(cd tree && dig-add large && dig-ls-index) >actual &&
	! grep cut-short actual
'

test_expect_success 'what a command printed before it was ended by a signal is not a file' '
	(
		cd tree &&
		test_expect_code 128 dig-add --from-command --path=cut-short -- sh -c "cat large; kill -s TERM \$\$" &&
		dig-ls-index >../actual &&
		! grep cut-short ../actual
	)
'

test_expect_success 'checkpoints of an interrupted stream stay staged' '
	rm -f sent &&
	{ (cd tree && interrupted_group "(cat large; touch ../sent; sleep 60; echo end) |
		dig-add --stdin --checkpoint-every=1MB --path=checked") & } && group=$! &&
	until_true "(cd tree && dig-ls-index) | grep -q checked" &&
	kill -s INT -- -$group &&
	{ wait $group; test $? = 130; } &&
	(cd tree && dig-ls-index) >actual &&
	grep checked actual &&
	(cd tree && dig-commit -q -m checked && dig-cat HEAD:checked) >back &&
	size=$(wc -c <back) && test $size -gt 0 &&
	head -c $size tree/large | cmp - back
'

test_expect_success 'what is kept of an interrupted add is told, and by status, until it was gone on with' '
	seeded 40M 7 >kept &&
	rm -f sent &&
	{ (cd tree && interrupted_group "(cat ../kept; touch ../sent; sleep 60) | dig-add --stdin --path=kept 2>../err") & } &&
	group=$! &&
	until_true "test -e sent" &&
	until_true "(cd tree && dig-status) >status; grep \"it has stored [0-9.]* MiB so far\" status" &&
	grep "an add is running; " status &&
	kill -s INT -- -$group &&
	{ wait $group; test $? = 130; } &&
	grep "interrupted; nothing of .kept. is staged; [0-9.]* MiB are kept, and the same command continues" err &&
	(cd tree && dig-status) >status &&
	grep "an add did not end: [0-9.]* MiB of its content are kept" status &&
	(cd tree && dig-status --porcelain=v1) >status &&
	! grep kept status &&
	(cd tree && dig-add --stdin --path=kept <../kept && dig-status) >status &&
	! grep "an add" status
'

test_expect_success 'where what is kept cannot be told, the command ends as well, by its signal' '
	dig-init-store unread >store && rm -f sent &&
	{ (cd unread && interrupted_group "(cat ../kept; touch ../sent; sleep 60) |
		dig-add --stdin --path=kept 2>../err") & } &&
	group=$! && until_true "test -e sent" && rm -f unread/.dig/staging/changes && mkdir unread/.dig/staging/changes &&
	kill -s INT -- -$group && { wait $group; test $? = 130; } && ! grep kept err
'

test_done
