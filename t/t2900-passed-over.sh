#!/bin/sh

test_description='what a walk passes over is removed only when it is gone'

. "$(dirname "$0")/test-lib.sh"

# store NAME: an empty work tree with a store, in which the rest of a test goes on.
store () {
	mkdir $1 && (cd $1 && dig-init-store . >/dev/null)
}

add () {
	dig add "$@" 2>>../stderr.log
}

commit () {
	dig commit -q -m"$1"
}

# S [NAME]: the porcelain status, against standard input.
S () {
	dig status --porcelain=v1 >../actual && test_cmp - ../actual
}

test_expect_success 'the directory a is ignored, a-b is deleted, a/c stays' '
	store order && (
		cd order && mkdir build && echo t >build/t && echo x >build-x &&
		add -A && commit 1 &&
		printf "%s\n" build >.digignore && add -A && commit 2 && rm build-x && add -A &&
		S <<-\END
		D  build-x
		END
	)
'

test_expect_success '... and within a scope, with names around the slash' '
	store scoped && (
		cd scoped && mkdir -p s/a && echo t >s/a/t && echo t >s/a! && echo t >s/a- && echo t >s/a.b && echo t >s/a0 &&
		add -A && commit 1 &&
		printf "%s\n" /s/a >.digignore && add . && commit 2 &&
		rm s/a! s/a- s/a.b s/a0 && add -A s &&
		S <<-\END
		D  s/a!
		D  s/a-
		D  s/a.b
		D  s/a0
		END
	)
'

test_expect_success '... and the same where a is a store of its own' '
	store nested && (
		cd nested && mkdir -p sub && echo t >sub/t && echo x >sub-x &&
		add -A && commit 1 &&
		(cd sub && dig-init-store . >/dev/null) && rm sub-x && add -A &&
		S <<-\END &&
		D  sub-x
		END
		commit 2 && echo edited >sub/t &&
		S <<-\END &&
		 M sub/t
		END
		add -A && rm sub/t &&
		S <<-\END &&
		MD sub/t
		END
		add -A && commit 3 && S </dev/null
	)
'

test_expect_success 'a tracked file is taken, ignored or not' '
	store tracked && (
		cd tracked && mkdir d && echo 1 >f.o && echo 1 >d/t && echo 1 >d/u &&
		add -A && commit 1 && printf "%s\n" "*.o" d >.digignore && add -A && commit 2 &&
		echo 22 >f.o && add -A f.o &&
		S <<-\END &&
		M  f.o
		END
		echo 333 >f.o && add f.o && echo new >g.o && test_expect_code 1 dig add g.o 2>../err &&
		grep "g.o. is ignored" ../err && test_expect_code 1 dig add -A g.o 2>/dev/null &&
		test_expect_code 1 dig check-ignore f.o d && dig check-ignore --no-index f.o d >../actual &&
		printf "%s\n" f.o d | test_cmp - ../actual &&
		dig check-ignore g.o d/new >/dev/null &&
		S <<-\END
		M  f.o
		END
	)
'

test_expect_success 'what is tracked below an ignored directory is taken by its name' '
	(
		cd tracked && commit 3 && echo 22 >d/t && rm d/u && echo new >d/new &&
		test_expect_code 1 dig add -A d 2>../err && grep "d. is ignored" ../err &&
		S <<-\END &&
		M  d/t
		D  d/u
		END
		dig reset -q && dig add d/t &&
		S <<-\END &&
		M  d/t
		 D d/u
		END
		test_expect_code 1 dig add d 2>/dev/null &&
		S <<-\END
		M  d/t
		 D d/u
		END
	)
'

test_expect_success 'an empty directory takes the place of a file, a symlink, and a full directory' '
	store kinds && (
		cd kinds && mkdir full && echo 1 >full/x && echo 1 >file && ln -s file link && echo 1 >file-x &&
		add -A && commit 1 &&
		rm -r file link full file-x && mkdir file link full &&
		S <<-\END &&
		 T file
		 D file-x
		?? full/
		 D full/x
		 T link
		END
		add -A && dig ls-index --name-only >../actual &&
		printf "%s\n" file full link | test_cmp - ../actual &&
		S <<-\END
		T  file
		D  file-x
		A  full
		D  full/x
		T  link
		END
	)
'

test_expect_success 'every kind takes the place of every other one' '
	for from in nothing file link hollow full ignored store fifo
	do
		for to in nothing file link hollow full ignored store fifo
		do
			echo $from-$to
		done
	done >pairs &&
	store changed && (
		cd changed && echo ".digignore
ignored-x
hid" >.digignore &&
		make () {
			case $1 in
			nothing) ;;
			file) echo file >$2 ;;
			link) ln -s file $2 ;;
			hollow) mkdir $2 ;;
			full) mkdir $2 && echo x >$2/x && echo y >$2/y ;;
			ignored) mkdir $2 && echo x >$2/hid ;;
			store) mkdir $2 && dig-init-store $2 >/dev/null && echo x >$2/x ;;
			fifo) mkfifo $2 ;;
			esac
		} &&
		while read -r pair
		do
			make ${pair%-*} $pair || exit 1
		done <../pairs &&
		add -A && commit 1 && S </dev/null &&
		while read -r pair
		do
			rm -rf $pair && make ${pair#*-} $pair || exit 1
		done <../pairs &&
		add -A && commit 2 && S </dev/null &&
		dig ls-index --name-only >../actual &&
		while read -r pair
		do
			case ${pair#*-} in
			file | link | hollow) echo $pair ;;
			full) printf "%s\n" $pair/x $pair/y ;;
			ignored | store)
				# What was tracked and still is there.
				case $pair in
				hollow-*) echo $pair ;;
				full-store) echo $pair/x ;;
				esac ;;
			esac
		done <../pairs | LC_ALL=C sort >../expect &&
		test_cmp ../expect ../actual
	)
