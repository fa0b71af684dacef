#!/bin/sh

test_description='many writers, readers and checks at the same store'

. "$(dirname "$0")/test-lib.sh"

# Each writer puts files of its own into the one work tree.  A file counts as acknowledged once its add
# and a commit behind it have ended well, whoever made the state.
if test_have_prereq LONG
then
	seconds=180 writers=8 readers=4
else
	seconds=2 writers=4 readers=2
fi
export seconds writers readers kills

cat >together.sh <<\EOF
complain () {
	{ echo "$1"; cat err.$2; } >>../complaints
}

# going_on: there is time, and nothing to complain of.
going_on () {
	test ! -s ../complaints && test $(date +%s) -lt $end
}

# limited COMMAND...: killed after a while that depends on the writer and its count, where kills are
# wanted; two of three times, so that something is done on a slow machine, too.
limited () {
	if test -n "$kills" && test $((count % 3)) != 2
	then
		timeout -s KILL 0.0$(((writer * 7 + count * 13) % 90 + 10)) "$@"
	else
		"$@"
	fi
}

writer () {
	writer=$1 count=0
	while going_on
	do
		count=$((count + 1)) name=$writer.$count
		{ seeded --text 3K $((count % 5)) && echo $name; } >$name.new && mv $name.new $name
		test $((count % 4)) != 1 || seeded 300K $((count % 7)) >>$name
		limited dig-add $name >out.$name 2>err.$name
		status=$?
		case $status in
		0) ;;
		137) continue ;;
		*) complain "add of $name: $status" $name ;;
		esac
		limited dig-commit -q -m $name 2>err.$name
		status=$?
		case $status in
		0 | 1) echo $name >>../acknowledged.$writer ;;
		137) ;;
		*) complain "commit of $name: $status" $name ;;
		esac
		rm -f err.$name out.$name
	done
}

# reading NAME COMMAND...: must succeed, but for the store that has no state yet.
reading () {
	name=$1
	shift
	"$@" >../out.$name 2>err.$name && return 0
	status=$?
	complain "$*: $status" $name
}

reader () {
	while going_on
	do
		reading r$1 dig-status --porcelain=v1
		reading r$1 dig-diff-work -q -- begin
		reading r$1 dig-log
		reading r$1 dig-ls -r HEAD
		path=$(tail -n 1 ../out.r$1)
		reading r$1 dig-cat "HEAD:$path"
		rm -rf ../tree.$1
		reading r$1 dig-extract ../tree.$1
	done
}

checker () {
	while going_on
	do
		reading check dig-verify-store -q
	done
}

# together DIRECTORY
together () {
	dig-init-store $1/w >/dev/null &&
	(
		cd $1/w && echo begin >begin && printf "err.*\nout.*\n*.new\n" >.digignore && dig-add begin .digignore && dig-commit -q -m begin &&
		: >../complaints &&
		end=$(($(date +%s) + seconds)) &&
		for i in $(seq $writers)
		do
			writer $i &
		done
		for i in $(seq $readers)
		do
			reader $i &
		done
		checker
		wait
		rm -f err.* out.*
		cat ../complaints && test ! -s ../complaints || exit 1
		dig-verify-store -q && { dig-commit -q -m end || test $? = 1; } &&
		dig-extract ../end &&
		cat ../acknowledged.* >../all && echo "$(wc -l <../all) files acknowledged, $(dig-list-roots | wc -l) states" &&
		test -s ../all &&
		while read -r name
		do
			cmp $name ../end/$name || exit 1
		done <../all
	)
}
EOF
. ./together.sh

test_expect_success 'nothing is lost, and nothing is called corrupt that is not' '
	mkdir plain && kills= && together plain
'

test_expect_success 'nor where commands are killed' '
	mkdir killed && kills=yes && together killed
'

test_expect_success UNSHARE 'nor on a file system in memory' '
	mkdir memory && kills= &&
	unshare --map-root-user --mount sh -c "mount -t tmpfs none memory && . ./together.sh && together memory"
'

test_expect_success LONG,UNSHARE 'nor there where commands are killed' '
	kills=yes &&
	unshare --map-root-user --mount sh -c "mount -t tmpfs none memory && . ./together.sh && together memory"
'

test_done
