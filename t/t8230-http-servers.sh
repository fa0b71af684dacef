#!/bin/sh

test_description='content and remotes from servers of HTTP: nginx and lighttpd'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/real-server-lib.sh"

need 'python3 is needed' python3
test -x "$DIG_BUILD/dig-fetch-url" || {
	skip_all='dig-fetch-url was not built, for want of libcurl'
	test_done
}

DIG_CONFIG='performance.max_worker_threads=2
performance.checkpoint_bytes=4MB'
export DIG_CONFIG

# Below /slow/ two MiB come each second.
start_nginx () {
	cat >server/nginx.conf <<-CONF
	daemon off;
	master_process off;
	pid $TRASH/server/nginx.pid;
	error_log $TRASH/server/nginx.log;
	events {
		worker_connections 64;
	}
	http {
		access_log $TRASH/server/nginx.access;
		client_body_temp_path $TRASH/server/temporary;
		proxy_temp_path $TRASH/server/temporary;
		fastcgi_temp_path $TRASH/server/temporary;
		uwsgi_temp_path $TRASH/server/temporary;
		scgi_temp_path $TRASH/server/temporary;
		server {
			listen 127.0.0.1:$1;
			root $TRASH/objects;
			location /slow/ {
				limit_rate 2m;
			}
		}
	}
	CONF
	serve nginx nginx -p "$TRASH/server" -c "$TRASH/server/nginx.conf" -e "$TRASH/server/nginx.log" && until_true nginx "listens $1"
}

# Of files without a type it sends no validators.
start_lighttpd () {
	cat >server/lighttpd.conf <<-CONF
	server.bind = "127.0.0.1"
	server.port = $1
	server.document-root = "$TRASH/objects"
	server.errorlog = "$TRASH/server/lighttpd.log"
	server.upload-dirs = ( "$TRASH/server" )
	server.stat-cache-engine = "disable"
	mimetype.assign = ( "" => "application/octet-stream" )
	\$HTTP["url"] =~ "^/slow/" {
		connection.kbytes-per-second = 2048
	}
	CONF
	serve lighttpd lighttpd -D -f "$TRASH/server/lighttpd.conf" && until_true lighttpd "listens $1"
}

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

mkdir -p server objects/slow && seeded 9M 1 >objects/large && seeded 12M 2 >objects/slow/object && : >objects/empty && echo hello >"objects/a b" &&
	cp objects/large objects/changing && touch -d @1600000000 objects/* objects/slow/* || exit 1
servers= && for server in nginx lighttpd
do
	if ! command -v $server >/dev/null
	then
		echo "# $server is not installed: make deps-remote"
	elif set -- $(free_ports 1) && start_$server $1 >server/started 2>&1
	then
		servers="$servers $server" && eval "at_$server=http://127.0.0.1:$1"
	else
		echo "# $server does not start here: $(tail -n 1 server/started)"
	fi
done
test -n "$servers" || {
	skip_all='a server of HTTP is needed: make deps-remote'
	test_done
}

test_expect_success 'a remote is there' '
	DIG_CONFIG="chunking.target=16KB" dig-init-store w >/dev/null && (cd w && seeded 3M 3 >large && for number in 1 2 3
	do
		seq $number 30000 >f$number && dig-add -A && dig-commit -q -m $number || exit 1
	done && dig push -q "$TRASH/objects/remote" && states >../expect.first)
'

for server in $servers
do
	eval "at=\$at_$server"

	test_expect_success "$server: content comes whole, from a byte, and as long as it is the same" '
		for name in large empty "a b"
		do
			timeout 60 dig-fetch-url "$at/$(echo "$name" | sed "s/ /%20/")" | cmp - "objects/$name" || return 1
		done && tail -c +8000001 objects/large >expect && timeout 60 dig-fetch-url --resume-from=8000000 $at/large | cmp expect - &&
		cp -p objects/large objects/changing && printf "0 - -\t%s\n" $at/changing | timeout 60 dig-fetch-url --batch >reply && validator=$(head -n 1 reply | cut -d" " -f4-) &&
		timeout 60 dig-fetch-url --if-same="$validator" --resume-from=8000000 $at/changing | cmp expect - && seeded 9M 7 >objects/changing &&
		test_expect_code 1 timeout 60 dig-fetch-url --if-same="$validator" --resume-from=8000000 $at/changing >out 2>err && ! test -s out && grep "has changed since" err &&
		test_expect_code 12 timeout 60 dig-fetch-url $at/nowhere >out 2>err && ! test -s out && grep "status 404" err && test_expect_code 12 timeout 60 dig-fetch-url $at/../../etc/passwd >out 2>err && ! test -s out
	'

	test_expect_success "$server: an add that was killed goes on inside the object" '
		rm -rf added && dig-init-store added >/dev/null && cd added && { DIG_CONFIG="performance.checkpoint_bytes=1MB
fetch.connections=1" dig add -q --path=object $at/slow/object & pid=$!; } && waited=0 && until test $(du -sk .dig | cut -f 1) -gt 4096
		do
			waited=$((waited + 1)) && test $waited -lt 300 && sleep 0.1 || return 1
		done && kill -KILL $pid && { wait $pid || :; } && timeout 60 dig add --path=object $at/slow/object 2>../err >../out && dig-commit -q -m object && dig-cat HEAD:object | cmp - ../objects/slow/object && ! grep "^1 file, 12.0 MiB" ../out
	'

	test_expect_success "$server: states come from it, and nothing goes there" '
		rm -rf copy && timeout 60 dig clone -q $at/remote copy && (cd copy && dig-verify-store -q && states | test_cmp ../expect.first - && timeout 60 dig fetch && echo more >more && dig-add more && dig-commit -q -m more && test_expect_code 128 timeout 60 dig push 2>../err) >out &&
		grep -x "nothing is new" out && grep "read only" err && rm -rf both && cp -a w both && cp -a objects/remote kept && (cd both && echo new >new && dig-add new && dig-commit -q -m new && dig push -q "$TRASH/objects/remote" && states >../expect) &&
		rm -rf late && timeout 60 dig clone -q $at/remote late && (cd late && states | test_cmp ../expect -) && (cd copy && timeout 60 dig fetch -q && dig-verify-store -q && dig-cat HEAD:new && dig-cat HEAD:more) &&
		rm -rf objects/remote && mv kept objects/remote
	'

	test_expect_success "$server: remote check says that it can be read only, and that there is nothing where nothing is" '
		rm -rf probe && dig init -q probe >/dev/null && (cd probe && timeout 60 dig remote check $at/remote >../out && test_expect_code 4 timeout 60 dig remote check $at/slow 2>../err && test_expect_code 128 timeout 60 dig clone -q $at/slow none 2>>../err) &&
		echo "ok http ranges; read only" | test_cmp - out && grep "nothing can be made" err && test $(grep -c "nothing that .dig push. has made" err) = 2
	'
done

test_done
