#!/bin/sh

test_description='dig-update-index takes content as it is, and loses nothing silently'

. "$(dirname "$0")/test-lib.sh"

# Published: H(0x02 ‖ 1 ‖ 0 ‖ u32 1 ‖ u64 1 ‖ u64 6 ‖ ...) of "hello" and a newline; see t1000.
hello=5490be80a6d15b9f5956fdf2245720efea54521225882b76fcefbfd0e54033cd
empty=7261909b6553c0c893df1abec411fd7384a5d06745633ec0245c2710ff780cd3

# staged EXPECTED...: these lines of dig-diff-index in the current directory, and no others.
staged () {
	printf '%s\n' "$@" | sed '/^$/d' >"$TRASH/expect.staged" &&
	{ dig-diff-index >"$TRASH/actual.staged" || test $? = 1; } &&
	test_cmp "$TRASH/expect.staged" "$TRASH/actual.staged"
}

# record FORMAT [ARGUMENT...]: printf, with NUL behind.
record () {
	printf "$@" && printf '\0'
}

tab='	'

test_expect_success 'each kind of thing is taken, with mode, size and file root' '
	test_expect_code 10 dig-update-index --add --stdin </dev/null &&
	dig-init-store w >store &&
	cd w && mkdir -p d/e hollow && echo hello >d/e/file && chmod 750 d/e/file && : >nothing &&
	ln -s d/e/file link && seeded 300K 1 >large && ln large hard && truncate -s 1M sparse &&
	echo odd >"$(printf "n\\nt\\tq\\042b\\\\e\\377")" &&
	sleep 0.1 && take_all &&
	printf "100750 6 $hello\\td/e/file\\n100644 307200 $(dig-hash-object large)\\thard\\n" >../expect &&
	printf "040755 0 $empty\\thollow\\n100644 307200 $(dig-hash-object large)\\tlarge\\n" >>../expect &&
	printf "120777 8 $(printf d/e/file | dig-hash-object --stdin)\\tlink\\n" >>../expect &&
	printf "100644 4 %s\\t\"n\\\\nt\\\\tq\\\\\"b\\\\\\\\e\\\\377\"\\n" $(echo odd | dig-hash-object --stdin) >>../expect &&
	printf "100644 0 $empty\\tnothing\\n100644 1048576 $(dig-hash-object sparse)\\tsparse\\n" >>../expect &&
	dig-ls-index | without_times >../actual && test_cmp ../expect ../actual &&
	commit_staged one && dig-checkout-root HEAD ../out && diff -r --no-dereference --exclude=.dig . ../out
'

test_expect_success STRACE 'a file that is as it was is not opened again' '
	cd w && dig-ls-work >../records &&
	strace -f -qq -o ../calls -e signal=none -P "$TRASH/w/large" -P large -e trace=openat,openat2 \
		dig-update-index --add -A --stdin <../records &&
	test_cmp /dev/null ../calls && staged ""
'

test_expect_success 'content that changed behind size and time is noticed' '
	cd w && touch -r d/e/file ../time && echo HELLO >d/e/file && touch -r ../time d/e/file &&
	take_all && staged "M${tab}d/e/file" &&
	echo hello >d/e/file && touch -r ../time d/e/file && take_all && staged ""
'

test_expect_success 'mode and time alone are changes' '
	cd w && chmod 640 nothing && touch -d @1400000000 large && take_all &&
	staged "M${tab}hard" "M${tab}large" "M${tab}nothing" && commit_staged modes
'

test_expect_success 'only -A stages what is gone' '
	cd w && mv hollow ../ && rm large &&
	dig-ls-work >../records && dig-update-index --add --stdin <../records && staged "" &&
	dig-update-index --add -A --stdin <../records && staged "D${tab}hollow" "D${tab}large"
'

test_expect_success '-A goes no further than the scopes' '
	cd w && dig-reset -q && rm d/e/file &&
	dig-ls-work large >../records && dig-update-index --add -A --stdin <../records &&
	staged "D${tab}large" &&
	dig-ls-work d >../records && dig-update-index --add -A --stdin <../records &&
	staged "A${tab}d/e" "D${tab}d/e/file" "D${tab}large"
'

test_expect_success 'a file takes the place of a directory, and the other way round' '
	cd w && dig-reset -q && ln hard large && mv ../hollow . && rm -r d link && echo file >d && mkdir link && : >link/x &&
	printf "d\\nlink/x\\n" | dig-update-index --add --stdin-paths &&
	staged "A${tab}d" "D${tab}d/e/file" "D${tab}link" "A${tab}link/x" &&
	commit_staged swapped && dig-ls-root --name-only >../actual && ! grep -x -e d/e/file -e link ../actual &&
	rm -r d link && dig-checkout-root -f @1 . && take_all && commit_staged back &&
	dig-verify-store -q
