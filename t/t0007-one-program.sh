#!/bin/sh

test_description='all tools are one program, which is installed once and knows by its name what it is'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..
(cd "$source_directory" && ls plumbing/*.cpp porcelain/*.cpp) | sed 's|.*/||; s|\.cpp$||' |
	grep -vx -e dig -e fetch-url -e remote-http -e remote-s3 -e serve -e verify-proof | sort >names

test_expect_success 'a name says what the program is, with dig- and without, behind links of other names too' '
	mkdir links && cd links &&
	ln -s "$DIG_BUILD/dig" dig-chunk && ln -s "$DIG_BUILD/dig" chunk &&
	ln -s dig-chunk other && ln -s ../links/other "one more" && ln -s "$DIG_BUILD/dig" d &&
	dig-chunk -h >expect && grep "^dig-chunk " expect &&
	for name in dig-chunk chunk other "one more"
	do
		./"$name" -h >actual && test_cmp expect actual || return 1
	done &&
	./d --version >actual && dig --version | test_cmp - actual &&
	./d chunk -h >actual && grep "^dig chunk " actual
'

test_expect_success 'dig runs each tool by its name, in the process that is there' '
	while read -r name
	do
		dig $name -h >actual && grep "^dig[- ]$name\( \|\$\)" actual || { echo $name; return 1; }
	done <names &&
	sh -c "echo \$\$; exec dig ls-work --list-options" >actual && test -s actual
'

test_expect_success STRACE 'dig starts no other program for a tool of its own' '
	strace -f -e trace=execve -o calls dig chunk -h >actual &&
	test $(grep -c "execve(" calls) = 1
'

test_expect_success 'another program in the exec path is preferred, and one in PATH is found' '
	mkdir commands more &&
	cp "$DIG_BUILD/dig" "$DIG_BUILD/commands" commands/ && ln -s dig commands/dig-hash-object &&
	printf "#!/bin/sh\necho own chunk: \"\$@\"\n" >commands/dig-chunk &&
	printf "#!/bin/sh\necho more: \"\$@\"; exit 7\n" >more/dig-more &&
	printf "#!/bin/sh\necho never\n" >more/dig-ls &&
	chmod +x commands/* more/* &&
	commands/dig chunk a "b c" >actual && echo "own chunk: a b c" | test_cmp - actual &&
	DIG_EXEC_PATH=$TRASH/commands dig chunk d >actual && echo "own chunk: d" | test_cmp - actual &&
	test_expect_code 7 env PATH="$TRASH/more:$PATH" dig more x >actual && echo "more: x" | test_cmp - actual &&
	PATH=$TRASH/more:$PATH dig ls -h >actual && ! grep never actual
'

test_expect_success 'signals and statuses are those of the tool' '
	test_expect_code 129 dig chunk --no-such 2>err && grep "^dig chunk: .*no-such" err &&
	test_expect_code 10 dig ls-index 2>err &&
	{ (until test -e closed; do sleep 0.05; done; dig hash-object names; echo $? >status) |
		{ exec <&-; : >closed; }; } && test $(cat status) = 141
'

test_expect_success 'no two tools have a type of the same name, since the linker would take one for both' '
	(cd "$source_directory" && grep -HoE "^(struct|class|enum class|enum|union) [A-Za-z_]+" plumbing/*.cpp porcelain/*.cpp) |
		sed "s/:.* /: /" | sort -u | sed "s/.*: //" | sort | uniq -d >twice &&
	test_cmp /dev/null twice
'

if readelf --version >/dev/null 2>&1
then
	test_set_prereq READELF
fi

# What is built before main() costs every tool, used or not.
test_expect_success READELF,!SANITIZED 'no object file of ours has anything to run before main()' '
	find "$DIG_BUILD" -name "*.o" ! -path "*/t/*" >objects && test $(wc -l <objects) -gt 100 &&
	while read -r object
	do
		! readelf -SW "$object" | grep -q -e "\.init_array" -e "\.ctors" || echo "$object"
	done <objects >actual &&
	test_cmp /dev/null actual
'

if make --version >/dev/null 2>&1
then
	test_set_prereq MAKE
fi

# make TARGET...: of this build, which is left as it is.
make_of_this () {
	make -s --no-print-directory -C "$source_directory" srcdir=. O="$DIG_BUILD" DESTDIR= "$@"
}

# A sanitizer, and counters of lines, make of it what nobody installs.
is_small () {
	test_have_prereq SANITIZED || test $(du -sk "$1" | cut -f1) -le 25000
}

test_expect_success MAKE 'an installation has the program once, and takes at most 25 MB' '
	make_of_this prefix="$TRASH/hard" install-built && is_small hard &&
	ls hard/libexec/dig | sed -n "s/^dig-//p" | grep -vx -e fetch-url -e remote-http -e remote-s3 -e serve -e verify-proof | sort | test_cmp names - &&
	find hard -type f -links 1 -name "dig*" -path "*/bin/*" >single && test_cmp /dev/null single &&
	while read -r name
	do
		test hard/bin/dig -ef hard/libexec/dig/dig-$name && hard/libexec/dig/dig-$name --version || return 1
	done <names >versions &&
	sort -u versions >actual && dig --version | test_cmp - actual
'

test_expect_success MAKE 'an installation into DESTDIR has symbolic links, which hold where it is moved to' '
	make_of_this prefix=/opt/dig DESTDIR="$TRASH/staged" install-built && is_small staged &&
	mkdir moved && mv staged/opt/dig "moved/to here" && home="$TRASH/moved/to here" &&
	test "$(find "$home" -type l | wc -l)" = $(wc -l <names) &&
	PATH=/usr/bin:/bin "$home/bin/dig" --exec-path >actual && echo "$home/libexec/dig" | test_cmp - actual &&
	mkdir work && (cd work && PATH=/usr/bin:/bin && seq 1000 >file && "$home/bin/dig" init && "$home/bin/dig" add -A &&
		"$home/libexec/dig/dig-status" >../actual && "$home/bin/dig" help add >../page </dev/null) &&
	grep "file$" actual && grep "stag" page
'

test_expect_success MAKE 'uninstall leaves nothing of it, and nothing else goes' '
	make_of_this prefix="$TRASH/hard" install-debug uninstall && test ! -e hard &&
	make_of_this prefix=/opt/dig DESTDIR="$TRASH/staged" install-built install-debug &&
	make_of_this prefix=/opt/dig DESTDIR="$TRASH/staged" uninstall &&
	find staged >actual && echo staged | test_cmp - actual &&
	make_of_this prefix="$TRASH/hard" install-built && echo mine >hard/bin/mine && mkdir hard/share/empty &&
	make_of_this prefix="$TRASH/hard" uninstall && find hard | sort >actual &&
	printf "%s\n" hard hard/bin hard/bin/mine hard/share hard/share/empty | test_cmp - actual
'

test_expect_success MAKE,READELF 'the program is stripped, and its debug data are beside it by their id' '
	make_of_this prefix="$TRASH/hard" install-built install-debug &&
	! readelf -SW hard/bin/dig | grep -q "\.debug_" &&
	id=$(readelf -n hard/bin/dig | sed -n "s/^ *Build ID: //p") && test -n "$id" &&
	debug=hard/lib/debug/.build-id/$(echo $id | sed "s|^..|&/|").debug &&
	# The line numbers, too, unless the build has none.
	readelf -SW "$DIG_BUILD/dig" | grep -oE "\.(debug_line|symtab)" | sort -u >expect && grep symtab expect &&
	readelf -SW $debug | grep -oE "\.(debug_line|symtab)" | sort -u | test_cmp expect -
'

test_done
