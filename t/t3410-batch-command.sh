#!/bin/sh

test_description='dig-cat --batch-command and --batch-check answer a program on a pair of pipes'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'a store with two states' '
	dig-init-store w >store && cd w && dig-config core.compression none && mkdir -p d/e empty &&
	echo hello >hello && echo one >"$(printf "hello\t0-2")" && : >nothing && ln -s d/e link &&
	seeded 700K 1 >d/middle && seeded 9M 2 >d/e/large && echo first >changes && echo "marked for damage" >mark &&
	echo spaced >"a name  with spaces" && echo line >"$(printf "two\nlines")" &&
	commit_all one && echo second >changes && commit_all two && dig-hash-object hello >../root
'
root=$(cat root)
chunk=5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03

# answers REPLIES...: to the requests on standard input.
answers () {
	cat >../requests &&
	for options in --batch-command "--batch-command --buffer"
	do
		dig-cat $options <../requests >../actual && test_cmp ../expect ../actual || return 1
	done
}

test_expect_success 'contents, range, info and exists' '
	cd w &&
	printf "%s\n" "$root file 6" hello "" "$root file 3" ell "$root file 6" "HEAD:hello exists" \
		"$chunk chunk 6" hello "" "$chunk chunk 6" "$(dig-hash-object nothing) file 0" "" >../expect &&
	answers <<-EOT
	contents HEAD:hello
	range 1-3 HEAD:hello
	info HEAD:hello
	exists HEAD:hello
	contents $chunk
	info $chunk
	contents HEAD:nothing
	EOT
'

test_expect_success 'a symbolic link, states by all names, and content of other sizes' '
	cd w &&
	printf "contents HEAD:link\ncontents @1:changes\ncontents HEAD:changes\ncontents HEAD:d/middle\nrange 1000-600000 HEAD:d/middle\ncontents HEAD:d/e/large\nrange -5 HEAD:d/e/large\nrange 100-5000 HEAD:d/e/large\n" >../requests &&
	dig-cat --batch-command --buffer <../requests >../actual &&
	{
		printf "%s symlink 3\nd/e\n" "$(printf d/e | dig-hash-object --stdin)" &&
		printf "%s file 6\nfirst\n\n" "$(echo first | dig-hash-object --stdin)" &&
		printf "%s file 7\nsecond\n\n" "$(echo second | dig-hash-object --stdin)" &&
		middle=$(dig-hash-object d/middle) && large=$(dig-hash-object d/e/large) &&
		echo "$middle file 716800" && cat d/middle && echo &&
		echo "$middle file 599001" && tail -c +1001 d/middle | head -c 599001 && echo &&
		echo "$large file 9437184" && cat d/e/large && echo &&
		echo "$large file 5" && tail -c 5 d/e/large && echo &&
		echo "$large file 4901" && tail -c +101 d/e/large | head -c 4901 && echo
	} >../expect && cmp ../expect ../actual
'

test_expect_success 'each reason why there is nothing to show has a word' '
	cd w &&
	cat >../expect <<-EOT &&
	HEAD:absent missing
	@9:hello no-such-state
	HEAD:d directory
	HEAD:empty directory
	HEAD: directory
	HEAD:d directory
	HEAD:hello beyond-end
	HEAD:../hello malformed
	hello malformed
	x-3 HEAD:hello malformed
	content HEAD:hello malformed
	 malformed
	$(printf %064d 1) missing
	HEAD:absent missing
	HEAD:absent missing
	HEAD:d directory
	$chunk unsupported
	EOT
	answers <<-EOT
	contents HEAD:absent
	info @9:hello
	contents HEAD:d
	info HEAD:empty
	contents HEAD:
	exists HEAD:d
	range 6- HEAD:hello
	info HEAD:../hello
	info hello
	range x-3 HEAD:hello
	content HEAD:hello

	contents $(printf %064d 1)
	exists HEAD:absent
	prove HEAD:absent
	prove HEAD:d
	prove $chunk
	EOT
'

test_expect_success 'a proof is the one that dig-prove makes' '
	cd w && { dig-prove HEAD:hello >../proof; } && printf "proof %d\n" $(wc -c <../proof) >../expect && cat ../proof >>../expect && echo >>../expect &&
	echo "prove HEAD:hello" | dig-cat --batch-command >../actual && test_cmp ../expect ../actual
