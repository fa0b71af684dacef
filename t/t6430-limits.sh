#!/bin/sh

test_description='limits of the system, and calls that it refuses'

. "$(dirname "$0")/test-lib.sh"

dig-init-store tree >/dev/null || exit 1
(cd tree && for i in 1 2 3 4 5 6 7 8; do echo content $i >small$i || exit 1; done &&
	seeded 3M 1 >large && seeded 20M 2 >larger && dig-add -A && dig-commit -q -m one) || exit 1

# fails_in_words COMMAND...: with 128 and a message, and not by a signal; or it has enough after all.
fails_in_words () {
	(cd tree && "$@" </dev/null) >out 2>err
	case $? in
	0) return 0 ;;
	128) test -s err && ! grep -q "terminate called" err ;;
	*) cat err && return 1 ;;
	esac
}

# From no thread at all to enough; a program that the system cannot even start says nothing.
test_expect_success !SANITIZED 'where memory ends, a command says so' '
	for limit in 30000 40000 50000 60000 80000 120000
	do
		(ulimit -v $limit && dig-info --version >/dev/null 2>&1) || continue
		(
			ulimit -v $limit &&
			fails_in_words dig-hash-object larger &&
			fails_in_words dig-cat HEAD:larger &&
			fails_in_words dig-verify-store &&
			fails_in_words dig-ls-work &&
			fails_in_words dig-add --stdin --path=new
		) || return 1
	done
'

test_expect_success 'a limit on the size of files is an error, and leaves no temporary file' '
	(
		ulimit -f 1000 &&
		(cd tree && test_must_fail dig-checkout-root HEAD ../limited) 2>err &&
		grep "File too large" err
	) &&
	find limited -name ".dig-tmp-*" >left && test_cmp /dev/null left &&
	(
		cd tree &&
		seeded 8M 3 >new &&
		(ulimit -f 2000 && test_expect_code 128 dig-add new) 2>../err &&
		grep "File too large" ../err &&
		dig-add new && dig-commit -q -m new && dig-verify-store && dig-cat HEAD:new | cmp - new
	)
'

test_expect_success 'with few open files everything works' '
	(ulimit -n 24 && cd tree && dig-verify-store && dig-ls-work >/dev/null && dig-cat HEAD:larger | cmp - larger &&
		echo more >more && dig-add -A && dig-commit -q -m more)
'

test_expect_success PYTHON 'an output that does not wait is waited for' '
	cat >slow.py <<-\EOF &&
	import fcntl, os, subprocess, sys, time
	r, w = os.pipe()
	fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
	p = subprocess.Popen(sys.argv[1:], stdout=w)
	os.close(w)
	time.sleep(0.3)
	while True:
	    piece = os.read(r, 65536)
	    if not piece: break
	    sys.stdout.buffer.write(piece)
	sys.exit(p.wait())
	EOF
	(cd tree && python3 ../slow.py dig-cat HEAD:large) >actual &&
	cmp tree/large actual
'

test_expect_success 'whoever writes to nobody ends by SIGPIPE' '
	mkfifo gone &&
	{ (cd tree && exec env --default-signal=PIPE dig-cat HEAD:larger >../gone 2>../err) & } && writer=$! &&
	head -c 1 gone >/dev/null &&
	{ wait $writer; test $? = 141; } &&
	test_cmp /dev/null err
'

test_expect_success 'where SIGPIPE is ignored, it is an error' '
	{ (cd tree && exec env --ignore-signal=PIPE dig-cat HEAD:larger >../gone 2>../err) & } && writer=$! &&
	head -c 1 gone >/dev/null &&
	{ wait $writer; test $? = 128; } &&
	grep "nobody reads standard output" err
'

test_expect_success 'a file of the kernel'\''s is read to its end, whatever its size is said to be' '
	test $(stat -c %s /proc/version) = 0 &&
	cat /proc/version >version &&
	dig-hash-object version >expect && dig-hash-object /proc/version >actual && test_cmp expect actual &&
	dig-chunk version | cut -d" " -f1-3 >expect && dig-chunk /proc/version | cut -d" " -f1-3 >actual &&
	test_cmp expect actual
'

# But a sanitizer looks for leaks with it.
test_expect_success '!SANITIZED,UNSHARE' 'nothing needs /proc' '
	unshare --map-root-user --mount sh -c "
		mount -t tmpfs none /proc && cd tree && echo without >without &&
		dig add without && dig commit -q -m without && dig check -q && dig extract ../without-proc &&
		$DIG_BUILD/dig status" &&
	cmp tree/without without-proc/without
'

test_expect_success STRACE 'a ring that takes nothing is done without' '
	(
		cd tree &&
		for i in 1 2 3 4 5 6 7 8; do echo ring $i >small$i || exit 1; done &&
		timeout -s KILL 60 strace -f -qq -o ../calls -e trace=io_uring_enter \
			-e inject=io_uring_enter:error=EAGAIN dig-add -A &&
		dig-commit -q -m ring && dig-cat HEAD:small8 | test_cmp small8 -
	)
'

test_expect_success STRACE 'a ring that stops is done without' '
	(
		cd tree &&
		for i in 1 2 3 4 5 6 7 8; do echo stops $i >small$i || exit 1; done &&
		timeout -s KILL 60 strace -f -qq -o ../calls -e trace=io_uring_enter \
			-e inject=io_uring_enter:error=EOPNOTSUPP:when=2+ dig-add -A &&
		dig-commit -q -m stops && dig-cat HEAD:small8 | test_cmp small8 -
	)
'

test_expect_success STRACE 'a kernel without pwritev2 is no reason to end' '
	(
		cd tree &&
		seeded 2M 9 >plain &&
		strace -f -qq -o ../calls -e trace=pwritev2 -e inject=pwritev2:error=EOPNOTSUPP dig-add plain &&
		dig-commit -q -m plain && dig-cat HEAD:plain | cmp - plain
	)
'

test_done
