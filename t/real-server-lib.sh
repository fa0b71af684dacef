# Servers that are installed here, for scripts that test with them.  Sourced behind test-lib.sh.
#
# Each listens on 127.0.0.1 only, on a port that was free, has its files below $TRASH/server, and is ended by the
# kernel when the script ends, whatever ends that.

# Servers are where only root has its search path.
PATH=$PATH:/usr/sbin:/sbin

# Nothing of the caller's names another server, or makes one trusted.
unset CURL_CA_BUNDLE SSL_CERT_FILE no_proxy NO_PROXY
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p')
do
	unset "$name"
done

# need REASON COMMAND...: skips the script unless all are there.
need () {
	need_reason=$1
	shift
	for need_command
	do
		command -v "$need_command" >/dev/null || {
			skip_all="$need_reason ($need_command is not installed)"
			test_done
		}
	done
}

# free_ports COUNT: that many numbers, which nobody listened on a moment ago.
free_ports () {
	python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*[each.getsockname()[1] for each in sockets])' "$1"
}

# serve NAME COMMAND...: as a child of this shell, which is in $server_NAME; its output is in server/NAME.err.
serve () {
	mkdir -p "$TRASH/server" && serve_name=$1 || return 1
	shift
	setpriv --pdeathsig KILL -- "$@" </dev/null >>"$TRASH/server/$serve_name.err" 2>&1 4>&- &
	eval "server_$serve_name=\$!"
}

# end_server NAME [SIGNAL]
end_server () {
	eval "ended=\$server_$1"
	{ kill -${2:-KILL} $ended && wait $ended; } 2>/dev/null
	:
}

# until_true NAME CODE: waits half a minute at most while the server NAME lives.
until_true () {
	eval "awaited=\$server_$1"
	waited=0
	until eval "$2" >/dev/null 2>&1
	do
		kill -0 $awaited 2>/dev/null && test $waited -lt 600 || {
			tail -n 20 "$TRASH/server/$1.err"
			return 1
		}
		waited=$((waited + 1))
		sleep 0.05
	done
}

# listens PORT
listens () {
	python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' "$1"
}

# s3_request METHOD PATH [FILE]: helper/s3-request.py
s3_request () {
	timeout 60 python3 "$TEST_DIRECTORY/helper/s3-request.py" "$@"
}

# start_proxy PORT: counts in front of the server there; it listens on $proxy.
start_proxy () {
	mkdir -p "$TRASH/server/proxy" &&
		serve proxy python3 "$TEST_DIRECTORY/helper/counting-proxy.py" "$TRASH/server/proxy" "$1" &&
		until_true proxy 'test -e "$TRASH/server/proxy/port"' && proxy=$(cat "$TRASH/server/proxy/port")
}

# counted: the lines of the proxy since the last call.
counted () {
	cat "$TRASH/server/proxy/log" 2>/dev/null
	rm -f "$TRASH/server/proxy/log"
}
