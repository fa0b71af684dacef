#!/bin/sh

test_description='each tool has a page, and the page says what the tool does'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..
pages=$source_directory/Documentation

if ! mandoc -Tlint "$pages/dig-chunking.7" >/dev/null 2>&1 && ! command -v mandoc >/dev/null
then
	skip_all='there is no mandoc'
	test_done
fi

# "dig" and dig-X for each source.
(cd "$source_directory" && ls plumbing porcelain) |
	sed -n 's/\.cpp$//p; s/\.sh$//p' | grep -vx dig | sed 's/^/dig-/' >tools
echo dig >>tools

# These are left out where there is no libcurl, or no libmicrohttpd.
needs_library () {
	case $1 in
	dig-fetch-url | dig-remote-http | dig-remote-s3 | dig-serve) ;;
	*) return 1 ;;
	esac
}

# For every tool what it says to -h, and how that ended.
mkdir usage synopsis
while read -r tool
do
	test -x "$DIG_BUILD/$tool" || ! needs_library $tool || continue
	$tool -h >"usage/$tool.help" 2>"usage/$tool.err"
	echo $? >"usage/$tool.status"
	cp "usage/$tool.help" "usage/$tool.text"
done <tools

# The forms of a usage, a line each: "usage: " and "   or: " are decoration, and a line that
# begins with a blank goes on with the form before it.
cat >forms.awk <<\EOF
FNR == 1 { flush(); is_over = 0; file = FILENAME; sub(/text$/, "expect", file) }
{ sub(/^usage: /, ""); sub(/^   or: /, "") }
/^$/ { is_over = 1 }
is_over { next }
/^ / { sub(/^ */, ""); form = form " " $0; next }
{ flush(); form = $0 }
END { flush() }
function flush() { if (form != "") print form >file; form = "" }
EOF
awk -f forms.awk usage/*.text

# Those of the pages' SYNOPSIS, blanks squeezed.  mandoc prints bold and underlined letters
# twice, with a backspace between.
while read -r tool
do
	test -e "$pages/$tool.1" && echo "$pages/$tool.1"
done <tools | xargs mandoc -Tascii -O width=500 |
	sed "s/.$(printf '\b')//g; s/  */ /g; s/ $//" >text
awk '
/^SYNOPSIS$/ { is_synopsis = 1; next }
/^[A-Z]/ { is_synopsis = 0 }
is_synopsis && sub(/^ /, "") { print >("synopsis/" $1 ".actual") }' text

# What is wrong is said as a person needs it who adds a tool by Documentation/Contributing.
test_expect_success 'each tool was built' '
	while read -r tool
	do
		test -x "$DIG_BUILD/$tool" || needs_library $tool || echo "$tool is not built: run make"
	done <tools >without &&
	test_cmp /dev/null without
'

test_expect_success 'each tool has a page with one line about it' '
	while read -r tool
	do
		if ! test -e "$pages/$tool.1"
		then
			echo "$tool has no page: write Documentation/$tool.1"
		elif ! grep -c -e "^\.Nd [a-z]" -e "^\.Nm $tool\$" "$pages/$tool.1" | grep -qx 2
		then
			echo "Documentation/$tool.1 needs the lines \".Nm $tool\" and \".Nd ...\" under NAME, once"
		fi
	done <tools >without &&
	test_cmp /dev/null without
'

test_expect_success '-h goes to standard output, and is 0' '
	cat usage/*.err >talk &&
	test_cmp /dev/null talk &&
	{ grep -vx 0 usage/*.status >failed || :; } &&
	test_cmp /dev/null failed
'

test_expect_success '-h fits 80 columns' '
	{ grep -E ".{81}" usage/*.help >wide || :; } &&
	test_cmp /dev/null wide
'

test_expect_success 'the SYNOPSIS of each page is the usage of its tool' '
	(cd usage && ls *.expect) | sed "s/\.expect$//" >with_usage && test -s with_usage &&
	while read -r tool
	do
		test_cmp usage/$tool.expect synopsis/$tool.actual >difference 2>&1 ||
			{ echo "the usage of $tool (-) is not the SYNOPSIS of Documentation/$tool.1 (+):" && cat difference; }
	done <with_usage >without &&
	test_cmp /dev/null without
'

# "name TAB line" for each tool but dig, from the pages.
while read -r tool
do
	test $tool = dig || sed -n "s/^\.Nd /$tool	/p" "$pages/$tool.1"
done <tools | sort >lines

test_expect_success 'dig(1) lists each command with the line of its page' '
	sed "s/	/(1) /" lines | sort >expect &&
	sed -n "s/^ \(dig-[a-z0-9-]*(1) [a-z].*\)/\1/p" text | sort -u >actual &&
	{
		comm -23 expect actual | sed "s/^/Documentation\/dig.1 has to list, below \"For people\" or \"For scripts\": /"
		comm -13 expect actual | sed "s/^/Documentation\/dig.1 lists what is no line of a page: /"
	} >without &&
	test_cmp /dev/null without
'

test_expect_success 'dig lists each command with the line of its page' '
	sed "s/^dig-//; s/	/ /" lines | sort >expect &&
	sed -n "s/^  \([a-z][a-z0-9-]*\)  */\1 /p" usage/dig.help | sort >actual &&
	{
		comm -23 expect actual | sed "s/^/\"dig\" does not list, until make is run: /"
		comm -13 expect actual | sed "s/^/\"dig\" lists what is no line of a page: /"
	} >without &&
	test_cmp /dev/null without
'

test_expect_success 'each tool is run by a test that is not about all tools' '
	while read -r tool
	do
		cat "$TEST_DIRECTORY"/t[1-9]*.sh | grep -qw -e "$tool" -e "dig ${tool#dig-}" ||
			echo "$tool has no test: write t/tNNNN-${tool#dig-}.sh (t/README)"
	done <tools >without &&
	test_cmp /dev/null without
'

test_expect_success 'no page is about a tool that is not there' '
	(cd "$pages" && ls *.1 | sed "s/\.1$//" | sort) >actual &&
	sort tools >expect &&
	test_cmp expect actual
'

test_expect_success 'pages refer to pages that are there' '
	for page in "$pages"/*.[157]
	do
		sed -n "s/^\.*.*Xr \(dig[a-z0-9-]*\) \([157]\).*/\1.\2/p" "$page"
	done | sort -u >named &&
	while read -r name
	do
		test -e "$pages/$name" || echo "$name"
	done <named >missing &&
	test_cmp /dev/null missing
'

test_expect_success 'mandoc has no errors or warnings about any page' '
	{ mandoc -Tlint -Wwarning "$pages"/*.[157] >said || :; } &&
	{ grep -E ": (WARNING|ERROR|UNSUPP|SYNTAX)" said >actual || :; } &&
	test_cmp /dev/null actual
'

test_expect_success 'every variable of the environment that is read has a page' '
	(cd "$source_directory" &&
		cat libdig/*/*.cpp libdig/*/*.h plumbing/*.cpp porcelain/*.cpp porcelain/*.sh) |
		grep -oE "\"(DIG_[A-Z0-9_]+|SOURCE_DATE_EPOCH|XDG_[A-Z_]+)\"" | tr -d \" |
		sort -u >read &&
	cat "$pages"/*.[157] >all &&
	while read -r name
	do
		grep -qw "$name" all || echo "$name"
	done <read >missing &&
	test_cmp /dev/null missing
'

test_done