'

test_expect_success 'names are quoted or, with -z, verbatim' '
	cd w &&
	printf "%s\n" "$(echo line | dig-hash-object --stdin) file 5" line "" "$(echo spaced | dig-hash-object --stdin) file 7" \
		spaced "" "$root file 6" "$root file 6" "\"HEAD:x malformed" >../expect &&
	answers <<-\EOT &&
	contents "HEAD:two\nlines"
	contents HEAD:a name  with spaces
	info HEAD:d/../hello
	info HEAD:./hello
	info "HEAD:x
	EOT
	printf "contents HEAD:hello\t0-2\0range 1-2 HEAD:hello\t0-2\0info HEAD:two\nlines\0info \"HEAD:hello\"\0" >../requests &&
	{ printf "%s file 4\0one\n\0" "$(echo one | dig-hash-object --stdin)" &&
		printf "%s file 2\0ne\0" "$(echo one | dig-hash-object --stdin)" &&
		printf "%s file 5\0\"HEAD:hello\" no-such-state\0" "$(echo line | dig-hash-object --stdin)"; } >../expect &&
	dig-cat -z --batch-command <../requests >../actual && cmp ../expect ../actual
'

test_expect_success '--batch-check prints kinds and sizes, or a word' '
	cd w &&
	printf "%s\n" HEAD:hello @9:hello HEAD:absent HEAD:link HEAD:d $chunk no >../requests &&
	printf "%s\n" "$root file 6" "@9:hello missing" "HEAD:absent missing" \
		"$(printf d/e | dig-hash-object --stdin) symlink 3" "HEAD:d directory" "$chunk chunk 6" "no malformed" >../expect &&
	dig-cat --batch-check <../requests >../actual && test_cmp ../expect ../actual &&
	tr "\n" "\0" <../requests | dig-cat -z --batch-check --buffer | tr "\0" "\n" | test_cmp ../expect -
'

test_expect_success 'who waits for each reply gets it, and new commits are seen' '
	cd w && mkfifo ../to ../from && { dig-cat --batch-command <../to >../from & } && exec 7>../to 8<../from &&
	echo contents HEAD:changes >&7 && read -r head <&8 && read -r line <&8 && read -r empty <&8 && test "$line" = second &&
	echo third >changes && commit_all three &&
	printf "info HEAD:hello\ncontents HEAD:chan" >&7 && read -r head <&8 && test "$head" = "$root file 6" &&
	printf "ges\n" >&7 && read -r head <&8 && read -r line <&8 && read -r empty <&8 && test "$line" = third &&
	exec 7>&- 8<&- && wait
'

test_expect_success 'with --buffer, flush writes what waits' '
	cd w && rm ../to ../from && mkfifo ../to ../from && { dig-cat --batch-command --buffer <../to >../from & } &&
	exec 7>../to 8<../from &&
	printf "info HEAD:hello\nexists HEAD:link\nflush\n" >&7 && read -r head <&8 && test "$head" = "$root file 6" &&
	read -r head <&8 && test "$head" = "HEAD:link exists" && printf "info HEAD:absent\n" >&7 && exec 7>&- &&
	read -r head <&8 && test "$head" = "HEAD:absent missing" && exec 8<&- && wait
'

test_expect_success STRACE 'with --buffer, replies go out together' '
	cd w && for i in $(seq 200); do echo info HEAD:hello; done >../requests &&
	strace -f -qq -e trace=write -o ../calls dig-cat --batch-command --buffer <../requests >../actual &&
	test $(grep -c "write(1" ../calls) = 1 && test $(sort -u ../actual | wc -l) = 1 && test $(wc -l <../actual) = 200
'