'

# keeps_all FILE: records that do not end well stage what came, remove nothing, and are no success.
keeps_all () {
	test_expect_code 128 dig-update-index --add -A --stdin <"$1" 2>../err && test -s ../err &&
	staged "A${tab}came"
}

test_expect_success 'without the record that ends them nothing is removed, and what came is kept' '
	cd w && rm nothing large && echo came >came &&
	stat_fields=$(dig-ls-work came | tr "\\0" "\\n" | sed -n "s/^F \(.*\)${tab}.*/\1/p") &&
	{ record "S\\t." && record "F $stat_fields\\tcame"; } >../cut && keeps_all ../cut &&
	{ cat ../cut && record "E 7"; } >../miscounted && keeps_all ../miscounted &&
	{ cat ../cut && record "E 2" && record "D 755 1 1 1 1\\tlate"; } >../late && keeps_all ../late &&
	{ cat ../cut && printf "E 2"; } >../unended && keeps_all ../unended &&
	{ cat ../cut && record "Z" && record "E 3"; } >../senseless && keeps_all ../senseless &&
	{ cat ../cut && record "F 644 x\\ty" && record "E 3"; } >../malformed && keeps_all ../malformed &&
	for path in ../came "$TRASH/w/came" .dig/roots d//e/file d/e/ ./came d/../came . ""
	do
		{ cat ../cut && record "F $stat_fields\\t%s" "$path" && record "E 3"; } >../path && keeps_all ../path &&
		{ cat ../cut && record "D 755 1 1 1 1\\t%s" "$path" && record "E 3"; } >../path && keeps_all ../path ||
			return 1
	done &&
	dig-reset -q && rm came && dig-checkout-root -f HEAD . && take_all && staged ""
'

test_expect_success STRACE 'a dig-ls-work that is killed in the pipe removes nothing' '
	cd w && rm nothing large && mkdir z && : >z/new &&
	strace -f -o ../calls -e trace=getdents64 -e inject=getdents64:signal=KILL:when=6 \
		dig-ls-work 2>../err | test_expect_code 128 dig-update-index --add -A --stdin 2>../err &&
	grep "end record is missing" ../err && grep KILL ../calls &&
	{ dig-diff-index >../actual || test $? = 1; } && ! grep ^D ../actual &&
	dig-reset -q && rm -r z && dig-checkout-root -f HEAD . && take_all && staged ""
'

test_expect_success 'what could not be read is named, recorded, no removal, and taken later' '
	cd w && test_when_finished "chmod 755 d nothing" && echo more >>hard && rm sparse &&
	chmod 0 nothing d && echo secret >secret && chmod 0 secret &&
	without_override dig-ls-work >../records &&
	test_expect_code 3 without_override dig-update-index --add -A --stdin <../records 2>../err &&
	grep "cannot open .secret.: Permission denied" ../err && grep "cannot read .d.: Permission denied" ../err &&
	test_expect_code 1 dig-diff-index >../actual && grep "^D${tab}sparse" ../actual && ! grep -e "d/e/file" -e secret ../actual &&
	chmod 755 d nothing && dig-status --porcelain=v1 >../actual && grep "^.F secret" ../actual &&
	chmod 644 secret && take_all && dig-status --porcelain=v1 >../actual &&
	grep "^A  secret" ../actual && ! grep "^.F" ../actual && commit_staged later
'

test_expect_success 'a failure that lies below a directory that is closed now is in nobody'"'"'s way' '
	cd w && test_when_finished "chmod 755 d; rm -f d/secret" && echo secret >d/secret && chmod 0 d/secret &&
	echo d/secret | test_expect_code 128 without_override dig-update-index --add --stdin-paths &&
	chmod 0 d && echo free >free &&
	echo free | without_override dig-update-index --add --stdin-paths && staged "A${tab}free" &&
	without_override dig-status --porcelain=v1 >../actual && grep "^.F d" ../actual &&
	rm free && dig-reset -q
'

test_expect_success PYTHON 'pipes and sockets are skipped with a notice, which is no failure' '
	cd w && mkfifo pipe && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")" &&
	take_all 2>../err && staged "" && grep "pipe. is skipped: it is a fifo" ../err &&
	grep "socket. is skipped: it is a socket" ../err &&
	printf "pipe\\nsocket\\n" | dig-update-index --add --stdin-paths 2>../err && staged "" &&
	grep "pipe. is skipped" ../err && rm pipe socket
'

