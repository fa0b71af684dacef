# For the tests of crashes, sourced after test-lib.sh: a store and a tree that are always the
# same, commands that are killed or fail at a chosen system call, and what must hold after that.

crash_id=$(printf '%064d' 7)

# What changes a store.  A process that is killed between two of these leaves what it would leave
# if it were killed at the latter, so that these are enough.
writing_calls='openat write pwritev2 pwrite64 fdatasync fsync rename unlink mkdir ftruncate flock'

# The same for what makes layers anew.
layer_calls='openat pwrite64 write fdatasync fsync rename unlink mkdir flock'

# At so many calls of a kind; LONG tries every one.
crash_most=4
test_have_prereq LONG && crash_most=100000

# make_crash_tree: the tree w with one state committed and changes that are not staged yet.
make_crash_tree () {
	dig-init-store --store-id=$crash_id w >/dev/null &&
	(
		cd w &&
		mkdir -p d/e gone &&
		seeded 300 1 >kept &&
		seeded 20K 2 >changed &&
		seeded --text 40K 3 >d/text &&
		seeded 100 4 >gone/soon &&
		: >empty &&
		ln -s d/text link &&
		find . -name .dig -prune -o -exec touch -h -d @1600000000 {} + &&
		commit_all one &&
		cp -a .dig ../first.dig &&
		seeded 30K 12 >changed &&
		seeded 300K 13 >d/e/new &&
		seeded 300K 13 >again &&
		seeded 2500 14 >small &&
		rm -r gone &&
		find . -name .dig -prune -o -exec touch -h -d @1600001000 {} +
	)
}

# restore FROM: w/.dig is a copy of it.
restore () {
	rm -rf w/.dig && cp -a $1 w/.dig
}

# at_call CALL N ACTION COMMAND...: in w, with ACTION ("signal=KILL", "error=EIO") at the N-th such
# call of a thread.
at_call () {
	inject=$1:$3:when=$2 call=$1
	shift 3
	(cd w && exec strace -f -qq -o ../calls -e trace=$call -e signal=none -e inject=$inject "$@")
}

# was_hit STATUS
was_hit () {
	test $1 = 137 || grep -q INJECTED calls
}

# Whatever happened to the store w, in which this runs: it is sound, the next add and the next commit work
# without further ado, and they lead to the state of an undisturbed run.  A script may have its own.
recovery () {
	dig-verify-store -q &&
	dig-list-roots >../roots.now &&
	tail -n 1 ../roots.now | cmp - ../roots.first &&
	take_all &&
	{
		test "$(dig-info manifest-root)" = "$(cat ../manifest.expected)" ||
		commit_staged two
	} &&
	dig-list-roots >../roots.now &&
	cmp ../roots.now ../roots.expected &&
	dig-verify-store -q
}

# recovers NAME
recovers () {
	(cd w && recovery) >recovery.log 2>&1 && also_holds && return 0
	echo "after $*:"
	cat recovery.log
	return 1
}

# What else must hold then; a script may have its own.
also_holds () {
	:
}

# check_fault STATUS NAME: how a command may end that was killed or whose call failed.  A script may have its own.
check_fault () {
	case $1 in
	0 | 137)
		:
		;;
	4 | 11 | 128)
		test -s err || { echo "no message at $2"; false; }
		;;
	*)
		echo "status $1 at $2"
		cat err
		false
		;;
	esac
}

# matches NUMBER...: the states of the store that we are in are the trees $TRASH/tree-NUMBER.
matches () {
	for number
	do
		rm -rf "$TRASH/extracted" && dig-checkout-root -q @$number "$TRASH/extracted" &&
		diff -r "$TRASH/extracted" "$TRASH/tree-$number" || return 1
	done
}

# What an undisturbed run leads to; w/.dig is then first.dig again.
record_expectations () {
	(
		cd w &&
		dig-list-roots >../roots.first &&
		dig-ls-work >../records &&
		take_all &&
		cp -a .dig ../staged.dig &&
		dig-write-layer -m two >../layer &&
		cp -a .dig ../sealed.dig &&
		dig-update-root $(cat ../layer) >/dev/null &&
		cp -a .dig ../second.dig &&
		dig-info manifest-root >../manifest.expected &&
		dig-list-roots >../roots.expected
	) &&
	test $(wc -l <roots.expected) = 2 &&
	restore first.dig
}

# everywhere FROM ACTION COMMAND...: the command with the fault at each call that changes a store,
# one after another, from FROM each time, and what must hold after it.  Standard input is the file
# "input".  At most $crash_most calls of a kind, evenly spread.
everywhere () {
	from=$1 action=$2
	shift 2
	points=0
	for name in $writing_calls
	do
		restore $from && at_call $name 65535 $action "$@" <input >out 2>err || return 1
		count=$(grep -c "$name(" calls)
		step=$(((count + crash_most - 1) / crash_most))
		n=1
		while test $n -le $count
		do
			restore $from || return 1
			status=0
			at_call $name $n $action "$@" <input >out 2>err || status=$?
			was_hit $status || break
			check_fault $status "$name $n of $count: $*" && recovers "$name $n of $count: $*" ||
				return 1
			points=$((points + 1))
			n=$((n + step))
		done
	done
	echo "$points points"
	test $points -gt 0
}