'

test_expect_success 'a file renamed to a longer name, by both names' '
	store rename && (
		cd rename && echo 1 >README && add -A && commit 1 && mv README README.md &&
		dig add -A README README.md &&
		S <<-\END &&
		D  README
		A  README.md
		END
		commit 2 && echo 2 >README && dig add -A README README.md &&
		S <<-\END &&
		A  README
		END
		commit 3 && rm README && dig add -A README.md README &&
		S <<-\END
		D  README
		END
	)
'

test_expect_success 'scopes that lie apart leave alone what lies between' '
	store apart && (
		cd apart && mkdir b && echo 1 >a && echo 1 >b-x && echo 1 >b/x && echo 1 >b0 && echo 1 >c && echo 1 >c-x &&
		echo 1 >d && add -A && commit 1 && rm -r a b b-x b0 c c-x d && dig add -A c b &&
		S <<-\END
		 D a
		 D b-x
		D  b/x
		 D b0
		D  c
		 D c-x
		 D d
		END
	)
'

test_expect_success 'paths that never had a file stay, whatever they came by' '
	store streams && (
		cd streams && mkdir d && echo 1 >file && add -A &&
		printf x | dig add --stdin --path=d/stream && dig add --from-command --path=command -- echo y &&
		dig-ls-index file >../line && sed "s/file$/listed/" ../line | dig-update-index --index-info &&
		add -A && add -A d &&
		S <<-\END &&
		A  command
		A  d/stream
		A  file
		A  listed
		END
		commit 1 && add -A && add -A . d listed && S </dev/null && test_expect_code 1 dig commit -q -m2 2>/dev/null &&
		rm file && add -A &&
		S <<-\END
		D  file
		END
	)
'

test_expect_success '... which status says once, and rm removes them' '
	(
		cd streams && dig status >../out && grep -c "no file in the work tree" ../out >../actual &&
		echo 1 | test_cmp - ../actual && grep "^  d/stream$" ../out && ! grep deleted:.*stream ../out &&
		dig diff-work && dig rm d/stream listed &&
		S <<-\END
		?? d/
		D  d/stream
		D  file
		D  listed
		END
	)
'

test_expect_success '... also after a reset' '
	(
		cd streams && dig reset -q && add -A d listed command &&
		S <<-\END &&
		 D file
		END
		printf longer | dig add --stdin --path=d/stream && dig reset -q d/stream && add -A d &&
		S <<-\END
		 D file
		END
	)
'

test_expect_success '... until there is a file' '
	(
		cd streams && echo now >command && add -A && commit 2 && rm command && add -A &&
		S <<-\END &&
		D  command
		END
		echo 1 >had && add had && echo 2 | dig add --stdin --path=had && commit 3 && rm had && add -A &&
		S <<-\END
		D  had
		END
	)
'

test_expect_success 'a path that is named within another one is told of, too' '
	store inner && (
		cd inner && mkdir d && echo 1 >d/x && echo "*.o" >.digignore && echo 1 >d/g.o && add . && commit 1 &&
		test_must_fail dig add -A d d/absent d/absent 2>../err && grep -c absent ../err >../actual && echo 1 | test_cmp - ../actual &&
		test_expect_code 1 dig add . d/g.o 2>../err && grep "d/g.o. is ignored" ../err && S </dev/null
	)
'

test_expect_success 'without -A a directory that is empty now removes nothing' '
	(
		cd inner && rm d/x d/g.o && add . && add d &&
		S <<-\END &&
		?? d/
		 D d/x
		END
		add -A &&
		S <<-\END
		A  d
		D  d/x
		END
	)
'

test_expect_success 'a directory is passed over only when its .dig is a store, and status tells' '
	store junk && (
		cd junk && mkdir -p file dangling link hollow pointer real named fifo &&
		for i in *; do echo x >$i/x || exit 1; done &&
		echo junk >file/.dig && ln -s nowhere dangling/.dig && ln -s ../real link/.dig && mkdir hollow/.dig &&
		echo "store: /nowhere" >pointer/.dig && mkfifo fifo/.dig && dig-init-store real >/dev/null &&
		dig-init-store --store=../elsewhere named >/dev/null && mkdir copy && cp -R real/.dig copy &&
		rm copy/.dig/format && echo no >copy/.dig/format && add -A 2>../err &&
		S <<-\END &&
		A  dangling/x
		A  fifo/x
		A  file/x
		A  hollow/x
		A  link/x
		A  pointer/x
		END
		dig status >../out && grep -A2 "^skipped, " ../out >../actual &&
		printf "skipped, as a store of its own, a pipe, a socket or a device:\n  named\n  real\n" | test_cmp - ../actual &&
		dig-ls-work | tr "\0" "\n" | grep "^P" >../actual &&
		printf "P store\tnamed\nP store\treal\n" | test_cmp - ../actual
	)
'

test_done
