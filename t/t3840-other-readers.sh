#!/bin/sh

test_description="proofs and checkpoints, read by Go's packages tlog and note"

. "$(dirname "$0")/test-lib.sh"

packages=/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
go version >/dev/null 2>&1 && test -d $packages || {
	skip_all='Go and its package golang.org/x/mod are needed (golang-go, golang-golang-x-mod-dev)'
	test_done
}
mkdir reader && GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$TRASH/cache HOME=$TRASH GOFLAGS= \
	go build -o reader/check_log "$TEST_DIRECTORY/reference/check_log.go" || exit 1

generations=50
dig init >/dev/null && dig-config core.merge_layers false && mkdir d && for i in $(seq $generations)
do
	echo $i >d/$i && dig add -q d/$i && dig commit -q -m $i || exit 1
done && dig key new key >/dev/null && dig checkpoint --sign=key >signed || exit 1

test_expect_success 'it believes the proof of each state, of a file in it, and that the history goes on' '
	mkdir good && for i in $(seq $generations)
	do
		dig prove --checkpoint --state @$i -o good/state-$i && dig prove --checkpoint --at=@$i -o good/file-$i d/$i &&
		dig prove --checkpoint --consistency @$i -o good/grown-$i || return 1
	done &&
	reader/check_log "$(cat key.pub)" good/* >out && test $(grep -c "^ok" out) = $((3 * generations)) && ! grep -v "^ok" out
'

test_expect_success PYTHON 'it refuses each of 200 alterations, and so does dig' '
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

test_done
