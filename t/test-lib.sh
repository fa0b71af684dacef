# The harness, sourced by every t/tNNNN-*.sh after it has set test_description.  t/README tells
# how to write a test.  Plain POSIX sh; output is TAP.

TEST_DIRECTORY=$(cd "$(dirname "$0")" && pwd -P)
DIG_BUILD=$(cd "${DIG_BUILD:-$TEST_DIRECTORY/../build}" 2>/dev/null && pwd -P)
test_name=$(basename "$0" .sh)
verbose= immediate=
for option
do
	case $option in
	-v) verbose=t ;;
	-i) immediate=t ;;
	-l) DIG_TEST_LONG=1 ;;
	*)
		echo "usage: $0 [-v] [-i] [-l]   ($test_description)" >&2
		exit 129
		;;
	esac
done
test -x "$DIG_BUILD/helper/seeded" || {
	echo "Bail out! nothing is built to be tested; run make first"
	exit 1
}

# A failure that a script injects, or a kill, may hit the counters of lines as well, and spoil their
# file, which is never read again then.  Such a script has files of its own.
if grep -qs -e '--coverage' "$DIG_BUILD/flags"
then
	GCOV_PREFIX=$DIG_BUILD/counts/others
	! grep -qE 'inject=|crash-lib|KILL|kill -9|ulimit|bounded|/dev/full' "$0" ||
		GCOV_PREFIX=$DIG_BUILD/counts/$test_name
	export GCOV_PREFIX
fi

# Nothing of the caller's may change a result.
for name in $(env | sed -n 's/^\(DIG_[A-Za-z0-9_]*\)=.*/\1/p')
do
	case $name in
	DIG_BUILD | DIG_TEST_*) ;;
	*) unset "$name" ;;
	esac
done
unset CDPATH COLUMNS SOURCE_DATE_EPOCH XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
umask 022

# A test that fails keeps its directory; under /tmp, since a store above it would be found.
TRASH=$(mktemp -d "${TEST_TMPDIR:-/tmp}/dig-$test_name.XXXXXX") && chmod 755 "$TRASH" &&
	TRASH=$(cd "$TRASH" && pwd -P) || exit 1
log=$TRASH.log
: >"$log"
HOME=$TRASH
PATH=$DIG_BUILD:$DIG_BUILD/helper:$PATH
DIG_AUTHOR='Test Author <author@example.org>'
DIG_COMMIT_TIME=1700000000
LC_ALL=C TZ=UTC TERM=dumb
# A sanitizer's own exit status would be 1, which is also dig's "no".
ASAN_OPTIONS=exitcode=99 LSAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
TSAN_OPTIONS="exitcode=99:halt_on_error=1:suppressions='$TEST_DIRECTORY/thread-sanitizer'"
export DIG_BUILD DIG_AUTHOR DIG_COMMIT_TIME HOME PATH TEST_DIRECTORY LC_ALL TZ TERM
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
cd "$TRASH" || exit 1

test_count=0 failed_count=0 prereqs=' ' skip_all=
trap 'tail -n 40 "$log" >&2; echo "# $test_name ended early; see $TRASH" >&2; exit 1' EXIT
trap 'exit 130' HUP INT TERM

# test_expect_success [PREREQ,...] 'a sentence that is true' 'code'
test_expect_success () {
	test_needs=
	if test $# = 3
	then
		test_needs=$1
		shift
	fi
	test $# = 2 || { echo "# not 2 or 3 arguments: $*" >&2; exit 1; }
	test_count=$((test_count + 1))
	if ! test_have_prereq "$test_needs"
	then
		echo "ok $test_count # skip $1 (needs $test_missing)"
	elif test_run "$1" "$2"
	then
		echo "ok $test_count - $1"
	else
		test_report_failure "$1" "$2"
	fi
	cd "$TRASH" || exit 1
}

test_run () {
	test_cleanup= test_cleanup_status=0
	if test -n "$verbose"
	then
		exec 4>&1
		printf '# %s\n%s\n' "$1" "$2"
	else
		exec 4>"$log"
	fi
	# What is chained to a failure does not run; what does run stands after a missing "&&".
	eval "(exit 117) && $2" </dev/null >&4 2>&4
	if test $? != 117
	then
		echo 'broken && chain' >&4
		return 1
	fi
	eval "$2" </dev/null >&4 2>&4
	test_status=$?
	eval "$test_cleanup" </dev/null >&4 2>&4
	test $test_status = 0 && test $test_cleanup_status = 0
}

# To stderr, where prove shows it.
test_report_failure () {
	failed_count=$((failed_count + 1))
	echo "not ok $test_count - $1"
	{
		echo "#   $test_name: '$1' is false:"
		printf '%s\n' "$2" | sed '/^[[:space:]]*$/d; s/^/#   /'
		test -n "$verbose" || tail -n 40 "$log" | sed 's/^/# > /'
	} >&2
	test -z "$immediate" || test_done
}

# Runs the code when the test_expect_success that this is called in (no subshell) is over,
# whatever its result; the latest first.
test_when_finished () {
	test_cleanup="{ $*
} || test_cleanup_status=1
$test_cleanup"
}

# Succeeds when the command fails as dig fails: a crash, a signal or "not found" is no such thing.
# To set a variable write "test_must_fail env NAME=VALUE command".
test_must_fail () {
	"$@" 4>&-
	case $? in
	1 | 3 | 4 | 5 | 10 | 11 | 12 | 128 | 129 | 130)
		return 0
		;;
	0)
		echo "this succeeded: $*" >&4
		;;
	*)
		echo "this did not fail in dig's way: $*" >&4
		;;
	esac
	return 1
}

