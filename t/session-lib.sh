# Sessions as pages print them, run and compared.  Lines that begin with "$ " are commands, "> "
# continues one, and what follows is what a terminal shows then; "..." stands for anything.

# Makes of a session a script that runs it in one shell and keeps, for each command, what it
# printed and how it ended, and a file N.expect for each.
cat >"$TRASH/script.awk" <<\EOF
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

cat >"$TRASH/match.awk" <<\EOF
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

# The literal blocks of mdoc on standard input.
literal_blocks () {
	sed -n '/^\.Bd -literal/,/^\.Ed/{ /^\.[BE]d/d; s/\\&//g; s/\\e/\\/g; p; }'
}

# run_session NAME FILE DIRECTORY: runs the session in FILE there, and tests each of its commands;
# $number is how many there were.
run_session () {
	session=$1 session_out=$TRASH/$1.out
	mkdir "$session_out"
	awk -v out="$session_out" -f "$TRASH/script.awk" "$2" >"$TRASH/$1.sh"
	(cd "$3" && out=$session_out && export out && sh "$TRASH/$session.sh")
	number=0
	while test -e "$session_out/$((number + 1)).command"
	do
		number=$((number + 1))
		test_expect_success "$session: $(head -n 1 "$session_out/$number.command")" '
			at=$session_out/$number &&
			{ test "$(cat $at.status)" = 0 || { cat $at.actual; false; }; } &&
			if test -s $at.expect
			then
				awk -f "$TRASH/match.awk" $at.expect $at.actual
			else
				test_cmp $at.expect $at.actual
			fi
		'
	done
}
