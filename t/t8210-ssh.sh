#!/bin/sh

test_description='remotes over ssh and content over SFTP, with the server of OpenSSH'

. "$(dirname "$0")/test-lib.sh"
. "$TEST_DIRECTORY/real-server-lib.sh"

need 'python3 is needed' python3
need 'OpenSSH is needed: make deps-remote' sshd ssh ssh-keygen

DIG_CONFIG='performance.max_worker_threads=2'
export DIG_CONFIG

states () {
	dig-list-roots | cut -d " " -f 1,2 && dig-info store-id root manifest-root chunking
}

# Keys, rules and known hosts are all of this directory; ssh looks for others where the list of users says.
mkdir -p server .ssh && chmod 700 .ssh && port=$(free_ports 1) && ssh-keygen -q -t ed25519 -N '' -f server/host && ssh-keygen -q -t ed25519 -N '' -f server/other &&
	ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 && cp .ssh/id_ed25519.pub server/authorized &&
	echo "[127.0.0.1]:$port $(cat server/host.pub)" >.ssh/known_hosts && echo "[127.0.0.1]:$port $(cat server/other.pub)" >server/wrong_hosts && cat >server/sshd_config <<EOF2 || exit 1
ListenAddress 127.0.0.1
Port $port
HostKey $TRASH/server/host
AuthorizedKeysFile $TRASH/server/authorized
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
PrintMotd no
SetEnv PATH=$DIG_BUILD:/usr/bin:/bin
Subsystem sftp internal-sftp
EOF2
cat >server/ssh_config <<EOF2
IdentityFile $TRASH/.ssh/id_ed25519
IdentitiesOnly yes
UserKnownHostsFile $TRASH/.ssh/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
BatchMode yes
EOF2
printf '#!/bin/sh\nexec ssh -F "%s/server/ssh_config" $SSH_MORE "$@"\n' "$TRASH" >ssh-here && chmod +x ssh-here
DIG_SSH=$TRASH/ssh-here SSH_MORE= && export DIG_SSH SSH_MORE
place=ssh://$(id -un)@127.0.0.1:$port

# The server of root wants this directory.
! test_have_prereq ROOT || mkdir -p /run/sshd
serve sshd "$(command -v sshd)" -D -e -f "$TRASH/server/sshd_config" && until_true sshd "listens $port" || {
	skip_all='the server of OpenSSH does not start here'
	test_done
}
$DIG_SSH -p $port $(id -un)@127.0.0.1 true 2>server/refused || {
	skip_all="the server of OpenSSH lets nobody in here: $(head -n 1 server/refused)"
	test_done
}

test_expect_success 'remote check: it can be a remote' '
	dig init -q probe >/dev/null && (cd probe && timeout 60 dig remote check "$place$TRASH/checked") >out && grep -x "ok .*create-once ranges" out
'

test_expect_success 'states go to another machine and come from it' '
	DIG_CONFIG="chunking.target=16KB" dig-init-store w >/dev/null &&
	(
		cd w && seeded 3M 1 >large && for number in 1 2 3
		do
			seq $number 30000 >f$number && dig-add -A && dig-commit -q -m $number || exit 1
		done && dig remote add origin "$place$TRASH/remote" && timeout 60 dig push -q && states >../expect
	) &&
	timeout 60 dig clone -q "$place$TRASH/remote" copy && (cd copy && dig-verify-store -q && states >../actual) && test_cmp expect actual && diff -r --exclude=.dig w copy &&
	(cd copy && echo new >new && dig-add new && dig-commit -q -m new && timeout 60 dig push -q && states >../expect) &&
	(cd w && timeout 60 dig fetch -q && dig-verify-store -q && states >../actual && timeout 60 dig push) >out && test_cmp expect actual && grep "has all states" out
'

test_expect_success 'a directory has any name, and no shell there reads it' '
	for name in "a b" "it'\''s" "\$(touch $TRASH/harm)" "\`touch $TRASH/harm\`" "x;touch $TRASH/harm" "-rf" "\"q\"" "x|y&z" "~" "*" "
"
	do
		printf "put-new a 1\nx" | timeout 60 dig-remote-ssh "$place$TRASH/names/$name" >out && echo ok | test_cmp - out && test -e "names/$name/a" || { echo "$name"; return 1; }
	done && test ! -e harm
'

# A name that begins with "-" would be an option, and ProxyCommand is a command here.
test_expect_success 'no host, user or port is an option, or a word for a shell' '
	for url in "ssh://-oProxyCommand=touch%20harm/x" "ssh://-oProxyCommand=touch harm/x" "ssh://-l@127.0.0.1/x" "ssh://a@-oProxyCommand=x/y" "ssh://a b@h/x" "ssh://h;touch harm/x" \
		"ssh://\$(touch harm)/x" "ssh://\`touch harm\`/x" "ssh://h|x/y" "ssh://h:22x/y" "ssh://h:-1/y" "ssh://h:/y" "ssh://h:123456/y" "ssh://@h/y" "ssh:///y" "ssh://h" "ssh://h/" "ssh://[::1/y" \
		"ssh://[-x]/y" "ssh://[]/y" "ssh://a@b@c/y" "ssh://h
