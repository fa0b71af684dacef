#!/bin/sh

test_description='at its end, work says what it did, how fast, and where the time went'

. "$(dirname "$0")/test-lib.sh"

cat >fields <<\END
files_processed
bytes_processed
chunks_created
new_bytes
stored_bytes
deduplication_ratio
processing_time
memory_peak
throughput_mb_per_sec
files_per_sec
stage_read_s
stage_cut_s
stage_hash_s
stage_lookup_s
stage_compress_s
stage_write_s
stage_wait_s
END

# All of these are lines of the file, and each line is a name and a number.
has_all_fields () {
	cut -d" " -f1 "$1" | sort >names &&
	sort fields | comm -23 - names | test_cmp /dev/null - &&
	! grep -vE "^[a-z_]+ (-?[0-9]+(\.[0-9]+)?|null)$" "$1"
}

value () {
	sed -n "s/^$1 //p" "$2"
}

dig init >/dev/null && mkdir tree && seeded 900000 1 >tree/one && cp tree/one tree/same &&
	seeded 1000 2 >tree/small || exit 1
# A file that was changed just before it was added is read once more the next time.
sleep 0.1

test_expect_success 'add counts what it took' '
	dig add -A tree --metrics=add.txt &&
	has_all_fields add.txt &&
	test $(value files_processed add.txt) = 3 &&
	test $(value bytes_processed add.txt) = 1801000 &&
	test $(value new_bytes add.txt) = 901000 &&
	test $(value stored_bytes add.txt) -ge 901000 &&
	test $(value deduplication_ratio add.txt) = 1.999
'

test_expect_success 'and nothing, where nothing had changed' '
	dig add -q -A tree --metrics 2>err &&
	has_all_fields err &&
	test $(value files_processed err) = 0 &&
	test $(value files_seen err) = 3 &&
	test $(value deduplication_ratio err) = 1.000
'

test_expect_success 'a copy has no new bytes, and no ratio to them' '
	cp tree/one tree/again &&
	dig add --metrics=again.txt tree/again &&
	test $(value new_bytes again.txt) = 0 &&
	test $(value deduplication_ratio again.txt) = null
'

test_expect_success 'each command that may last has all fields' '
	dig commit -m first --metrics=commit.txt && has_all_fields commit.txt &&
	dig get --metrics=get.txt /tree/one >out && cmp out tree/one && has_all_fields get.txt &&
	dig extract --metrics=extract.txt copy && has_all_fields extract.txt &&
	dig check -q --metrics=check.txt && has_all_fields check.txt &&
	test $(value files_processed commit.txt) = 4 &&
	test $(value bytes_processed commit.txt) = 2701000 &&
	test $(value new_bytes commit.txt) = 901000 &&
	test $(value bytes_processed get.txt) = 900000 &&
	test $(value files_processed extract.txt) = 4 &&
	test $(value bytes_processed extract.txt) = 2701000 &&
	test $(value files_processed check.txt) = 4 &&
	test $(value chunks_created commit.txt) -le $(value chunks_created add.txt)
'

# The workers cannot have worked for longer than there was time.
sum_up='
$1 ~ /^stage_(read|cut|hash|lookup|compress|write|wait)_s$/ { sum += $2 }
$1 == "processing_time" { elapsed = $2 }
$1 == "workers" { workers = $2 > 1 ? $2 : 1 }
END { exit !(elapsed > 0 && sum <= elapsed * workers) }'

test_expect_success 'memory and times are possible' '
	for file in add commit get extract check
	do
		test $(value memory_peak $file.txt) -gt 1000000 &&
		awk "$sum_up" $file.txt || return 1
	done &&
	awk "\$1 == \"stage_hash_s\" && \$2 > 0 { found = 1 } END { exit !found }" add.txt
'

test_expect_success !SANITIZED 'the peak is below the limit of 100 MB' '
	test $(value memory_peak add.txt) -le 100000000
