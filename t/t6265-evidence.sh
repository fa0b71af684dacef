#!/bin/sh

test_description='a check with a budget goes on where evidence is oldest, and keeps what was verified when'

. "$(dirname "$0")/test-lib.sh"

DIG_CONFIG='performance.max_worker_threads=2
core.merge_layers=false
chunking.target=64KB'
export DIG_CONFIG

# The first file has 500 KB of blocks, which are stored as they are.
test_expect_success 'a store of three states' '
	dig-init-store w >/dev/null &&
	(
		cd w && seeded 500K 1 >random && commit_all one && seq 30000 >text && commit_all two &&
		mkdir d && seeded 200K 3 >d/late && commit_all three
	)
'

test_expect_success 'before the first budget nothing is noted, and a check leaves no file' '
	(
		cd w && dig-check >../out && find .dig -type f | sort >../after && test ! -e .dig/evidence &&
		test "$(dig info verified)" = "not noted"
	) &&
	! grep verified out
'

test_expect_success 'a check with a budget notes what it saw' '
	(
		cd w && dig check --budget=10m >../out && test "$(dig info verified)" = "100% within 30 days, oldest 0 days"
	) &&
	grep "^ok: .* nothing damaged" out && grep "^verified: 100% within 30 days, oldest 0 days" out
'

test_expect_success 'a new state was never verified, until a check with or without a budget' '
	cp -a w x &&
	(
		cd w && seeded 700K 4 >new && commit_all four && dig info verified >../out && dig-check -q &&
		test "$(dig info verified)" = "100% within 30 days, oldest 0 days"
	) &&
	grep "^[4-6][0-9]% within 30 days, oldest never" out
'

test_expect_success 'a copy of the store was never verified' '
	(cd x && test "$(dig info verified)" = "0% within 30 days, oldest never" && dig check -q && dig info verified >../out) &&
	grep "^100%" out
'

test_expect_success 'a file that was written to was not verified' '
	(cd x && touch $(layer_of 1) && dig info verified >../out) && grep "^[2-6][0-9]% within 30 days, oldest never" out
'

test_expect_success 'evidence that is damaged, cut or empty counts for nothing and does no harm' '
	(
		cd w && cp .dig/evidence ../evidence &&
		for size in 0 1 23 24 40 100
		do
			head -c $size ../evidence >.dig/evidence && test "$(dig info verified)" = "0% within 30 days, oldest never" &&
			dig-check -q || exit 1
		done &&
		for byte in 0 8 24 40 70 100
		do
			cp ../evidence .dig/evidence && flip_bit .dig/evidence $byte &&
			test "$(dig info verified)" = "0% within 30 days, oldest never" && dig check -q --budget=1h || exit 1
		done && dig info verified | grep "^100%"
	)
'

test_expect_success 'a block that is damaged does not count as verified, and is told each time' '
	cp -a w y &&
	(
		cd y && flip_bit $(layer_of 1) 5000 && test_expect_code 4 dig check --budget=10m >../out 2>../err &&
		dig info verified >../info && test_expect_code 4 dig check -q --budget=10m
	) &&
	grep "has other content; block 0 with chunk" err && grep "oldest never" info && ! grep "^100" info
'

test_expect_success 'a budget that is over at once still looks at one step in each run, until all is verified' '
	cp -a w z && rm z/.dig/evidence &&
	(cd z && check-steps >../out) && read -r steps percentages <out &&
	test $steps -gt 10 && for percentage in $percentages; do echo $percentage; done >actual && sort -n actual >sorted &&
	test_cmp sorted actual
'

# aged AGE PATTERN: what was verified of parts with this number of blocks is made older.
test_expect_success PYTHON 'what was verified the longest time ago comes first' '
	(
		cd z && python3 -c "
import struct, sys, time, zlib
data = bytearray(open(\".dig/evidence\", \"rb\").read())
at = 24 + 8
days = 0
def parts(at):
    global days
    count, = struct.unpack_from(\"<I\", data, at)
    at += 4
    for i in range(count):
        days += 10
        struct.pack_into(\"<q\", data, at + 16, int(time.time()) - days * 86400)
        at += 24
    return at
at = parts(at)
files, = struct.unpack_from(\"<I\", data, at)
at += 4
for i in range(files):
    at = parts(at + 64)
assert at == len(data) - 4
struct.pack_into(\"<I\", data, at, zlib.crc32(data[:at]))
open(\".dig/evidence\", \"wb\").write(data)
" && dig info verified >../before && DIG_CONFIG="$DIG_CONFIG" check-steps >/dev/null && dig info verified >../after
	) &&
	grep "oldest 50 days" before && grep "oldest 50 days" after
'

test_expect_success ROOT 'where the user may not write, what was verified is not noted, and a warning says so' '
	(
		cd w && rm .dig/evidence && chmod a-w .dig && without_override dig check --budget=10m >../out 2>../err &&
		chmod u+w .dig
	) &&
	grep "^ok:" out && grep "evidence.; what was verified is not noted" err
'

test_expect_success 'a budget goes with content, and must be a span of time' '
	(
		cd w && test_expect_code 129 dig check --quick --budget=1m 2>../err && grep "quick" ../err &&
		test_expect_code 129 dig check --budget=fast 2>../err && grep "90s, 30m" ../err &&
		test_expect_code 129 dig check --budget=0 2>../err
	)
'

test_done
