# The harness of the measurements, sourced by every perf/pNNNN-*.sh; perf/README tells how to
# write one.  Plain POSIX sh.  hyperfine does the timing, peak.cpp looks at memory, table.awk does
# the arithmetic.  A script that is started by itself goes through perf/run, which sets:
#
#	PERF_HOME PERF_SCRATCH PERF_RESULTS     directories
#	PERF_TREES      the build directories, one a line
#	PERF_SIZE       full, quick or check;  PERF_LONG, if the longest cases run, too
#	PERF_ROUNDS     how often each command is timed
#	PERF_ONLY       a pattern that "SCRIPT: CASE" must contain
#	PERF_PEERS      empty if the other programs are left out

test -n "${PERF_SCRATCH:-}" || exec "$(dirname "$0")/run" --script "$0" "$@"

. "$PERF_HOME/peers"

perf_script=$(basename "$0" .sh)
data=$PERF_SCRATCH/data    # input; the same for every build, reused by the next run in this place
state=$PERF_SCRATCH/state  # what prepared commands want to find again, until the run ends
work=$PERF_SCRATCH/work    # where every command runs, empty before it is prepared
queue=$PERF_SCRATCH/queue
perf_log=$PERF_RESULTS/log
perf_rows=$PERF_RESULTS/table.tsv
perf_slow=20               # a peer that takes more seconds is timed once
newline='
'
perf_case= perf_case_number=0
cd "$PERF_SCRATCH" || exit 1

# --- what a script says -----------------------------------------------------------------------

# perf NAME [--spec NAME,...] [--floor EXPR] [--target EXPR] [--bytes N] [--files N] [--tree DIR]
#      [--needs CODE] [--prepare CODE] [--check] COMMAND
# queues a command to be timed with each build; it runs when the next case begins, so that peers
# can join it.  --needs runs once, in $data; --prepare before each run, in $work: both are chained
# with "&&".
perf () {
	perf_begin time "$@" || return 0
	perf_each_build perf_add_runner build
}

# figure NAME [--unit UNIT] [as above] CODE
# is for what hyperfine cannot see: CODE runs once in a shell with these functions and prints one
# number.
figure () {
	perf_begin figure "$@" || return 0
	perf_each_build perf_add_runner build
}

# peer NAME [--program PROGRAM] [--spec NAME] [--floor 'N x'] [--target 'N x'] [--prepare CODE]
#      COMMAND
# measures another program, when it is installed, round by round with the case above it.
peer () {
	test -n "$perf_case" || return 0
	perf_label=$1
	perf_program=${1%%[, ]*}
	shift
	perf_spec= perf_floor= perf_target= perf_prepare=
	perf_parse "$@"
	perf_has_peer "$perf_program" || return 0
	# Some peers are dig itself, doing something else.
	perf_directory=${PERF_TREES%%"$newline"*} perf_tree=1
	perf_path=$perf_directory:$perf_directory/helper:$PATH
	perf_add_runner peer
}

# pick FULL QUICK [CHECK]
pick () {
	case $PERF_SIZE in
	quick) echo "$2" ;;
	check) echo "${3:-$2}" ;;
	*) echo "$1" ;;
	esac
}

perf_done () {
	perf_flush
	rm -rf "$work" "$queue"
}

# --- data -------------------------------------------------------------------------------------

# once DIRECTORY COMMAND...: runs the command in that new directory, unless it is there already.
once () {
	test -d "$1" && return 0
	rm -rf "$1.new"
	mkdir -p "$1.new" || return 1
	once_directory=$1
	shift
	(cd "$once_directory.new" && "$@") && mv "$once_directory.new" "$once_directory" && return 0
	echo "cannot make $once_directory" >&2
	return 1
}

# bytes_of 4G
bytes_of () {
	case $1 in
	*G) echo $((${1%G} << 30)) ;;
	*M) echo $((${1%M} << 20)) ;;
	*K) echo $((${1%K} << 10)) ;;
	*) echo "$1" ;;
	esac
}

# name_of 4G: "4 GiB"
name_of () {
	case $1 in
	*G | *M | *K) echo "$1" | sed 's/.$/ &iB/' ;;
	*000000000) echo "${1%000000000} GB" ;;
	*) echo "${1%000000} MB" ;;
	esac
}

# random SIZE: $data/random-SIZE/file, bytes that nothing can compress.
random () {
	once "$data/random-$1" sh -c "seeded $1 1 >file"
}

