#!/bin/sh

test_description='dig key makes and shows keys; keys and signatures of others are taken'

. "$(dirname "$0")/test-lib.sh"

dig init >/dev/null && echo 1 >f && dig add -q f && dig commit -q -m one || exit 1

test_expect_success 'a pair is made, the secret one for its owner alone, and none is replaced' '
	dig key new key >out && cmp out key.pub && grep -x "urn:dig:chia:$(cat .dig/store-id)+[0-9a-f]\{8\}+[A-Za-z0-9+/=]*" out &&
	test $(stat -c %a key) = 600 && grep "^PRIVATE+KEY+" key && cp key kept && test_expect_code 128 dig key new key 2>err && grep "is there already" err && cmp key kept &&
	echo x >half.pub && test_expect_code 128 dig key new half 2>err && grep "half.pub. is there already" err && test ! -e half &&
	dig key show key | cmp - key.pub && dig key show - <key | cmp - key.pub
'

test_expect_success 'a name is needed where there is no store, and has a form' '
	(cd / && test_expect_code 129 dig key new "$TRASH/k" 2>"$TRASH/err" && dig key new --name=example.com/a "$TRASH/k") >out && grep "^example.com/a+" out &&
	test_expect_code 129 dig key new --name="a b" k 2>err && test_expect_code 129 dig key new --name=a+b k 2>err && test_expect_code 129 dig key old k 2>err &&
	echo x >no && test_expect_code 128 dig key show no 2>err && grep "no key that signs" err && ! grep -x x err
'

test_expect_success 'the vectors of the specification of signed notes hold' '
	printf "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n" >foo.pub &&
	sed s/530d/530e/ foo.pub >bad.pub && test_expect_code 128 dig-verify-proof --key=bad.pub key 2>err && grep "another id" err
'

if signify-openbsd -h 2>&1 | grep -q usage
then
	test_set_prereq SIGNIFY
fi
test_expect_success SIGNIFY 'keys of signify sign, and what signify signs is believed' '
	signify-openbsd -G -n -p s.pub -s s.sec && dig checkpoint --sign=s.sec >note && dig-verify-proof -q --key=s.pub note &&
	dig key show s.pub >vkey && dig key show s.sec | test_cmp vkey - && dig-verify-proof -q --key=vkey note &&
	dig checkpoint | sed "/^$/,\$d" >body && signify-openbsd -S -s s.sec -m body -x sig && theirs=$(sed -n 2p sig | base64 -d | tail -c +11 | base64 -w0) &&
	ours=$(grep "^—" note | sed "s/.* //" | base64 -d | tail -c +5 | base64 -w0) && test "$theirs" = "$ours"
'

if ssh-keygen -\? 2>&1 | grep -q "Y sign"
then
	test_set_prereq SSH_KEYGEN
fi
test_expect_success SSH_KEYGEN 'ssh-keygen signs and verifies the same text' '
	ssh-keygen -q -t ed25519 -N "" -f ssh && dig checkpoint | sed "/^$/,\$d" >body && ssh-keygen -q -Y sign -n dig-checkpoint@v1 -f ssh body &&
	echo "me $(cut -d" " -f1,2 ssh.pub)" >allowed && ssh-keygen -q -Y verify -n dig-checkpoint@v1 -f allowed -I me -s body.sig <body &&
	sed 2s/1/2/ body >other && ! ssh-keygen -q -Y verify -n dig-checkpoint@v1 -f allowed -I me -s body.sig <other
'

test_done