test_expect_success 'lists of paths are taken, relative to where one is; directories are passed over' '
	cd w && mkdir -p p/q && echo new >p/q/new && echo top >top && odd=$(printf "a\\nb") && : >"p/$odd" &&
	(cd p && printf "q\\nq//./new\\n../top\\n\"a\\\\nb\"\\n" | dig-update-index --add --stdin-paths) &&
	staged "A${tab}\"p/a\\nb\"" "A${tab}p/q/new" "A${tab}top" &&
	dig-reset -q &&
	(cd p && printf "q/new\\0%s\\0" "$odd" | dig-update-index --add -z --stdin-paths) &&
	staged "A${tab}\"p/a\\nb\"" "A${tab}p/q/new" && dig-reset -q
'

test_expect_success 'paths that are not there, or are none, are named; the rest is taken' '
	cd w && printf "absent\\ntop\\n" >../paths &&
	test_expect_code 3 dig-update-index --add --stdin-paths <../paths 2>../err &&
	grep "absent.: No such file" ../err && staged "A${tab}top" && dig-reset -q &&
	for path in absent ../x /x .dig/roots p/.dig
	do
		echo $path >../paths &&
		test_expect_code 128 dig-update-index --add --stdin-paths <../paths 2>../err && test -s ../err || return 1
	done &&
	staged ""
'

test_expect_success 'a dry run tells and takes nothing' '
	cd w && rm hard && odd=$(printf "a\\nb") && find .dig -type f ! -name "*lock" -exec cksum {} + >../before &&
	dig-ls-work p top hard >../records && dig-update-index --add -An --stdin <../records >../actual &&
	printf "add p/q/new\\nadd \"p/a\\\\nb\"\\nadd top\\nremove hard\\n" | sort >../expect &&
	sort ../actual | test_cmp ../expect - &&
	printf "p/%s\\0" "$odd" >../paths && dig-update-index --add -nz --stdin-paths <../paths >../actual &&
	printf "add p/%s\\0" "$odd" | cmp - ../actual && staged "" &&
	find .dig -type f ! -name "*lock" -exec cksum {} + | test_cmp ../before - && dig-checkout-root -f HEAD .
'

test_expect_success 'a stream becomes a file, with the mode and the time that are given' '
	cd w/p && echo hello | dig-update-index --add --stdin-content --path=q/stream &&
	printf "100644 6 $hello\\tp/q/stream\\n" >../../expect &&
	dig-ls-index stream q >../../actual && grep stream ../../actual | test_cmp ../../expect - &&
	seeded 3M 5 | dig-update-index --add --stdin-content --path=../stream --mode=4711 --mtime=-5 &&
	cd .. && commit_staged streams && dig-checkout-root --restore-setuid HEAD ../streams &&
	seeded 3M 5 | cmp - ../streams/stream &&
	echo "4711 -5" >../expect && stat -c "%a %Y" ../streams/stream | test_cmp ../expect - &&
	for arguments in "--path=../../x" "--path=.dig/x" "--path=/x"
	do
		test_expect_code 128 dig-update-index --add --stdin-content $arguments </dev/null || return 1
	done &&
	for arguments in "" "--path=x --mode=9" "--path=x --mode=10000" "--path=x --mtime=now"
	do
		test_expect_code 129 dig-update-index --add --stdin-content $arguments </dev/null || return 1
	done
'

test_expect_success 'the output of a command is taken if it succeeds, and nothing of it otherwise' '
	cd w && dig-update-index --add --from-command --path=output -- printf "%s" "\$HOME *" &&
	staged "A${tab}output" && commit_staged output &&
	dig-cat HEAD:output >../actual && printf "\$HOME *" | cmp - ../actual &&
	test_expect_code 128 dig-update-index --add --from-command --path=failed -- \
		sh -c "seeded 3M 6; exit 7" 2>../err &&
	grep "status 7" ../err && staged "" &&
	test_expect_code 128 dig-update-index --add --from-command --path=failed -- ./no-such-program && staged ""
'

test_expect_success 'removals are of a path and all below, and leave the work tree' '
	cd w && printf "p/q/new\\n\"p/a\\\\nb\"\\n" | dig-update-index --add --stdin-paths && commit_staged p &&
	(cd p && dig-update-index --remove ../d q) && staged "D${tab}d/e/file" "D${tab}p/q/new" "D${tab}p/q/stream" &&
	test -e d/e/file && test -e p/q/new && dig-reset -q &&
	odd=$(printf "a\\nb") && printf "p/%s\\0" "$odd" | dig-update-index --remove -z --stdin-paths &&
	staged "D${tab}\"p/a\\nb\"" && dig-reset -q &&
	test_expect_code 128 dig-update-index --remove absent 2>../err && grep absent ../err &&
	test_expect_code 3 dig-update-index --remove absent d && staged "D${tab}d/e/file" && dig-reset -q
'

test_expect_success 'what dig-ls-index prints, --index-info reads' '
	cd w && dig-ls-index >../lines && dig-ls-index -z >../records &&
	dig-update-index --remove . && dig-update-index --index-info <../lines &&
	dig-ls-index >../actual && test_cmp ../lines ../actual &&
	dig-update-index --remove . && dig-update-index --index-info -z <../records &&
	dig-ls-index >../actual && test_cmp ../lines ../actual && dig-reset -q
