#!/bin/sh

test_description='dig-show-staging prints index and journal, whatever is damaged in them'

. "$(dirname "$0")/test-lib.sh"

tab='	'
hello=$(printf hello | sha256sum | cut -d' ' -f1)

test_expect_success 'without a store there must be a directory' '
	test_expect_code 10 dig-show-staging && test_expect_code 128 dig-show-staging nowhere 2>err &&
	grep "no directory .nowhere." err && mkdir empty && dig-show-staging empty >actual &&
	printf "%s 0 missing\\n" index changes journal pack | test_cmp - actual
'

test_expect_success 'a store, and a staging area that has all files' '
	dig-init-store --store-id=$(printf %064d 1) w >store && cd w && mkdir d && printf hello >d/b && echo gone >gone &&
	chmod 640 d/b && touch -d @1 d/b && dig-add -q -A && dig-commit -q -m one && rm gone && printf hello >"$(printf "n\\nl")" &&
	seeded 3000 1 >new && dig-add -q -A && cp -a .dig/staging ../staging &&
	cp -R "$TEST_DIRECTORY/golden/version-1/staging" ../golden && chmod -R u+w ../golden
'

test_expect_success 'each record is a line, hostile bytes are quoted' '
	cd w && dig-show-staging >../actual && dig-show-staging ../staging >../expect && test_cmp ../expect ../actual &&
	grep "^index 0 missing$" ../actual && grep "^changes 0 found size=$(wc -c <.dig/staging/changes)$" ../actual &&
	grep "^changes 0 preamble version=1 compatible-features=0 read-features=0 write-features=0${tab}DIGINDEX$" ../actual &&
	grep "^changes [0-9]* block offset=24 size=[0-9]*${tab}d/b$" ../actual &&
	grep "^changes 24 record sequence=1 mode=100640 size=5 chunk=$hello time=1000000000 inode=.* stat-mode=416${tab}d/b$" ../actual &&
	grep "^changes [0-9]* record sequence=3 removed${tab}gone$" ../actual &&
	grep "^changes [0-9]* record .*${tab}\"n.nl\"$" ../actual && grep -F "\"n\\nl\"" ../actual &&
	grep "^changes [0-9]* tail table-offset=[0-9]* blocks=1 flags=2 records=4 .* manifest=$(dig-info manifest-root) committed=1 last=3 highest=3 " ../actual &&
	grep "^journal 0 preamble version=1 compatible-features=0 read-features=1 write-features=0${tab}DIGJRNAL$" ../actual &&
	grep "^journal 24 id [0-9a-f]\{32\}$" ../actual &&
	grep "^journal [0-9]* block number=0 offset=24 .* items=1$" ../actual &&
	grep "^journal [0-9]* file sequence=.*${tab}new$" ../actual &&
	grep "^journal [0-9]* mark pack-size=$(wc -c <.dig/staging/pack) blocks=" ../actual &&
	grep "^pack 0 found" ../actual && ! grep -e " broken" -e " item " ../actual
'

test_expect_success 'items are shown if wanted, and paths verbatim with -z' '
	cd w && dig-show-staging --items | grep "^journal [0-9]* item $(dig-chunk new | cut -d" " -f3)$" &&
	dig-show-staging -z | tr "\\0\\n" "\\n@" | grep "^changes .*${tab}n@l$"
'

test_expect_success 'failures and checkpoints have lines' '
	cp -a w failed && cd failed && echo secret >closed && chmod 0 closed &&
	test_expect_code 3 without_override dig-add -q closed && dig-show-staging >../actual &&
	grep "^journal [0-9]* failed${tab}closed${tab}.*Permission denied" ../actual &&
	seeded 12M 2 >big && (
		ulimit -f 16000 && test_expect_code 128 dig -c performance.checkpoint_bytes=64KB \
			-c performance.max_worker_threads=1 add -q big
	) &&
	dig-show-staging >../actual &&
	grep "^journal [0-9]* checkpoint reached=[1-9][0-9]* tree-size=[1-9].* stat-size=12582912 .*${tab}big$" ../actual
'

# broken_at FILE OFFSET: one byte of a copy is another.
broken_at () {
	rm -rf x && cp -a golden x && byte=$(od -An -tu1 -j$2 -N1 x/$1) &&
	printf "\\$(printf %o $((255 - byte)))" | dd of=x/$1 bs=1 seek=$2 conv=notrunc 2>dd.err
}

# How many lines there are without damage, and which are those of records.
dig-show-staging golden >whole
records () {
	grep -e "^index [0-9]* record" -e "^changes [0-9]* record" "$1" | wc -l
}

test_expect_success 'a block with a wrong checksum is named, and its records follow' '
	broken_at index 150 && test_expect_code 4 dig-show-staging x >actual &&
	grep "^index 24 broken${tab}the block.s checksum is wrong$" actual && grep "^index 24 record .*${tab}\"a.*bytes\"$" actual
'

test_expect_success 'without its tail the records of an index are found from the beginning' '
	broken_at index $(($(wc -c <golden/index) - 144)) && test_expect_code 4 dig-show-staging x >actual &&
	grep "^index [0-9]* broken${tab}the tail.s checksum is wrong$" actual && grep "^index 24 record .*${tab}\"a.*bytes\"$" actual &&
	truncate -s -145 x/index && test_expect_code 4 dig-show-staging x >actual &&
	grep "^index [0-9]* broken" actual && test $(records actual) -ge 1
'

test_expect_success 'a damaged preamble, table or id is named, and the rest is there' '
	for place in "index 3" "changes 8" "journal 10" "journal 30" "index $(($(wc -c <golden/index) - 150))"
	do
		broken_at $place && test_expect_code 4 dig-show-staging x >actual && grep "^${place% *} [0-9]* broken$tab" actual &&
		test $(records actual) -ge 2 && grep "^journal [0-9]* file .*${tab}staged$" actual || return 1
	done
'

test_expect_success 'behind a torn record of the journal the others are shown' '
	offset=$(sed -n "s/^journal \\([0-9]*\\) file .*${tab}staged$/\\1/p" whole | head -n 1) &&
	broken_at journal $((offset + 12)) && test_expect_code 4 dig-show-staging x >actual &&
	grep "^journal $offset broken${tab}the journal ends here: no whole record follows, but others do$" actual &&
	! grep "^journal $offset file" actual && grep "^journal [0-9]* mark pack-size=6182" actual &&
	truncate -s -3 x/journal && cp golden/journal x && truncate -s -3 x/journal && test_expect_code 4 dig-show-staging x >actual &&
	grep "^journal [0-9]* broken${tab}the journal ends here: no whole record follows$" actual
'

test_expect_success 'files that are empty, short or zeros are named' '
	for size in 0 10 43 44 100
	do
		for name in index changes journal
		do
			rm -rf x && cp -a golden x && truncate -s 0 x/$name && truncate -s $size x/$name &&
			test_expect_code 4 dig-show-staging x >actual && grep "^$name [0-9]* broken" actual || return 1
		done
	done
'

test_expect_success 'golden files of all versions are shown whole' '
	for golden in "$TEST_DIRECTORY"/golden/*/journal "$TEST_DIRECTORY"/golden/*/staging/journal
	do
		dig-show-staging "${golden%/journal}" >actual && ! grep " broken" actual && grep "^journal .* block number=0" actual ||
			return 1
	done
'

test_done
