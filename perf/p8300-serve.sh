#!/bin/sh
# dig serve under load, beside nginx, which serves the same files as they are.  A first part of each
# run is not measured: caches are filled then.

. "$(dirname "$0")/perf-lib.sh"

for program in wrk nginx
do
	command -v $program >/dev/null || PATH=$PATH:/usr/sbin
	command -v $program >/dev/null || {
		echo "p8300-serve: there is no $program (Debian: wrk, nginx-light)" >&2
		exit 0
	}
done

seconds=$(pick 5 2)

# wrk asks for lines of the file "targets", in an order that is the same in each run.  Each line is a
# target, or a target and the size of a file that parts of 1 MiB are asked of.
write_script () {
	cat >load.lua <<-\LUA
	local targets, at = {}, 0
	function setup(thread) thread:set("seed", at) at = at + 1 end
	function init()
	  math.randomseed(1 + seed)
	  for line in io.lines("targets") do targets[#targets + 1] = line end
	end
	function request()
	  local target, size = targets[math.random(#targets)]:match("^(%S+) ?(%d*)$")
	  local fields = {}
	  if size ~= "" then
	    local first = math.random(0, tonumber(size) - 1048576)
	    fields["Range"] = string.format("bytes=%d-%d", first, first + 1048575)
	  end
	  return wrk.format("GET", wrk.path .. target, fields)
	end
	function done(summary, latency, requests)
	  local e = summary.errors
	  local wrong = e.connect + e.read + e.write + e.status + e.timeout
	  io.write(string.format("result %.1f %d\n", summary.requests / summary.duration * 1e6, wrong))
	end
	LUA
}

# load CONNECTIONS URL: requests a second, or a failure if one of them has failed.
load () {
	wrk -t1 -c$1 -d$seconds -s load.lua "$2" >said && awk '/^result/ && $3 == 0 { print $2; good = 1 } END { exit !good }' said || {
		cat said >&2
		return 1
	}
}

# start_dig: its URL is in $dig_url, its process $dig_process.
start_dig () {
	rm -f url && { dig-serve -q --listen=127.0.0.1:0 >url & } && dig_process=$! &&
	until test -s url
	do
		kill -0 $dig_process || return 1
		sleep 0.1
	done && read -r dig_url <url && dig_url=${dig_url}HEAD/
}

# start_nginx DIRECTORY: on a port that was free a moment ago.
start_nginx () {
	start_dig && kill $dig_process && { wait $dig_process 2>/dev/null || :; } && port=${dig_url%/HEAD/} && port=${port##*:} && nginx_url=http://127.0.0.1:$port/ &&
	cat >nginx.conf <<-CONF && nginx -c "$PWD/nginx.conf" -e "$PWD/nginx.err"
	worker_processes auto;
	pid $PWD/nginx.pid;
	error_log $PWD/nginx.err;
	events { worker_connections 1024; }
	http {
		access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
		client_body_temp_path $PWD; proxy_temp_path $PWD; fastcgi_temp_path $PWD; uwsgi_temp_path $PWD; scgi_temp_path $PWD;
		server { listen 127.0.0.1:$port; root $1; }
	}
	CONF
}

stop_both () {
	kill $dig_process
	test ! -e nginx.pid || kill "$(cat nginx.pid)"
	wait $dig_process
	:
}

# compared CONNECTIONS DIRECTORY: requests of dig serve over those of nginx.
compared () {
	write_script && start_nginx "$2" && start_dig && load $1 "$dig_url" >/dev/null && load $1 "$nginx_url" >/dev/null &&
	for round in 1 2 3
	do
		theirs=$(load $1 "$nginx_url") && ours=$(load $1 "$dig_url") && calculate "$ours / $theirs" >>ratios || break
	done
	compared_status=$?
	stop_both 2>/dev/null
	test $compared_status = 0 && sort -n ratios | sed -n 2p
}

# resident CONNECTIONS: the most memory of dig serve, in MB.
resident () {
	write_script && start_dig && load $1 "$dig_url" >/dev/null && load $1 "$dig_url" >/dev/null &&
		awk '/^VmHWM/ { printf "%.1f\n", $2 * 1024 / 1e6 }' /proc/$dig_process/status
	resident_status=$?
	stop_both 2>/dev/null
	return $resident_status
}

files=$(pick 20000 5000) large=$(pick 1G 256M)
small=$data/small-$files random=$data/random-$large
of_small='sed "s,^$small/,," $small.list >targets' of_large='echo "file $(bytes_of $large)" >targets'

figure "64 connections, $files small files: requests over those of nginx" --needs "small $files" \
	--target 'at least 0.5' --unit x --prepare "stored $small && $of_small" "compared 64 $small"
figure "8 connections, 1 MiB ranges of $(name_of $large): requests over those of nginx" --needs "random $large" \
	--target 'at least 0.5' --unit x --prepare "stored $random && $of_large" "compared 8 $random"
figure "64 connections, $files small files: memory" --needs "small $files" \
	--target 'at most 100' --unit MB --prepare "stored $small && $of_small" 'resident 64'
figure "64 connections, 1 MiB ranges of $(name_of $large): memory" --needs "random $large" \
	--target 'at most 100' --unit MB --prepare "stored $random && $of_large" 'resident 64'

perf_done