'

test_expect_success '--index-info gives stored content another path and mode' '
	cd w && sed -n "s/^100750 \(.*\)${tab}d.e.file/751 \1${tab}copies\/of-file/p; s/^100644\(.*\)${tab}stream/100600\1${tab}copies\/large/p" ../lines >../info &&
	sed -n "s/^\(120777.*\)${tab}link/\1${tab}copies\/link/p; s/^\(040755.*\)${tab}hollow/\1${tab}copies\/void/p" ../lines >>../info &&
	dig-update-index --index-info <../info && commit_staged copies &&
	dig-checkout-root HEAD ../copied copies && cmp d/e/file ../copied/copies/of-file &&
	test "$(readlink ../copied/copies/link)" = d/e/file && test -d ../copied/copies/void &&
	test "$(stat -c %a ../copied/copies/of-file)" = 751
'

test_expect_success '--index-info refuses what is not stored, and what makes no sense' '
	cd w && dig-reset -q && zeros=$(printf %064d 0) &&
	for line in "100644 5 $hello${tab}x" "100644 6 $zeros${tab}x" "100644 6 $hello x" "100648 6 $hello${tab}x" \
		"60644 6 $hello${tab}x" "100644 -6 $hello${tab}x" "100644 6 ${hello}0${tab}x" "100644 6 $hello${tab}../x" \
		"100644 6 $hello${tab}/x" "100644 6 $hello${tab}a//b" "100644 6 $hello${tab}.dig/x" "100644 6 $hello${tab}" \
		"100644 5 $empty${tab}x" "100644 6 $hello 1 2${tab}x" "100644 6 $hello 1s${tab}x" \
		"100644 6 $hello sha256=1${tab}x" "100644 6${tab}x"
	do
		printf "%s\\n" "$line" >../line &&
		test_expect_code 128 dig-update-index --index-info <../line 2>../err && test -s ../err && staged "" ||
			{ cat ../line; return 1; }
	done
'

test_expect_success 'by reference no content is copied until the commit' '
	dig-init-store r >store && cd r && seeded 3M 7 >big && echo hello >small && cp big kept &&
	printf "big\\nsmall\\n" >../paths && dig-update-index --add --by-reference --stdin-paths <../paths &&
	dig-ls-index | without_times >../actual && grep "^100644 6 $hello${tab}small$" ../actual && grep "^100644 3145728 .*${tab}big$" ../actual &&
	test $(cat .dig/staging/pack 2>/dev/null | wc -c) -lt 100000
'

test_expect_success 'a file that is not what it was by reference fails the commit by name, and loses nothing' '
	cd r && printf X | dd of=big bs=1 seek=2000000 conv=notrunc status=none && dig-ls-index >../before &&
	test_expect_code 128 dig-write-layer -m no 2>../err && grep "big" ../err && ! grep small ../err &&
	rm small && test_expect_code 128 dig-write-layer -m no && echo hello >small &&
	test -z "$(dig-list-roots)" && test -z "$(ls .dig/layers)" && dig-ls-index >../after && test_cmp ../before ../after &&
	cp kept big && commit_staged yes && rm big small &&
	dig-cat HEAD:big >../actual && cmp kept ../actual && dig-verify-store -q
'

test_expect_success STRACE 'a file that changes while it is read is taken as it then is' '
	cd r && seeded 3M 8 >moving && seeded 3M 9 >../moved && echo moving >../paths &&
	stopped_at moving pread64 "cp ../moved moving" sh -c "dig-update-index --add --stdin-paths <../paths" &&
	commit_staged moving && dig-cat HEAD:moving >../actual && cmp ../moved ../actual
'

test_expect_success STRACE 'a file that goes while it is read is named, and nothing of it is staged' '
	cd r && seeded 3M 10 >moving && printf "kept\\nmoving\\n" >../paths &&
	test_expect_code 3 stopped_at moving pread64 "rm moving" \
		sh -c "dig-update-index --add --stdin-paths <../paths" 2>../err &&
	grep moving ../err && staged "A${tab}kept" && dig-reset -q && dig-verify-store -q
'

test_expect_success 'wrong usage is told' '
	cd w &&
	for arguments in "" --add "--add --remove" "--add --stdin --stdin-paths" "--remove" "--index-info x" \
		"--add --stdin --path=x" "--add --stdin-paths --checkpoint-every=1MB" "--add --from-command --path=x" \
		"--add --stdin-content --path=x --checkpoint-every=often"
	do
		test_expect_code 129 dig-update-index $arguments </dev/null || { echo "$arguments"; return 1; }
	done
'

test_done
