#!/bin/sh

test_description='states go to a remote and come from it: clone, push, fetch, helpers'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/crash-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2'
export DIG_CONFIG

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

# commit_files NUMBER: a state with some files of its own.
commit_files () {
	seq $1 30000 >f$1 && seeded 200K $1 >r$1 && cp f$1 again && commit_all $1 >/dev/null
}

# A helper that counts requests, and passes them on.
mkdir bin && cat >bin/dig-remote-counted <<\EOF
#!/bin/sh
place=${1#counted://} && tee -a "$REQUESTS" | dig-remote-file "$place"
EOF
chmod +x bin/dig-remote-counted && PATH=$TRASH/bin:$PATH && REQUESTS=$TRASH/requests && export REQUESTS

# requests: of the helpers since the last call, one word for each.
requests () {
	LC_ALL=C grep -aoE "^(get|list|put-new|delete|check) [a-z0-9/-]*" "$REQUESTS" | cut -d " " -f 1 | tr "\n" " "
	: >"$REQUESTS"
}

test_expect_success 'a store of three states is pushed, and cloned' '
	DIG_CONFIG="chunking.target=16KB" dig-init-store w >/dev/null && (cd w && for number in 1 2 3; do commit_files $number || exit 1; done &&
		dig remote add origin "$TRASH/remote" && dig push >../out && states >../expect) &&
	grep "^sent @1 to @3, " out && dig clone remote x >out && grep "^@1 to @3, " out &&
	(cd x && dig-verify-store -q && states >../actual && dig-status >../status) && test_cmp expect actual &&
	diff -r --exclude=.dig w x && ! grep ":" status && test "$(cd x && dig remote)" = "origin	$TRASH/remote"
'

test_expect_success 'what is new travels, in both directions' '
	(cd x && commit_files 4 && dig push -q && cp r4 moved && commit_all 5 >/dev/null && dig-send-states >../out) && grep "^sent @5, " out &&
	(cd w && dig fetch --plan >../plan && dig-info generation && dig-fetch-states >../out && dig-verify-store -q && states >../actual) >generation &&
	grep -x 3 generation && grep "^would bring @4 to @5, " plan && grep "^@4 to @5, " out && (cd x && states) >expect && test_cmp expect actual &&
	test $(find remote/packs -type f -size +100k | wc -l) = 2 && (cd w && dig fetch) >out && grep -x "nothing is new" out &&
	(cd w && dig push) >out && grep -x "the remote has all states, up to @5" out
'

test_expect_success 'a push of nothing and a fetch of nothing take three requests' '
	(
		cd w && dig remote add counted "counted://$TRASH/remote" && dig push -q counted && requests >/dev/null &&
		dig push -q counted && requests >../pushed && dig fetch -q counted && requests >../fetched
	) &&
	test "$(cat pushed)" = "get list get " && test "$(cat fetched)" = "get list get "
'

test_expect_success 'a new state takes few requests, and no more bytes than are new' '
	(cd x && commit_files 6 && dig push -q && size=$(wc -c <$(layer_of 6)) && echo $size) >size &&
	(cd w && dig fetch counted && requests >../fetched) >out && test "$(cat fetched)" = "get list get get " &&
	newest=$(ls -t remote/packs | head -n 1) && test $(wc -c <remote/packs/$newest) -le $(cat size)
'

test_expect_success 'who has some of the states of one push from elsewhere gets the content of the others' '
	(cd x && dig export -q --at=@3 ../three && dig push -q ../at.once) && dig-init-store partly >/dev/null &&
	(cd partly && dig import -q ../three && dig fetch -q ../at.once && dig-verify-store -q && dig-info root) >actual && (cd x && dig-info root) >expect &&
	test_cmp expect actual && test $(cat partly/.dig/layers/* | wc -c) -lt $(($(cat at.once/packs/* | wc -c) * 11 / 10))
'

# --- both have gone on ----------------------------------------------------------------------------

# The index knows what the work tree has of theirs only once somebody writes it there.
test_expect_success 'whoever comes second makes its states anew over those of the others' '
	cp -a x y && (cd x && echo x >own.x && dig-add own.x && dig-commit -q -m x && dig push -q && dig-info root) >expect &&
	(
		cd y && mkdir -p e && cp r2 e/r2 && seeded 50K 88 >new.y && dig-add e new.y && dig-commit -q -m y1 && rm -f f2 && dig-rm -q --cached f2 &&
		dig-commit -q -m y2 && dig-log | grep -A1 "^Author" >../authors && dig push >../out && dig-verify-store -q && states >../expect &&
		dig-log | grep -A1 "^Author" | head -n 5 >../actual
	) &&
	grep "^@7, .*; @7 to @8 of this store are @8 to @9 now$" out && grep "^sent @8 to @9, " out && head -n 5 authors | test_cmp - actual &&
	(cd x && dig fetch -q && dig-verify-store -q && states >../actual && dig-cat HEAD:new.y | cmp - ../y/new.y && dig-cat HEAD:own.x &&
		test_expect_code 128 dig-cat HEAD:f2 2>../err && dig-cat @8:f2 | cmp - f2) && test_cmp expect actual
'

test_expect_success '... by a fetch, too' '
	(cd x && echo two >two.x && dig-add two.x && dig-commit -q -m x2 && dig push -q) &&
	(cd y && echo two >two.y && dig-add two.y && dig-commit -q -m y3 && echo staged >staged && dig-add staged && dig fetch >../out && dig-verify-store -q &&
		{ dig-diff-index >../staged || :; } && dig-commit -q -m staged && dig push -q && dig-cat HEAD:two.x && dig-cat HEAD:staged && dig-cat HEAD:two.y) &&
	grep "@10 of this store is @11 now" out && grep staged staged && test $(wc -l <staged) = 1 && (cd x && dig fetch -q && dig-verify-store -q)
'

test_expect_success 'a path that both have changed is named, and nothing is changed' '
	(cd x && echo x >both && mkdir -p deep && echo x >deep/file && dig-add both deep && dig-commit -q -m x3 && dig push -q) &&
	(
		cd y && echo y >both && echo y >same && dig-add both same && dig-commit -q -m y4 && states >../before && ls .dig/layers >>../before &&
		test_expect_code 1 dig push 2>../err && test_expect_code 1 dig fetch 2>>../err && states >../after && ls .dig/layers >>../after && dig-verify-store -q
	) &&
	test_cmp before after && test $(grep -c "both have changed .both.; nothing is changed" err) = 2 &&
	cp -a w v && (cd v && dig fetch -q && rm -rf deep && dig-rm -q --cached deep && echo file >deep && dig-add deep && dig-commit -q -m v) &&
	(cd x && echo more >deep/more && dig-add deep && dig-commit -q -m x4 && dig push -q) && (cd v && test_expect_code 1 dig push 2>../err) && grep "both have changed" err
'

test_expect_success 'what killed fetches have left goes with the next one' '
	dig clone -q -n remote tidy && (cd tidy && : >.dig/tmp/fetch-$(printf %064d 1) && dig fetch --plan && test -n "$(ls .dig/tmp)" && dig fetch -q && test -z "$(ls .dig/tmp)" && : >.dig/tmp/fetch-$(printf %064d 2)) &&
	(cd x && echo tidy >tidy && dig-add tidy && dig-commit -q -m tidy && dig fetch -q && dig push -q) && (cd tidy && dig fetch -q && test -z "$(ls .dig/tmp)" && dig-verify-store -q)
'

test_expect_success 'the records of many states come by several connections' '
	printf "%s\\n" "#!/bin/sh" "echo started >>\"$TRASH/starts\"" "exec dig-remote-file \"\${1#started://}\"" >bin/dig-remote-started && chmod +x bin/dig-remote-started &&
	dig-init-store long >/dev/null && (
		cd long && for number in $(seq 70)
		do
			echo $number >f && dig-add f && dig-commit -q -m $number || exit 1
		done 2>/dev/null && dig push -q "$TRASH/long.remote" && states >../expect
	) &&
	dig clone -q "started://$TRASH/long.remote" long.copy && test $(wc -l <starts) = 4 && (cd long.copy && dig-verify-store -q && states) | test_cmp expect - &&
	rm starts && (cd long.copy && dig fetch -q) && test $(wc -l <starts) = 1 && rm long.remote/roots/00000000000000000044 && test_expect_code 4 dig clone -q "started://$TRASH/long.remote" long.bad && (cd long.bad && test "$(dig-info generation)" = 0)
'

test_expect_success 'the same change of both is no conflict' '
	rm -rf u && dig clone -q remote u && cp -a u t && (cd u && echo agreed >agreed && touch -d @1600000000 agreed && dig-add agreed && dig-commit -q -m u && dig push -q) &&
	(cd t && echo agreed >agreed && touch -d @1600000000 agreed && echo t >t && dig-add agreed t && dig-commit -q -m t && dig push -q && dig-verify-store -q && dig-cat HEAD:t)
'

test_expect_success 'a fetch sees what is new even if more was committed here' '
	rm -rf behind ahead && dig clone -q remote behind && dig clone -q remote ahead && (cd behind && echo behind >behind && dig-add behind && dig-commit -q -m behind && dig push -q) &&
	(cd ahead && for number in 1 2 3
	do
		echo $number >ahead && dig-add ahead && dig-commit -q -m $number || exit 1
	done && dig fetch && dig-cat HEAD:behind && dig fetch) >out && grep "of this store are @" out && tail -n 1 out | grep -x "nothing is new"
'

# What both have comes with their state, since the own layer that has it goes; it would be lost the second time.
test_expect_success 'content that both have stays, however often states are made anew' '
	dig clone -q remote late && dig clone -q remote early && for number in 1 2 3
	do
		for copy in early late
		do
			(cd $copy && mkdir -p of-$copy && seq $number 3000 >of-$copy/$number && dig-add of-$copy && dig-commit -q -m "$copy $number") || return 1
		done && (cd early && dig push -q) && (cd late && dig fetch -q && dig-verify-store -q) || return 1
	done && (cd late && dig push -q && states >../expect) && dig clone -q remote twice && (cd twice && dig-verify-store -q && states >../actual) && test_cmp expect actual
'

test_expect_success 'what was not pushed is not merged' '
	dig clone -q remote small && (
		cd small && known=$(dig-info generation) && for number in $(seq 20)
		do
			echo $number >small && dig-add small && dig-commit -q -m s$number || exit 1
		done 2>/dev/null && dig-repack -q && test $(ls .dig/layers/*.dig | wc -l) -ge 20 && dig push -q && dig-repack -q && test $(dig-info layer-files) = 1 &&
		dig-verify-store -q
	)
'

test_expect_success 'states that were merged before there was a remote stay as they are' '
	(cd u && dig fetch -q && cp -a . ../s && echo u >u && dig-add u && dig-commit -q -m u2 && dig push -q) &&
	(cd s && for number in 1 2 3; do echo $number >s && dig-add s && dig-commit -q -m s$number || exit 1; done && dig remote remove origin && dig-repack -q && dig remote add origin "$TRASH/remote" && states >../before &&
		test_expect_code 128 dig push 2>../err && states >../after && dig-verify-store -q) &&
	test_cmp before after && grep "merged or dropped before they were pushed" err
'

test_expect_success STRACE 'a fetch that makes states anew may be killed at any call' '
	calls=pwrite64,pwritev,pwritev2,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,openat &&
	dig clone -q remote ours && cp -a ours k && (cd ours && echo theirs >theirs && dig-add theirs && dig-commit -q -m theirs && dig push -q) &&
	(cd k && echo mine >mine && dig-add mine && dig-commit -q -m mine) && cp -a k kept.k && (cd k && dig-info root) >before &&
	(cd k && strace -f -qq -o ../calls -e trace=$calls dig-fetch-states -q && dig-info root) >after && count=$(grep -c "(" calls) && test $count -gt 15 &&
	for number in $(seq 1 $count)
	do
		rm -rf k && cp -a kept.k k &&
		(cd k && { strace -f -qq -o ../calls -e trace=$calls -e inject=$calls:signal=KILL:when=$number dig-fetch-states -q || :; } >/dev/null 2>&1
		 dig-info root >../root && { test_cmp ../before ../root || test_cmp ../after ../root; } && dig-verify-store -q && dig-cat HEAD:mine &&
		 dig-fetch-states -q && dig-info root | test_cmp ../after - && dig-verify-store -q && dig-cat HEAD:theirs && dig-cat HEAD:mine) >said 2>&1 ||
			{ echo "call $number" && cat said; return 1; }
	done
'

test_expect_success 'writers that push all at once lose nothing' '
	for writer in 1 2 3 4
	do
		dig clone -q -n remote writer.$writer || return 1
	done &&
	for writer in 1 2 3 4
	do
		(
			cd writer.$writer && for number in 1 2 3 4 5
			do
				echo $writer $number | dig-add -q --stdin --path=from/$writer.$number && dig-commit -q -m "$writer $number" && dig push -q || exit 1
			done
		) >said.$writer 2>&1 &
	done && wait && cat said.* && ! test -s said.1 && rm -rf all && dig clone -n remote all >/dev/null &&
	(cd all && dig-verify-store -q && dig-ls-root --name-only HEAD | grep -c "^from/" && dig-log | grep -c "^    [1-4] [1-5]$") >out && printf "20\n20\n" | test_cmp - out
'

test_expect_success 'the remote may be ahead' '
	rm -rf z && dig clone -n remote z >/dev/null && (cd x && echo more >more && dig-add more && dig-commit -q -m more && dig push -q) &&
	(cd z && dig push >../out && test ! -e f1 && dig push -q >../quiet) && grep "all states, up to @[0-9]*, and is at @[0-9]*; .dig fetch. brings what is new" out && ! test -s quiet &&
	(cd z && dig fetch -q && dig-info root) >actual && (cd x && dig-info root) | test_cmp - actual && (cd z && dig push) >out && grep "has all states, up to @[0-9]*\$" out
'

test_expect_success 'states that were dropped stay dropped' '
	cp -a x thin && (cd thin && dig-gc -q --now --keep-last=2 && dig remote remove origin && dig remote add origin "$TRASH/thin.remote" && dig push -q &&
		states >../expect) &&
	dig clone -q thin.remote thin.copy && (cd thin.copy && dig-verify-store -q && states >../actual && test_expect_code 128 dig-cat @1:f1 2>../err) &&
	test_cmp expect actual && grep dropped err
'

test_expect_success 'by ssh, with names that a shell would read' '
	printf "%s\n" "#!/bin/sh" "while test \"\$1\" != --; do shift; done" "shift 2 && exec sh -c \"\$1\"" >bin/fake-ssh && chmod +x bin/fake-ssh &&
	name="$TRASH/a '"'"'b\$(touch pwned)" && mkdir "$name" && (
		DIG_SSH=fake-ssh && export DIG_SSH && cd x && url=ssh://me@host:22$TRASH/by-ssh && dig push -q $url && dig clone -q $url ../ssh.copy &&
		dig-remote-ssh "ssh://host$name/there" </dev/null && printf "put-new a 1\nx" | dig-remote-ssh "ssh://host$name/there" &&
		test -e "$name/there/a" && ! ls ../pwned pwned 2>/dev/null &&
		for url in ssh://-oProxyCommand=x/y "ssh://a;b/c" ssh://host ssh://host:x/y "ssh://a b/c" ssh://host/
		do
			test_expect_code 129 dig-remote-ssh "$url" </dev/null || exit 1
		done
	) && (cd ssh.copy && dig-verify-store -q)
'

test_expect_success 'remotes have names' '
	(
		cd w && dig remote add usb ../usb && dig remote list >../out && test_expect_code 128 dig remote add usb elsewhere 2>../err &&
		for name in "" -x a/b "a b" A ../x $(printf %065d 1)
		do
			test_expect_code 129 dig remote add "$name" /x || exit 1
		done &&
		for url in "" -x https://me:secret@host/x "$(printf "a\nb")"
		do
			test_expect_code 129 dig remote add other "$url" 2>../err && ! grep secret ../err || exit 1
		done &&
		dig remote remove usb && test_expect_code 128 dig remote remove usb && test_expect_code 128 dig push nowhere &&
		test_expect_code 129 dig remote rename a b
	) &&
	grep "^usb	../usb$" out && test_expect_code 10 dig remote
'

test_expect_success 'a file of a remote that is damaged is named, and hides no other' '
	cp -a x damaged && (
		cd damaged && cp .dig/remotes/origin ../origin && dig remote add other "$TRASH/other" &&
		for content in "" "\n" "known 5\n" "/x" "/x\n" "/x\nknown \n" "/x\nknown 5\nmore\n" "\0\0\0\0\n"
		do
			printf "$content" >.dig/remotes/other && test_expect_code 4 dig remote >../out 2>../err && grep "^origin	" ../out &&
			grep "remotes/other.*dig remote remove other" ../err && test_expect_code 4 dig push -q other 2>../err && dig push -q &&
			echo "$content" >own && dig-add own && dig-commit -q -m own && dig-repack -q && dig push -q || exit 1
		done && dig remote remove other && dig remote >../out && test $(wc -l <../out) = 1 &&
		printf "%s\nknown 99999\n" "$(head -n 1 ../origin)" >.dig/remotes/origin && dig push -q && dig fetch -q
	) && (cd x && dig fetch -q)
'

# --- places that are damaged, cut off, or lie ---------------------------------------------------

test_expect_success 'of a remote that was damaged anywhere nothing comes' '
	(cd x && dig push -q ../whole) && newest=$(cd whole && find roots -type f | sort | tail -n 1) && number=0 && dig-init-store empty >/dev/null && find empty/.dig/layers empty/.dig/roots | sort >before &&
	for file in $(cd whole && find dig-remote roots packs -type f | sort)
	do
		size=$(wc -c <whole/$file) && for at in 0 30 $((size / 2)) $((size - 1))
		do
			rm -rf bad && cp -a whole bad && flip_bit bad/$file $at && rm -rf e && cp -a empty e &&
			{ (cd e && test_expect_code 4 dig fetch -q ../bad 2>../err) || { echo "$file $at" && cat err; return 1; }; } &&
			test "$(cd e && dig-info generation)" = 0 && number=$((number + 1)) || return 1
		done &&
		test $file != $newest || continue
		rm -rf bad && cp -a whole bad && rm bad/$file && (cd e && ! dig fetch -q ../bad 2>../err && test "$(dig-info generation)" = 0) || return 1
	done &&
	test $number -gt 40 && (cd e && dig fetch -q ../whole && dig-verify-store -q && ! ls .dig/tmp | grep fetch)
'

# Passes on a part of what dig-remote-file says, and dies.
test_expect_success PYTHON 'a fetch that is cut off goes on inside a pack' '
	cat >bin/dig-remote-cut <<-\EOF &&
	#!/usr/bin/env python3
	import os, subprocess, sys
	left = int(os.environ["CUT"])
	helper = subprocess.Popen(["dig-remote-file", sys.argv[1][6:]], stdout=subprocess.PIPE)
	while left > 0:
	    part = os.read(helper.stdout.fileno(), min(left, 65536))
	    os.write(1, part)
	    left -= len(part) or left
	helper.kill()
	EOF
	chmod +x bin/dig-remote-cut && seeded 60M 77 >x/huge && (cd x && dig-add -q huge && dig-commit -q -m huge && dig push -q ../whole) &&
	rm -rf e && cp -a empty e &&
	(
		cd e && CUT=40000000 && export CUT && test_expect_code 128 dig fetch -q "cut://$TRASH/whole" 2>../err &&
		ls .dig/tmp >../kept && dig fetch --plan ../whole >../plan && dig fetch ../whole >../out && dig-verify-store -q &&
		dig-cat HEAD:huge | cmp - ../x/huge
	) &&
	grep fetch kept && grep "here already" plan && grep "were here already" out
'

# As after a power cut that kept the name and lost the bytes.
test_expect_success PYTHON 'a part of a pack that is not what came is brought again' '
	for part in zeros flipped longer
	do
		rm -rf e && cp -a empty e &&
		(
			cd e && CUT=40000000 && export CUT && test_expect_code 128 dig fetch -q "cut://$TRASH/whole" 2>../err && pack=$(ls .dig/tmp/fetch-* | head -n 1) &&
			case $part in
			zeros) size=$(wc -c <$pack) && head -c $size /dev/zero >$pack ;;
			flipped) flip_bit $pack $(($(wc -c <$pack) / 2)) ;;
			longer) head -c 80000000 /dev/zero >$pack ;;
			esac && dig fetch -q ../whole && dig-verify-store -q && dig-cat HEAD:huge | cmp - ../x/huge
		) || { echo $part; return 1; }
	done
'

test_expect_success STRACE 'a push that is killed at any call is ended by the next one' '
	calls=pwrite64,pwritev,fdatasync,rename,renameat2,mkdir,link &&
	(cd x && rm huge && dig-rm -q --cached huge && echo last >last && dig-add last && dig-commit -q -m last) && cp -a whole kept.remote &&
	(cd x && strace -f -qq -o ../calls -e trace=$calls dig-send-states -q ../whole) && count=$(grep -c "(" calls) && test $count -gt 3 &&
	(cd x && dig-info root) >expect &&
	for number in $(seq 1 $count)
	do
		rm -rf whole && cp -a kept.remote whole &&
		(cd x && { strace -f -qq -o ../calls -e trace=$calls -e inject=$calls:signal=KILL:when=$number dig-send-states -q ../whole || :; } >/dev/null 2>&1
		 dig push -q ../whole) && (cd e && rm -rf ../e2 && cp -a . ../e2 && cd ../e2 && dig fetch -q ../whole && dig-verify-store -q && dig-info root) >actual &&
		test_cmp expect actual || { echo "call $number"; return 1; }
	done
'

# answers URL TEXT...: a fetch from a helper that answers so, and no more.
lies () {
	printf "%b" "$1" >answers && printf "%s\n" "#!/bin/sh" "cat \"$TRASH/answers\"" >bin/dig-remote-lie && chmod +x bin/dig-remote-lie &&
	(cd e && status=0 && { timeout 30 dig fetch lie://x >../out 2>../err || status=$?; } && test $status != 0 && test $status -lt 124 && test $status != 139 ||
		{ test $status = 128 || test $status = 4; })
}

test_expect_success 'a helper that lies does no harm' '
	for answer in "" "ok" "ok 5\n" "ok 5 5\nabc" "ok 18446744073709551616 1\n" "ok 99999999999 99999999999\n" "ok -1 5\n" "ok 4097 4097\n$(printf %04097d 1)" \
		"error \033[31mred\n" "what\n" "$(printf %05000d 1)\n" "missing\nmissing\n" "ok 3 3\nabcend\n" "\n\n\n"
	do
		lies "$answer" || { echo "after $answer" && cat err; return 1; }
	done &&
	(cd e && dig-verify-store -q)
'

test_expect_success 'keys that lead elsewhere are refused' '
	for key in ../x /x a/../b a//b .a a/.b a/ -a "" A "$(printf %0300d 1)"
	do
		printf "put-new %s 1\nx" "$key" | dig-remote-file objects >out && grep "^error" out || return 1
		printf "get %s 0 1\n" "$key" | dig-remote-file objects >out && grep "^error" out || return 1
	done &&
	printf "list ../ -\nlist a/ -\nget a 0 99999999999999999999\nput-new a\nfly\n" | dig-remote-file objects >out && test $(grep -c "^error" out) = 4 && test ! -e objects
'

test_expect_success 'eight writers of one object: one succeeds' '
	(cd w && dig remote check "$TRASH/raced") >out && grep "^ok create-once" out && test -z "$(find raced -type f)" &&
	cat >bin/dig-remote-careless <<-\EOF &&
	#!/bin/sh
	# Each process sees its own objects only.
	exec dig-remote-file "${1#careless://}/$$"
	EOF
	chmod +x bin/dig-remote-careless && (cd w && test_expect_code 4 dig remote check "careless://$TRASH/raced" 2>../err) &&
	grep "of 8 writers of one object succeeded" err
'

test_expect_success 'a push to such a place is refused, but for a single writer' '
	(cd w && test_expect_code 128 dig push -q "careless://$TRASH/careless" 2>../err && grep "8 of 8 writers.*single-writer" ../err &&
		dig remote add tested "counted://$TRASH/tested" && : >../requests && dig push -q tested && requests >../first && echo >>again && dig-add again &&
		dig-commit -q -m again && dig push -q tested && requests >../second && grep -x checked .dig/remotes/tested) &&
	grep "put-new.*delete" first && ! grep delete second &&
	(cd w && dig push -q --single-writer "careless://$TRASH/careless" 2>../err) && test -n "$(find careless -name "000*")"
'

test_expect_success 'a helper in forty lines of shell' '
	cat >bin/dig-remote-shell <<-\EOF &&
	#!/bin/sh
	cd "${1#shell://}" || exit 1
	while read -r request key a b
	do
		case $request in
		get)
			if test -f "$key"
			then
				total=$(($(wc -c <"$key"))) && rest=$((total > a ? total - a : 0)) && n=$((b < rest ? b : rest))
				echo "ok $n $total" && tail -c +$((a + 1)) "$key" | head -c $n
			else
				echo missing
			fi
			;;
		put-new)
			mkdir -p "$(dirname "$key")" && dd bs=1 count="$a" of="new.$$" 2>/dev/null
			if ln "new.$$" "$key" 2>/dev/null; then echo ok; else echo exists; fi
			rm "new.$$"
			;;
		list)
			test "$a" != - || a=
			find "${key%/}" -type f 2>/dev/null | LC_ALL=C sort | while read -r found
			do
				! expr "x$found" ">" "x$a" >/dev/null || echo "$found $(($(wc -c <"$found")))"
			done
			echo end
			;;
		delete)
			if rm "$key" 2>/dev/null; then echo ok; else echo missing; fi
			;;
		check) echo "ok shell" ;;
		esac
	done
	EOF
	chmod +x bin/dig-remote-shell && mkdir by-shell && dig-init-store little >/dev/null &&
	(cd little && echo a >a && dig-add a && dig-commit -q -m a && dig push -q "shell://$TRASH/by-shell" && dig remote check "shell://$TRASH/by-shell" &&
		echo b >b && dig-add b && dig-commit -q -m b && dig push -q "shell://$TRASH/by-shell" && states >../expect) &&
	dig clone -q "shell://$TRASH/by-shell" by-shell.copy && (cd by-shell.copy && dig-verify-store -q && states >../actual) && test_cmp expect actual
'

test_done