# test_expect_code STATUS COMMAND...
test_expect_code () {
	test_expected=$1
	shift
	"$@" 4>&-
	test_actual=$?
	test $test_actual = "$test_expected" && return 0
	echo "exit status $test_actual, not $test_expected: $*" >&4
	return 1
}

# test_cmp EXPECT ACTUAL
test_cmp () {
	diff -u "$1" "$2"
}

test_set_prereq () {
	prereqs="$prereqs$1 "
}

# Succeeds when all of a list with commas are there; "!NAME" is one that must not be.
test_have_prereq () {
	for test_missing in $(echo "$1" | tr , ' ')
	do
		case $test_missing in
		!*) ! test_have_one "${test_missing#!}" || return 1 ;;
		*) test_have_one "$test_missing" || return 1 ;;
		esac
	done
}

test_have_one () {
	case $prereqs in
	*" $1 "*) return 0 ;;
	*" no-$1 "*) return 1 ;;
	esac
	if test_probe "$1" </dev/null >/dev/null 2>&1
	then
		test_set_prereq "$1"
	else
		test_set_prereq "no-$1"
		return 1
	fi
}

test_probe () {
	case $1 in
	ROOT) test "$(id -u)" = 0 ;;
	LONG) test -n "$DIG_TEST_LONG" ;;
	PYTHON) python3 -c 'import hashlib' ;;
	STRACE) strace -o /dev/null seeded 1 1 ;;
	UNSHARE) unshare --map-root-user --mount mount -t tmpfs none "$TRASH" ;;
	LOOP) test_probe_loop ;;
	SANITIZED) grep -q -e '-fsanitize=' -e '--coverage' "$DIG_BUILD/flags" ;;
	PROMPT_SIGNALS) ! grep -q -e '-fsanitize=[a-z,]*thread' "$DIG_BUILD/flags" ;;
	*) false ;;
	esac
}

# Whether we may make file systems in files and mount them.
test_probe_loop () {
	mkdir "$TRASH.probe" && truncate -s 1M "$TRASH.probe/image" && mkfs.ext4 -q "$TRASH.probe/image" &&
		mkdir "$TRASH.probe/at" && mount -o loop "$TRASH.probe/image" "$TRASH.probe/at" && umount "$TRASH.probe/at"
	test_probed=$?
	rm -rf "$TRASH.probe"
	return $test_probed
}

# Runs a command that file modes bind even if we are root.
without_override () {
	if test_have_prereq ROOT
	then
		setpriv --bounding-set=-dac_override,-dac_read_search \
			--inh-caps=-dac_override,-dac_read_search -- "$@"
	else
		"$@"
	fi
}

# stopped_at FILE CALL CODE COMMAND...: COMMAND is stopped behind its first CALL upon FILE, CODE runs
# meanwhile, and COMMAND goes on; its status is the result.
stopped_at () {
	stop_file=$1 stop_call=$2 stop_code=$3
	shift 3
	rm -f "$TRASH/stops"
	{
		exec strace -f -qq -o "$TRASH/stops" -P "$stop_file" -e trace=$stop_call \
			-e inject=$stop_call:signal=STOP:when=1 "$@" 4>&- &
	}
	tracer=$!
	until grep -q 'stopped by SIGSTOP' "$TRASH/stops" 2>/dev/null
	do
		kill -0 $tracer 2>/dev/null || { echo "no $stop_call of $stop_file" && return 1; }
		sleep 0.01
	done
	eval "$stop_code"
	# Every thread is stopped at its first call, and the second one may be later.
	stopped=$(sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p' "$TRASH/stops" | head -n 1)
	while kill -CONT $stopped 2>/dev/null
	do
		sleep 0.02
	done &
	waker=$!
	wait $tracer
	stop_status=$?
	# The next process may get the number of the one that has ended.
	kill $waker 2>/dev/null
	wait $waker 2>/dev/null
	return $stop_status
}

# Stages all of the work tree that we are in, and what is gone from it.
take_all () {
	dig-ls-work >"$TRASH/records" && dig-update-index --add -A --stdin <"$TRASH/records"
}

# without_times [OPTION...]: lines of dig-ls-index or dig-ls-root, without the field of the time.
without_times () {
	sed "$@" -E "s/^([0-7]{6} [0-9]+ [0-9a-f]{64}) -?[0-9]+/\1/"
}

# commit_staged MESSAGE: by plumbing alone; $layer is its layer then.
commit_staged () {
	layer=$(dig-write-layer -m "$1") && dig-update-root $layer >/dev/null
}

commit_all () {
	take_all && commit_staged "$1"
}

# layer_of GENERATION: the path of its layer, in a work tree.
layer_of () {
	echo .dig/layers/$(dig-list-roots | sed -n "s/^$1 [0-9a-f]* //p" | cut -d " " -f 1).dig
}

# flip_bit FILE OFFSET: one bit of the byte there.
flip_bit () {
	flipped=$(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 16)) &&
	printf "\\$(printf %03o $flipped)" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# For a script that cannot run at all, set skip_all to the reason first.
test_done () {
	trap - EXIT
	cd / || exit 1
	if test $failed_count != 0
	then
		rm -f "$log"
		echo "# $test_name failed $failed_count of $test_count; its files are in $TRASH" >&2
		test -n "$immediate" || echo "1..$test_count"
		exit 1
	fi
	chmod -R u+rwX "$TRASH"
	rm -rf "$TRASH" "$log"
	echo "1..$test_count${skip_all:+ # SKIP $skip_all}"
	exit 0
}