'

test_expect_success PYTHON 'as JSON, it is one object' '
	dig check -q --metrics=check.json && dig check -q --metrics=json:other &&
	dig check -q --metrics=json: 2>err &&
	for file in check.json other err
	do
		test $(wc -l <$file) = 1 &&
		python3 -c "import json, sys
value = json.load(open(sys.argv[1]))
missing = [name for name in open(\"fields\").read().split() if name not in value]
sys.exit(value[\"schema\"] != 1 or value[\"type\"] != \"metrics\" or bool(missing))" $file || return 1
	done
'

test_expect_success 'a file that cannot be made is told before anything is done' '
	echo new >tree/new &&
	test_expect_code 128 dig add -A tree --metrics=no/such/directory 2>err &&
	grep "cannot create .no/such/directory." err &&
	dig-diff-index >out && test_cmp /dev/null out
'

test_expect_success 'partial work and failed work are counted, too' '
	printf "tree/new\nnowhere\n" |
		test_expect_code 3 dig-update-index --add --metrics=partial.txt --stdin-paths &&
	test $(value files_processed partial.txt) = 1 &&
	test_expect_code 128 dig add --from-command --path=p --metrics=failed.txt -- \
		sh -c "echo text; exit 1" &&
	has_all_fields failed.txt
'

test_expect_success 'decoded blocks that are used again are hits' '
	dig get --metrics=get.txt /tree/small >out &&
	value cache_hits get.txt >hits && value cache_misses get.txt >misses &&
	test -s hits && test -s misses
'

test_expect_success '--explain names the step that limits, in a sentence with figures' '
	{ seeded 100000 7; sleep 0.5; seeded 100000 8; } |
		dig add -q --stdin --path=slow --explain 2>err &&
	grep -E "^dig add: this run of 0\.[0-9]+ s is limited by waiting for the program that feeds the stream \(input\): [0-9]+ % of that time, 195 KiB at [0-9]+ KiB/s; next is " err &&
	test $(wc -l <err) = 1 &&
	seeded 3000000 9 >tree/large && sleep 0.1 &&
	dig add --explain tree/large 2>err &&
	grep -E "^dig add: this run of [0-9.]+ s is limited by .* \([a-z]+\): [0-9]+ % of " err &&
	dig add --explain tree/large 2>err &&
	grep "no content had to be read: 1 file was compared" err
'

test_expect_success 'DIG_TRACE=1 shows regions, and their sums, on standard error' '
	echo traced >tree/traced &&
	DIG_TRACE=1 dig add tree/traced 2>err &&
	grep -E "^dig-update-index\[[0-9]+\.[0-9]+\] [0-9.]+ \+[0-9.]+ +hash$" err &&
	grep -E "^dig-update-index\[[0-9]+\] sum [0-9.]+ of [0-9]+, longest [0-9.]+ hash$" err &&
	DIG_TRACE=0 dig add -q tree/traced 2>err && test_cmp /dev/null err
'

test_expect_success 'DIG_TRACE=FILE takes the lines of all processes, whole' '
	echo more >>tree/traced &&
	DIG_TRACE="$TRASH/trace" dig add -q -A tree 2>err && test_cmp /dev/null err &&
	grep "^dig-ls-work\[.* run$" trace && grep "^dig-update-index\[.* run$" trace &&
	grep "^dig-add\[.* run$" trace &&
	! grep -vE "^dig-[a-z-]+\[[0-9]+(\.[0-9]+)?\] (sum |count )?[0-9]" trace
'

test_expect_success 'a trace that cannot be written does no harm' '
	DIG_TRACE=no/such/file dig check -q 2>err &&
	grep "^dig: warning: cannot create .no/such/file." err && test $(wc -l <err) = 1 &&
	DIG_TRACE=/dev/full dig check -q 2>err && test_cmp /dev/null err
'

test_done