test_expect_success 'thousands of requests in any order, by one thread and by several' '
	mkdir many && cd many && dig-init-store . >/dev/null && mkdir a b &&
	seeded --text 3M 5 | split -b 1000 -a 3 - a/ && seeded 300K 6 | split -b 700 -a 3 - b/ && commit_all one &&
	for i in 1 2 3; do ls a/* b/* | sort -R --random-source=../w/d/middle; done >../names &&
	test $(wc -l <../names) -gt 9000 && sed "s/^/contents HEAD:/" ../names >../requests &&
	dig-hash-object --stdin-paths <../names >../roots &&
	paste -d "\n" ../names ../roots | while read -r name && read -r root
	do
		case $name in a/*) size=1000 ;; *) size=700 ;; esac
		echo "$root"
	done >../expect.roots &&
	cp ../requests ../requests.many &&
	dig-cat --batch-command --buffer <../requests >../actual && xargs cat <../names | wc -c >../size &&
	grep -a -o "^[0-9a-f]\{64\} file [0-9]*$" ../actual | cut -c 1-64 | test_cmp ../expect.roots - &&
	DIG_CONFIG=performance.max_worker_threads=1 dig-cat --batch-command <../requests >../one && cmp ../actual ../one &&
	DIG_CONFIG=performance.max_memory_usage=40MB dig-cat --batch-command --buffer <../requests >../one && cmp ../actual ../one
'

test_expect_success 'content that is more than the memory for it, in any order, each of it twice' '
	cd many && sort -R --random-source=../w/d/e/large ../names >../others && cat ../others >>../names &&
	sed "s/^/contents HEAD:/" ../names | tee ../requests.twice |
		DIG_CONFIG=performance.max_memory_usage=16MB dig-cat --batch-command --buffer >../parts &&
	dig-cat --batch-command <../requests.twice >../whole && cmp ../whole ../parts &&
	head -c $(wc -c <../actual) ../whole | cmp ../actual - &&
	tr "\n" "\0" <../others | xargs -0 -n 1000 cat >../expect.bytes &&
	sed "s/^/contents HEAD:/" ../others | dig-cat --batch-command --buffer |
		grep -a -v "^[0-9a-f]\{64\} file [0-9]*$" | tr -d "\n" | cksum >../actual.sum &&
	tr -d "\n" <../expect.bytes | cksum | test_cmp - ../actual.sum
'

test_expect_success '!SANITIZED' 'memory stays below 100 MB' '
	cd many && within-memory dig-cat --batch-command --buffer <../requests >../one && cmp ../actual ../one &&
	cd ../w && for i in $(seq 500); do echo contents HEAD:d/middle; done | within-memory dig-cat --batch-command --buffer |
		wc -c >../size && echo $((500 * (716800 + 1 + 64 + 13))) | test_cmp - ../size
'

test_expect_success '!SANITIZED' 'ranges of a large file take no memory beside that of small files' '
	cd many && seeded 60M 7 >big && commit_all big && cp ../requests.many ../requests &&
	for i in $(seq 0 290); do echo "range $((i * 200000))-$((i * 200000 + 199999)) HEAD:big"; done >>../requests &&
	cat ../requests.many >>../requests && within-memory dig-cat --batch-command --buffer <../requests >../both &&
	dig-cat --batch-command <../requests | cmp - ../both
'

test_expect_success 'what is damaged is corrupt, and no other reply is' '
	cd w && layer=$(grep -l "marked for damage" .dig/layers/*) && chmod u+w $layer &&
	offset=$(grep -abo "marked for damage" $layer | head -n 1 | cut -d: -f1) &&
	printf X | dd of=$layer bs=1 seek=$offset conv=notrunc status=none &&
	printf "%s\n" "HEAD:mark corrupt" "$root file 6" hello "" "$(echo "marked for damage" | dig-hash-object --stdin) file 18" \
		"HEAD:mark corrupt" >../expect &&
	answers <<-\EOT
	contents HEAD:mark
	contents HEAD:hello
	info HEAD:mark
	range 3-5 HEAD:mark
	EOT
'

test_expect_success 'what does not go together is refused' '
	cd w &&
	for options in "--batch-command --batch" "--batch-check --batch-command" "--batch-command HEAD:hello" \
		"--batch-check --range=1-2" "--buffer HEAD:hello" "--buffer --batch"
	do
		test_expect_code 129 dig-cat $options </dev/null || return 1
	done &&
	printf "info HEAD:hello\0info HEAD" >../requests && test_expect_code 128 dig-cat -z --batch-command <../requests >../actual &&
	printf "%s file 6\0" $root | cmp - ../actual
'

test_done