# small SIZE of files: $data/small-COUNT, of 1 to 10 KiB of text each, a hundred to a directory;
# $data/small-COUNT.list has their paths.
small () {
	once "$data/small-$1" perf_write_small "$1" &&
		{ test -e "$data/small-$1.list" || (cd "$data" && find "$data/small-$1" -type f) |
			LC_ALL=C sort >"$data/small-$1.list"; }
}

perf_write_small () {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i += 100) printf "%03d/%02d\n", i / 10000, i / 100 % 100 }' |
		xargs mkdir -p &&
	{ seeded --text $(($1 * 6500)) 2 2>/dev/null || :; } | awk -v count="$1" '
		function begin() {
			seed = seed * 16807 % 2147483647
			left = 1024 + seed % 9217
			file = sprintf("%03d/%02d/%02d.txt", n / 10000, n / 100 % 100, n % 100)
		}
		BEGIN { seed = 2; begin() }
		{
			line = substr($0 "\n", 1, left)
			printf "%s", line >file
			left -= length(line)
			if (left > 0)
				next
			close(file)
			if (++n == count)
				exit
			begin()
		}
		END { exit n != count }'
}

# usr_tar SIZE: $data/usr-SIZE/file, the beginning of a tar of this machine's /usr: real bytes of
# every kind.  It may be shorter than asked for.
usr_tar () {
	once "$data/usr-$1" perf_write_usr "$(bytes_of "$1")"
}

perf_write_usr () {
	{ tar -C / --sort=name --ignore-failed-read -cf - usr 2>/dev/null || :; } | head -c "$1" >file
}

# stored DIR [NAME]: for --prepare; a store in $work in which DIR is committed, made once for each
# build.  Whoever changes it takes a NAME, to have it alone.
stored () {
	perf_store=$state/store-$tree-$(basename "$1")${2:+-$2}
	once "$perf_store" perf_write_store "$1" && echo "store: $perf_store/.dig" >.dig
}

perf_write_store () {
	dig init && DIG_DIR=$PWD/.dig DIG_WORK_TREE=$1 && export DIG_DIR DIG_WORK_TREE &&
		dig add -A && dig commit -q -m 'as it is'
}

# Puts a file out of the page cache.
drop () {
	sync "$1" && dd if="$1" iflag=nocache count=0 status=none
}

# --- what a figure asks for -------------------------------------------------------------------

# Of a case that was measured with this build: seconds, KiB.
minimum_of () {
	perf_column "$1" 6
}

median_of () {
	perf_column "$1" 7
}

memory_of () {
	perf_column "$1" 10
}

perf_column () {
	awk -F'\t' -v script="$perf_script" -v name="$1" -v label="$label" -v column="$2" '
		$1 == script && $2 == name && $3 == "build" && $4 == label { value = $column }
		END { if (value + 0 == 0) exit 1; print value }' "$perf_rows"
}

# calculate EXPRESSION, which may go over several lines
calculate () {
	awk "BEGIN { printf \"%.4g\\n\", $(echo "$1" | tr '\n' ' ') }"
}

# faults_of COMMAND: the minor page faults of all its processes.
faults_of () {
	"$PERF_PEAK" "$queue/faults" sh -c "$1" >/dev/null && cut -d' ' -f3 "$queue/faults"
}

# --- the machinery ----------------------------------------------------------------------------

perf_begin () {
	perf_flush
	perf_kind=$1
	perf_name=$2
	shift 2
	perf_spec= perf_floor= perf_target= perf_bytes= perf_files= perf_unit= perf_worktree=
	perf_needs= perf_prepare= perf_check=
	perf_parse "$@"
	case "$perf_script: $perf_name" in
	*$PERF_ONLY*) ;;
	*) return 1 ;;
	esac
	test "$PERF_SIZE" != check || test -n "$perf_check" || return 1
	perf_case=$perf_name
	perf_case_number=$((perf_case_number + 1))
	case_kind=$perf_kind case_spec=$perf_spec case_floor=$perf_floor case_target=$perf_target
	case_bytes=$perf_bytes case_files=$perf_files case_unit=$perf_unit case_needs=$perf_needs
	case_worktree=$perf_worktree
	runner_count=0
	rm -rf "$queue"
	mkdir "$queue"
}