x/y" "ssh://a:secret@h/y" "ssh://%68/y" "ssh://h%00/x"
	do
		test_expect_code 129 timeout 20 dig-remote-ssh "$url" </dev/null 2>err || { echo "$url"; return 1; }
	done && test ! -e harm
'

test_expect_success 'a host that is another one, and a key that is not known, get nothing' '
	(cd w && SSH_MORE="-o UserKnownHostsFile=$TRASH/server/wrong_hosts" test_expect_code 128 timeout 60 dig fetch -q 2>../err) && grep -i "host key verification failed" err && grep "has ended before its work was done" err &&
	(cd w && SSH_MORE="-o IdentityFile=$TRASH/server/other -F /dev/null -o BatchMode=yes -o UserKnownHostsFile=$TRASH/.ssh/known_hosts" test_expect_code 128 timeout 60 dig push -q 2>../err) && grep -i "permission denied" err &&
	test_expect_code 128 timeout 60 dig clone -q "$place$TRASH/none" none 2>err && grep "there is nothing that .dig push. has made" err
'

# cut-here HOST PORT BYTES: a connection that ends behind so many bytes of the server.
cat >cut-here <<\EOF2
import os, socket, sys, threading
server, left = socket.create_connection((sys.argv[1], int(sys.argv[2]))), int(sys.argv[3])


def send():
    while data := os.read(0, 65536):
        server.sendall(data)


threading.Thread(target=send, daemon=True).start()
while left > 0 and (data := server.recv(min(left, 65536))):
    left -= len(data)
    os.write(1, data)
os._exit(0)
EOF2

test_expect_success 'where the connection is cut it ends, and the next fetch goes on' '
	printf "#!/bin/sh\nexec ssh -F \"%s/server/ssh_config\" -o \"ProxyCommand=python3 %s/cut-here %%h %%p \$CUT\" \"\$@\"\n" "$TRASH" "$TRASH" >cut-ssh && chmod +x cut-ssh &&
	rm -rf cut && for CUT in 100 5000 1500000
	do
		export CUT && rm -rf cut && test_expect_code 128 env DIG_SSH="$TRASH/cut-ssh" timeout 60 dig clone -q "$place$TRASH/remote" cut 2>err && grep "has ended before its work was done" err || return 1
	done && (cd cut && timeout 60 dig fetch -q && dig-verify-store -q && states >../actual) && test_cmp expect actual
'

# Done before its server is, or behind it: both are one state, there or not.
test_expect_success 'a push that is cut is ended by the next one' '
	(cd w && seeded 2M 9 >more && dig-add more && dig-commit -q -m more && for CUT in 4000 6000
	do
		export CUT && { DIG_SSH="$TRASH/cut-ssh" timeout 60 dig push -q 2>>../err || test $? = 128; } || exit 1
	done && timeout 60 dig push -q && states >../expect) && rm -rf copy && timeout 60 dig clone -q "$place$TRASH/remote" copy && (cd copy && dig-verify-store -q && states >../actual) && test_cmp expect actual
'

# --- SFTP ---------------------------------------------------------------------------------------

if test -x "$DIG_BUILD/dig-fetch-url" && dig-fetch-url sftp://127.0.0.1:1/x 2>&1 >/dev/null | grep -qi "connect"
then
	test_set_prereq SFTP
fi
files=sftp://$(id -un)@127.0.0.1:$port

test_expect_success SFTP 'content comes by SFTP, whole, from a byte, and by dig add' '
	seeded 9M 4 >large && : >empty && echo x >"a b;c" && timeout 60 dig-fetch-url "$files$TRASH/large" | cmp large - && timeout 60 dig-fetch-url "$files$TRASH/empty" | cmp empty - &&
	timeout 60 dig-fetch-url "$files$TRASH/a%20b;c" | cmp "a b;c" - && tail -c +8000001 large >expect && timeout 60 dig-fetch-url --resume-from=8000000 "$files$TRASH/large" | cmp expect - &&
	(cd w && timeout 60 dig add -q --path=by-sftp "$files$TRASH/large" && dig-commit -q -m sftp && dig-cat HEAD:by-sftp | cmp ../large -)
'

test_expect_success SFTP 'a file that is not there, a host that is another one and a key that is not known are named' '
	test_expect_code 12 timeout 60 dig-fetch-url "$files$TRASH/nowhere" 2>err >out && ! test -s out && grep "cannot fetch .*nowhere.: .*not" err &&
	cp .ssh/known_hosts kept && test_when_finished "cp kept .ssh/known_hosts" && cp server/wrong_hosts .ssh/known_hosts &&
	test_expect_code 12 timeout 60 dig-fetch-url "$files$TRASH/large" 2>err >out && ! test -s out && grep "the host is not in ~/.ssh/known_hosts, or has another key" err &&
	: >.ssh/known_hosts && test_expect_code 12 timeout 60 dig-fetch-url "$files$TRASH/large" 2>err >out && ! test -s out && grep "the host is not in ~/.ssh/known_hosts, or has another key" err &&
	cp kept .ssh/known_hosts && mkdir spare && mv .ssh/id_ed25519* spare && cp server/other .ssh/id_ed25519 && cp server/other.pub .ssh/id_ed25519.pub &&
	test_expect_code 12 timeout 60 dig-fetch-url "$files$TRASH/large" 2>err >out && ! test -s out && grep -i "auth" err && mv spare/* .ssh
'

test_done
