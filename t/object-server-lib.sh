# A server of objects for scripts: helper/object-server.py has what it can do.  Sourced behind test-lib.sh.

test_have_prereq PYTHON || {
	skip_all='python3 is needed'
	test_done
}
test -x "$DIG_BUILD/dig-fetch-url" || {
	skip_all='dig-fetch-url was not built, for want of libcurl'
	test_done
}

# Nothing of the caller's names another server, or makes one trusted.
unset CURL_CA_BUNDLE SSL_CERT_FILE no_proxy NO_PROXY
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p')
do
	unset "$name"
done

# start_server [SCRIPT]: object-server.py, or another one.  Its output goes nowhere, or a reader of ours would wait for its end.
start_server () {
	mkdir -p "$TRASH/server/objects" &&
	{ python3 "$TEST_DIRECTORY/helper/${1:-object-server.py}" "$TRASH/server" </dev/null >/dev/null 2>"$TRASH/server/err" & } &&
	server_process=$! &&
	until test -e "$TRASH/server/port"
	do
		kill -0 $server_process || return 1
		sleep 0.05
	done
	port=$(cat "$TRASH/server/port") && at=http://127.0.0.1:$port && objects=$TRASH/server/objects
}

stop_server () {
	{ kill $server_process && wait $server_process; } 2>/dev/null
	rm -f "$TRASH/server/port"
}

# requests: those that have come since the last call.
requests () {
	cat "$TRASH/server/log" 2>/dev/null
	rm -f "$TRASH/server/log"
}