perf_parse () {
	while test $# -gt 1
	do
		case $1 in
		--spec) perf_spec=$2 perf_floor=$(perf_floor_of "${2%%,*}") ;;
		--floor) perf_floor=$2 ;;
		--target) perf_target=$2 ;;
		--bytes) perf_bytes=$2 ;;
		--files) perf_files=$2 ;;
		--unit) perf_unit=$2 ;;
		--tree) perf_worktree=$2 ;;
		--needs) perf_needs=$2 ;;
		--prepare) perf_prepare=$2 ;;
		--program) perf_program=$2 ;;
		--check)
			perf_check=t
			shift
			continue ;;
		*)
			echo "$perf_script: what is '$1'?" >&2
			exit 1 ;;
		esac
		shift 2
	done
	perf_command=$1
}

perf_floor_of () {
	awk -F' *[|] *' -v name="$1" '$1 == name { print $3; found = 1 } END { exit !found }' \
		"$PERF_HOME/targets" || echo "$perf_script: perf/targets has no '$1'" >&2
}

# Calls its arguments with perf_label, perf_path and perf_tree set for each build.
perf_each_build () {
	perf_tree=0
	perf_letters='A B C D E F G H'
	while read -r perf_directory
	do
		perf_tree=$((perf_tree + 1))
		perf_label=dig
		test "$PERF_TREES" = "${PERF_TREES%"$newline"*}" ||
			perf_label=$(echo "$perf_letters" | cut -d' ' -f$perf_tree)
		perf_path=$perf_directory:$perf_directory/helper:$PATH
		"$@"
	done <<-END
	$PERF_TREES
	END
}

perf_has_peer () {
	if test "$PERF_SIZE" = check && test -z "$perf_spec"
	then
		return 1
	fi
	if test -z "$PERF_PEERS"
	then
		case " $optional_peers " in *" $perf_program "*) return 1 ;; esac
	fi
	command -v "$perf_program" >/dev/null
}

perf_add_runner () {
	runner_count=$((runner_count + 1))
	perf_runner=$queue/$runner_count
	printf '%s' "$1" >"$perf_runner.kind"
	printf '%s' "$perf_label" >"$perf_runner.label"
	printf '%s' "$perf_path" >"$perf_runner.path"
	printf '%s' "$perf_tree" >"$perf_runner.tree"
	printf '%s' "$perf_prepare" >"$perf_runner.prepare"
	printf '%s' "$perf_command" >"$perf_runner.command"
	printf '%s\t%s\t%s' "$perf_spec" "$perf_floor" "$perf_target" >"$perf_runner.judged"
	: >"$perf_runner.times"
	# Only what needs a shell pays for one.
	case $perf_command in
	*[!A-Za-z0-9_./=:@,+%\ -]* | *"$newline"*)
		printf 'set -e\n%s\n' "$perf_command" >"$perf_runner.sh"
		printf 'sh %s' "$perf_runner.sh" >"$perf_runner.run" ;;
	*)
		cp "$perf_runner.command" "$perf_runner.run" ;;
	esac
}

perf_flush () {
	test -n "$perf_case" || return 0
	read -r perf_load perf_rest </proc/loadavg || perf_load=
	printf '== %s: %s\n' "$perf_script" "$perf_case" >>"$perf_log"
	if ! perf_make_data >>"$perf_log" 2>&1 </dev/null
	then
		perf_all_runners false
	fi
	case $case_kind in
	figure) perf_figures ;;
	*) perf_times ;;
	esac
	perf_case=
}

perf_make_data () {
	(
		cd "$data" || exit 1
		PATH=$(cat "$queue/1.path")
		eval "$case_needs"
	)
}

# Runs its arguments in a new $work, in the environment of runner $1.
perf_within () {
	perf_runner=$queue/$1
	shift
	rm -rf "$work"
	mkdir "$work"
	(
		cd "$work" || exit 1
		tree=$(cat "$perf_runner.tree")
		label=$(cat "$perf_runner.label")
		PATH=$(cat "$perf_runner.path")
		if test -n "$case_worktree"
		then
			DIG_DIR=$work/.dig DIG_WORK_TREE=$case_worktree
			export DIG_DIR DIG_WORK_TREE
		fi
		export round
		{ eval "$(cat "$perf_runner.prepare")" && sync -f .; } >>"$perf_log" 2>&1 </dev/null &&
			"$@"
	)
}

