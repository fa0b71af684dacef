#!/bin/sh

test_description='servers that behave in every wrong way: each tool of the network ends, in time and memory, with an error'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/object-server-lib.sh"

DIG_CONFIG='fetch.retries=1
fetch.stall_time=1
fetch.max_size=1MB'
AWS_REGION=eu-test-1 AWS_ACCESS_KEY_ID=AKIDTEST AWS_SECRET_ACCESS_KEY=secret/of+the+test
export DIG_CONFIG AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

test_expect_success 'seventy and more behaviours, by seven requests of four tools' '
	mkdir empty && timeout 600 python3 "$TEST_DIRECTORY/helper/malicious-server.py" empty >actual 2>err && cat actual && ! test -s err &&
	grep -E "^[7-9][0-9] behaviours, [5-9][0-9][0-9] attempts$" actual && test $(wc -l <actual) = 1
'

# --- by ssh: what comes is of somebody else, too --------------------------------------------------

# The other side of dig-remote-ssh, which says what it wants.
test_expect_success 'a machine that does not speak the protocol, or ends inside of it, gives nothing' '
	printf "#!/bin/sh\nread -r line; case \$SAYS in endless) exec yes ok ;; long) head -c 9000000 /dev/zero | tr \"\\\\0\" x ;; *) printf \"\$SAYS\" ;; esac\n" >peer && chmod +x peer && dig-init-store w >/dev/null &&
	DIG_SSH=$TRASH/peer && export DIG_SSH && for SAYS in "" "Welcome to this machine\n" "ok\n" "ok 5\n" "ok 5 5\nhel" "ok 99999999999 99999999999\n" "ok -1 5\n" "ok 5 99999999999999999999999\n" "ok 67108865 67108865\n" \
		"ok 5 4\nhello" "missing and more\n" "error \n" "error no\n" "ok 9 9\nDIGREMOTxx" "\001\002\377\n" endless long
	do
		export SAYS && for command in "dig fetch -q ssh://host/x" "dig remote check ssh://host/x" "dig clone -q ssh://host/x ../there"
		do
			rm -rf there && (cd w && test_must_fail timeout 60 within-memory $command) >out 2>err || { echo "$SAYS: $command"; cat err; return 1; }
		done
	done && find w/.dig/layers w/.dig/tmp -type f >out && ! test -s out
'

test_done
