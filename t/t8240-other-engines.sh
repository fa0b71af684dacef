#!/bin/sh

test_description='servers of S3 that can be no remote of several writers: s3rver, fauxqs, Swift with s3api'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/real-server-lib.sh"
. "$TEST_DIRECTORY/swift-lib.sh"

need 'python3 is needed' python3
test -x "$DIG_BUILD/dig-remote-s3" || {
	skip_all='dig-remote-s3 was not built, for want of libcurl'
	test_done
}

DIG_CONFIG='performance.max_worker_threads=2'
AWS_REGION=us-east-1
export DIG_CONFIG AWS_REGION

# use_server PORT KEY SECRET: for the commands that follow
use_server () {
	AWS_ENDPOINT_URL=http://127.0.0.1:$1 AWS_ACCESS_KEY_ID=$2 AWS_SECRET_ACCESS_KEY=$3
	export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}

# What npm installs in a directory comes with a newer node where "node" was installed there, too.
modules=${DIG_TEST_NPM:+$DIG_TEST_NPM/node_modules}
PATH=${modules:+$modules/.bin:}$PATH

start_s3rver () {
	set -- $(free_ports 1) && mkdir -p server/s3rver && serve s3rver s3rver -s -d "$TRASH/server/s3rver" -a 127.0.0.1 -p $1 && until_true s3rver "listens $1" &&
		use_server $1 S3RVER S3RVER
}

# It would listen on all addresses.
start_fauxqs () {
	set -- $(free_ports 1) &&
		serve fauxqs env FAUXQS_PORT=$1 FAUXQS_LOGGER=false node --import 'data:text/javascript,import net from "node:net"; const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (where, ...rest) { return listen.call(this, { ...where, host: "127.0.0.1" }, ...rest); };' "$(command -v fauxqs)" &&
		until_true fauxqs "listens $1" && use_server $1 test test
}

missing=
for command in s3rver fauxqs swift-proxy-server
do
	command -v $command >/dev/null || missing="$missing $command"
done
test -z "$missing" || echo "# not installed:$missing; t/README tells where they come from"
if command -v node >/dev/null && command -v s3rver >/dev/null
then
	test_set_prereq S3RVER
fi
# It needs a module that came with node 22.
if command -v fauxqs >/dev/null && node -e 'require("node:sqlite")' 2>/dev/null
then
	test_set_prereq FAUXQS
fi
if command -v swift-proxy-server >/dev/null && command -v swift-object-server >/dev/null && command -v swift-container-server >/dev/null &&
	command -v swift-account-server >/dev/null && command -v memcached >/dev/null
then
	test_set_prereq SWIFT
fi

dig-init-store w >/dev/null && (cd w && seq 30000 >file && dig-add file && dig-commit -q -m file) >/dev/null || exit 1

# is_refused PATTERN: by check and by push, and nothing of it stays there
is_refused () {
	s3_request PUT /bucket && (cd w && test_expect_code 4 timeout 120 dig remote check s3://bucket/a >../out 2>../err) && ! test -s out && cat err && grep "$1" err &&
		(cd w && test_expect_code 128 timeout 120 dig push -q s3://bucket/a 2>../err) && grep "$1" err && echo "list a/ -" | timeout 60 dig-remote-s3 s3://bucket >out && echo end | test_cmp - out
}

# single_writer_works: where one store only writes to it
single_writer_works () {
	(cd w && timeout 120 dig push -q --single-writer s3://bucket/single) && rm -rf copy && timeout 120 dig clone -q s3://bucket/single copy && (cd copy && dig-verify-store -q) && cmp w/file copy/file
}

test_expect_success S3RVER 's3rver ignores the condition: it is refused, but for a single writer' '
	test_when_finished "end_server s3rver" && start_s3rver && is_refused "8 of 8 writers of one object succeeded" && single_writer_works
'

test_expect_success FAUXQS 'fauxqs ignores the condition: it is refused, but for a single writer' '
	test_when_finished "end_server fauxqs" && start_fauxqs && is_refused "8 of 8 writers of one object succeeded" && single_writer_works
'

test_expect_success SWIFT 'Swift does not know the condition: it is refused, and says so' '
	start_swift && use_server $swift test:tester secret && is_refused "status 501 (NotImplemented); it makes no object only if there is none"
'

test_done
