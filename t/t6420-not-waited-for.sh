#!/bin/sh

test_description='what lies in the place of a file of the store is not waited for'

. "$(dirname "$0")/test-lib.sh"

dig-init-store store >/dev/null && echo one >store/one && (cd store && dig-add -q one && dig-commit -q -m one &&
	echo two >two && dig-add -q two) || exit 1
layer=$(cd store/.dig/layers && ls) && test -f "store/.dig/layers/$layer" || exit 1

# ends COMMAND...: with a status of dig's for failures; 124 is that of timeout, when it had to be ended.
ends () {
	test_must_fail timeout -s KILL 20 "$@"
}

# with_fifo FILE CODE: a FIFO is in the place of the store's file while CODE runs in the work tree.
with_fifo () {
	mv "store/.dig/$1" kept &&
		mkfifo "store/.dig/$1" &&
		(cd store && eval "$2") 2>err
	with_result=$?
	rm -f "store/.dig/$1" && mv kept "store/.dig/$1" && return $with_result
}

for file in format store-id config.toml roots lock layers/$layer staging/lock staging/journal staging/pack staging/changes
do
	test_expect_success "a FIFO instead of $file is an error that names it" '
		with_fifo $file "ends dig-verify-store || ends dig-add one || ends dig-commit -m two" >out 2>&1 &&
		{ grep -F "$file" out || grep -F "$file" err; }
	'
done

all='dig-add one
dig-add --stdin --path=x
dig-cat HEAD:one
dig-check-ignore one
dig-checkout-root HEAD ../out
dig-commit -m x
dig-diff-index
dig-diff-roots @0 HEAD
dig-diff-work
dig-hash-object one
dig-hash-object -w one
dig-info root
dig-list-roots
dig-log
dig-ls
dig-ls-index
dig-ls-root HEAD
dig-ls-work
dig-reset one
dig-rm --cached one
dig-show HEAD
dig-show-layer HEAD
dig-status
dig-update-root 0000000000000000000000000000000000000000000000000000000000000000
dig-verify-store
dig-write-layer -m x'

# All commands that need the file, or none of it.
no_command_waits () {
	echo "$all" >commands
	while read -r line
	do
		(cd store && timeout -s KILL 20 $line </dev/null >/dev/null 2>&1)
		test $? -lt 131 || echo "$line"
	done <commands >offenders
	test_cmp /dev/null offenders
}

test_expect_success 'no command waits for a FIFO in the place of the settings, or of the staging area' '
	for file in config.toml roots staging/journal staging/index
	do
		{ mv store/.dig/$file kept || :; } 2>/dev/null &&
		mkfifo store/.dig/$file &&
		no_command_waits &&
		rm store/.dig/$file &&
		{ test ! -e kept || mv kept store/.dig/$file; } || return 1
	done
'

test_expect_success 'a FIFO named .dig in a directory above is an error' '
	mkdir -p above/below &&
	mkfifo above/.dig &&
	(cd above/below && ends dig-info root) 2>err &&
	grep -F ".dig" err
'

test_expect_success 'a FIFO instead of the global settings does not hang' '
	mkdir -p global/dig &&
	mkfifo global/dig/config.toml &&
	(cd store && XDG_CONFIG_HOME=$TRASH/global timeout -s KILL 20 dig-info root || test $? -lt 131)
'

test_expect_success 'a FIFO named .digignore holds no rules, and is not waited for' '
	mkfifo store/.digignore &&
	test_when_finished "rm store/.digignore" &&
	(cd store && timeout -s KILL 20 dig-ls-work >../records &&
		test_expect_code 1 timeout -s KILL 20 dig-check-ignore -v -n one)
'

test_expect_success 'what is in the place of a temporary name is somebody else'\''s, and stays' '
	cat >squat <<-\EOF &&
	cd "$1" && echo theirs >config.toml.tmp-$$ && exec dig-config core.author me
	EOF
	sh squat store/.dig &&
	(cd store && dig-config core.author >../actual && cat .dig/config.toml.tmp-*) >theirs &&
	echo me >expect && test_cmp expect actual &&
	echo theirs >expect && test_cmp expect theirs
'

test_expect_success 'a lock is not taken for held because a descriptor of its file is there' '
	(cd store && exec 5<.dig/lock && exec 6<.dig/lock && flock 6 &&
		{ (sleep 0.5; flock -u 6) & } &&
		DIG_LOCK_FD=5 dig-commit -q -m two)
'

test_done
