#!/bin/sh

test_description='the tours of README.md and dig-tutorial(7), run as they are printed'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..

# The sessions: lines that begin with "$ " are commands, "> " continues one, and what follows is
# what a terminal shows then.
sed -n '/^```console$/,/^```$/{ /^```/d; p; }' "$source_directory/README.md" >readme
sed -n '/^\.Bd -literal/,/^\.Ed/{ /^\.[BE]d/d; s/\\&//g; s/\\e/\\/g; p; }' \
	"$source_directory/Documentation/dig-tutorial.7" >tutorial

# Makes of a session a script that runs it in one shell and keeps, for each command, what it
# printed and how it ended, and a file N.expect for each.
cat >script.awk <<\EOF
function end_command()
{
	if (n)
		printf "\n} >\"$out/%d.actual\" 2>&1\necho $? >\"$out/%d.status\"\n", n, n
}
/^\$ / {
	end_command()
	n++
	name = out "/" n ".expect"
	printf "" >name
	print substr($0, 3) >(out "/" n ".command")
	printf "{\n%s", substr($0, 3)
	next
}
/^> / { printf "\n%s", substr($0, 3); next }
n { print >name }
END { end_command() }
EOF

# "..." in what is printed stands for anything.
cat >match.awk <<\EOF
FNR == NR {
	gsub(/[][\\.*^$(){}+?|]/, "[&]")
	gsub(/\[\\\]/, "\\\\")
	gsub(/\[\^\]/, "\\^")
	gsub(/\[[.]\]\[[.]\]\[[.]\]/, ".*")
	pattern[FNR] = "^" $0 "$"
	count = FNR
	next
}
FNR > count || $0 !~ pattern[FNR] { print "unexpected: " $0; failed = 1 }
{ seen = FNR }
END {
	if (seen < count) { print "missing: lines from " seen + 1 " on"; failed = 1 }
	exit failed
}
EOF

for session in readme tutorial
do
	mkdir $session.out $session.work
	awk -v out=$session.out -f script.awk $session >$session.sh
	(cd $session.work && out=$TRASH/$session.out && export out && sh "$TRASH/$session.sh")
	number=0
	while test -e $session.out/$((number + 1)).command
	do
		number=$((number + 1))
		test_expect_success "$session: $(head -n 1 $session.out/$number.command)" '
			at=$session.out/$number &&
			{ test "$(cat $at.status)" = 0 || { cat $at.actual; false; }; } &&
			if test -s $at.expect
			then
				awk -f match.awk $at.expect $at.actual
			else
				test_cmp $at.expect $at.actual
			fi
		'
	done
	test_expect_success "the $session has a session to run" '
		test $number -ge 10
	'
done

test_done