# The runs that are not timed warm the caches and show the memory.
perf_times () {
	round=0
	perf_all_runners perf_look
	perf_count=$PERF_ROUNDS
	# What is over at once needs more runs to say something.
	if test -s "$queue/1.peak" && awk '{ exit !($2 < 0.1) }' "$queue/1.peak"
	then
		perf_count=$((4 * PERF_ROUNDS))
	fi
	while test $round -lt $perf_count
	do
		round=$((round + 1))
		perf_all_runners perf_time
	done
	perf_report
}

perf_all_runners () {
	perf_number=1
	while test $perf_number -le $runner_count
	do
		# A peer is of no interest where dig fails.
		if test -e "$queue/$perf_number.failed" ||
			{ test "$(cat "$queue/$perf_number.kind")" = peer && test -e "$queue/1.failed"; }
		then
			:
		else
			"$1" $perf_number || : >"$queue/$perf_number.failed"
		fi
		perf_number=$((perf_number + 1))
	done
}

perf_look () {
	perf_within "$1" perf_look_at "$queue/$1"
}

perf_look_at () {
	# shellcheck disable=SC2046
	"$PERF_PEAK" "$1.peak" $(cat "$1.run") >/dev/null 2>>"$perf_log" </dev/null
}

perf_time () {
	if test $round -gt 1 && test "$(cat "$queue/$1.kind")" = peer &&
		awk -v slow=$perf_slow '{ exit !($2 > slow) }' "$queue/$1.peak"
	then
		return 0
	fi
	perf_within "$1" perf_time_it "$queue/$1" || return 1
	# hyperfine writes one time a line, in brackets.
	awk '/"times"/ { on = 1; next } /\]/ { on = 0 } on { print $1 }' "$queue/$1.json" \
		>>"$queue/$1.times"
	perf_json=$PERF_RESULTS/json/$perf_script-$perf_case_number-$1.json
	{
		test -s "$perf_json" && echo , || echo '['
		cat "$queue/$1.json"
	} >>"$perf_json"
}

perf_time_it () {
	hyperfine -N --runs 1 --style none --export-json "$1.json" \
		-n "$perf_case [$(cat "$1.label")]: $(cat "$1.command")" "$(cat "$1.run")" \
		>/dev/null 2>>"$perf_log" </dev/null
}

perf_describe_case () {
	eval "perf_bytes=\"$case_bytes\" perf_files=\"$case_files\"" 2>>"$perf_log"
	printf 'case\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$perf_script" "$perf_case" "$case_spec" \
		"$case_floor" "$case_target" "$perf_bytes" "$perf_files" "$case_unit" "$perf_load"
}

perf_describe_runner () {
	perf_runner=$queue/$1
	perf_failed=
	test ! -e "$perf_runner.failed" || perf_failed=t
	perf_rss=
	test ! -s "$perf_runner.peak" || read -r perf_rss perf_rest <"$perf_runner.peak"
	printf 'runner\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(cat "$perf_runner.kind")" \
		"$(cat "$perf_runner.label")" "$(cat "$perf_runner.judged")" "$perf_failed" "$perf_rss" \
		"$(tr '\n' ' ' <"$perf_runner.times")"
}

perf_report () {
	{
		perf_describe_case
		perf_number=1
		while test $perf_number -le $runner_count
		do
			perf_describe_runner $perf_number
			perf_number=$((perf_number + 1))
		done
	} | awk -v rows="$perf_rows" -f "$PERF_HOME/table.awk"
	for perf_json in "$PERF_RESULTS/json/$perf_script-$perf_case_number"-*.json
	do
		test ! -e "$perf_json" || echo ']' >>"$perf_json"
	done
}

perf_figures () {
	round=1
	perf_number=1
	while test $perf_number -le $runner_count
	do
		perf_failed= perf_value=-
		if test ! -e "$queue/$perf_number.failed"
		then
			perf_value=$(perf_within $perf_number perf_evaluate "$queue/$perf_number") ||
				perf_failed=t
		else
			perf_failed=t
		fi
		{
			perf_describe_case
			printf 'figure\t%s\t%s\t%s\n' "$(cat "$queue/$perf_number.label")" "$perf_failed" \
				"${perf_value:--}"
		} | awk -v rows="$perf_rows" -f "$PERF_HOME/table.awk"
		perf_number=$((perf_number + 1))
	done
}

perf_evaluate () {
	eval "$(cat "$1.command")" 2>>"$perf_log" </dev/null
}
