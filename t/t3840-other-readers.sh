#!/bin/sh

test_description="proofs and checkpoints, read by Go's packages tlog and note, by signify and by ssh-keygen"

. "$(dirname "$0")/test-lib.sh"

packages=/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
if go version >/dev/null 2>&1 && test -d $packages
then
	test_set_prereq GO
	mkdir reader && GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$TRASH/cache HOME=$TRASH GOFLAGS= \
		go build -o reader/check_log "$TEST_DIRECTORY/reference/check_log.go" || exit 1
fi
if signify-openbsd -h 2>&1 | grep -q usage
then
	test_set_prereq SIGNIFY
	signify-openbsd -G -n -p s.pub -s s.sec || exit 1
fi
if ssh-keygen -\? 2>&1 | grep -q "Y sign"
then
	test_set_prereq SSH_KEYGEN
fi

generations=50
dig init >/dev/null && dig-config core.merge_layers false && mkdir d notes && for i in $(seq $generations)
do
	echo $i >d/$i && dig add -q d/$i && dig commit -q -m $i && dig checkpoint | sed '/^$/,$d' >notes/$i.body &&
	if test -e s.sec; then dig checkpoint --sign=s.sec >notes/$i.note; fi || exit 1
done
# What Go reads has the signature of one key.
rm -f .dig/checkpoint && dig key new key >/dev/null && dig checkpoint --sign=key >signed || exit 1

test_expect_success GO 'Go believes the proof of each state, of a file in it, and that the history goes on' '
	mkdir good && for i in $(seq $generations)
	do
		dig prove --checkpoint --state @$i -o good/state-$i && dig prove --checkpoint --at=@$i -o good/file-$i d/$i &&
		dig prove --checkpoint --consistency @$i -o good/grown-$i || return 1
	done &&
	reader/check_log "$(cat key.pub)" good/* >out && test $(grep -c "^ok" out) = $((3 * generations)) && ! grep -v "^ok" out
'

test_expect_success GO,PYTHON 'Go refuses each of 200 alterations, and so does dig' '
	mkdir bad && python3 -c "
import base64, random, sys
choose = random.Random(1)
for number in range(200):
    kind = choose.choice([\"state\", \"grown\"])
    name = f\"good/{kind}-{choose.randrange(1, $generations)}\"
    lines = open(name, encoding=\"utf-8\").read().split(\"\\n\")
    at = choose.choice([i for i, line in enumerate(lines) if line and i > 0])
    words = lines[at].split(\" \")
    last = words[-1]
    if last.isdigit():
        words[-1] = str(int(last) + choose.choice([-1, 1]))
    elif at == lines.index(\"\") + 1:
        words[-1] = last[:-1] + (\"0\" if last[-1] != \"0\" else \"1\")
    else:
        data = bytearray(base64.b64decode(last))
        data[choose.randrange(4 if lines[at].startswith(\"extra\") else 0, len(data))] ^= 1 << choose.randrange(8)
        words[-1] = base64.b64encode(bytes(data)).decode()
    lines[at] = \" \".join(words)
    open(f\"bad/{number}\", \"w\", encoding=\"utf-8\").write(\"\\n\".join(lines))
" && reader/check_log "$(cat key.pub)" bad/* >out && test $(grep -c "^refused" out) = 200 &&
	for file in bad/*
	do
		test_expect_code 5 dig-verify-proof -q --key=key.pub $file 2>err || return 1
	done
'

# alter KIND: altered/0 to 199, each with one bit changed, of the text notes/N.body or of the signature notes/N.KIND.
alter () {
	rm -rf altered && mkdir altered && python3 -c "
import base64, random
choose = random.Random(2)
def flip(data, first):
    data = bytearray(data)
    data[choose.randrange(first, len(data))] ^= 1 << choose.randrange(8)
    return bytes(data)
for number in range(200):
    generation = choose.randrange(1, $generations + 1)
    with open(f\"notes/{generation}.body\", \"rb\") as file:
        body = file.read()
    with open(f\"notes/{generation}.$1\", encoding=\"ascii\") as file:
        first, *coded, last = file.read().splitlines()
    if \"$1\" == \"sig\":
        coded, last = [last], \"\"
    data = base64.b64decode(\"\".join(coded))
    if number % 2:
        body = flip(body, 0)
    else:
        data = flip(data, len(data) - 64)
    with open(f\"altered/{number}.body\", \"wb\") as file:
        file.write(body)
    with open(f\"altered/{number}.$1\", \"w\", encoding=\"ascii\") as file:
        file.write(\"\\n\".join([first, base64.b64encode(data).decode(), last]).strip() + \"\\n\")
"
}

# The signature of a note is signify's over the same text: "Ed", the number of the key, and the 64 bytes.
test_expect_success SIGNIFY,PYTHON 'signify believes what dig signs with its key at each state, and nothing altered' '
	number=$(sed -n 2p s.pub | base64 -d | head -c 10 | base64 -w0) &&
	for i in $(seq $generations)
	do
		sed "/^$/,\$d" notes/$i.note | cmp - notes/$i.body &&
		{
			echo "untrusted comment: dig" &&
			{ echo $number | base64 -d && grep "^—" notes/$i.note | sed "s/.* //" | base64 -d | tail -c +5; } | base64 -w0 && echo
		} >notes/$i.sig &&
		signify-openbsd -V -q -p s.pub -x notes/$i.sig -m notes/$i.body || return 1
	done &&
	alter sig && for i in $(seq 0 199)
	do
		! signify-openbsd -V -q -p s.pub -x altered/$i.sig -m altered/$i.body 2>err || return 1
	done
'

test_expect_success SSH_KEYGEN,PYTHON 'ssh-keygen signs the checkpoint of each state, and believes no altered one' '
	ssh-keygen -q -t ed25519 -N "" -f ssh && echo "me $(cut -d" " -f1,2 ssh.pub)" >allowed && for i in $(seq $generations)
	do
		ssh-keygen -q -Y sign -n dig-checkpoint@v1 -f ssh notes/$i.body && mv notes/$i.body.sig notes/$i.ssh &&
		ssh-keygen -q -Y verify -n dig-checkpoint@v1 -f allowed -I me -s notes/$i.ssh <notes/$i.body || return 1
	done &&
	alter ssh && for i in $(seq 0 199)
	do
		! ssh-keygen -q -Y verify -n dig-checkpoint@v1 -f allowed -I me -s altered/$i.ssh <altered/$i.body || return 1
	done
'

test_done
