#!/bin/sh

test_description='sums, sizes, roots and times as people see them, and -q'

. "$(dirname "$0")/test-lib.sh"

dig init w >/dev/null && cd w && seeded 3M 1 >large && mkdir d && echo one >d/a && echo two >d/b && cp large same || exit 1
touch -d @1600000000 large same d/a d/b && cd "$TRASH" || exit 1

# ends_with PATTERN FILE: that is its last line, and its only one.
ends_with () {
	tail -n 1 "$2" | grep -E "^$1\$" && test $(wc -l <"$2") = 1 || { cat "$2"; false; }
}

test_expect_success 'add, commit, extract and rm end with one line' '
	cd w && dig add -A 2>../err >../out && test_cmp /dev/null ../out &&
	ends_with "4 files, 6\.00 MiB, 3\.00 MiB new, 3\.00 MiB stored, [0-9]+\.[0-9] s" ../err &&
	dig commit -m first >../out 2>../err && test_cmp /dev/null ../err &&
	ends_with "@1 $(dig info root | cut -c1-12) 4 entries, 6\.00 MiB; layer of 3\.0[0-9] MiB" ../out &&
	dig extract ../all 2>../err >../out && test_cmp /dev/null ../out && ends_with "4 files, 6\.00 MiB, [0-9]+\.[0-9] s" ../err &&
	dig extract ../some d 2>../err && ends_with "2 files, 8 bytes, [0-9.]+ s" ../err &&
	dig rm --cached d/a 2>../err && ends_with "1 file removed, 4 bytes, from the index only" ../err && dig reset -q &&
	dig rm -f d 2>../err >../out && test_cmp /dev/null ../out && ends_with "2 files removed, 8 bytes" ../err &&
	dig add -A 2>../err && ends_with "[0-9]+ files?, .* stored, .* s" ../err && rm same && dig add -A 2>../err &&
	ends_with ".* stored, 1 removed, .* s" ../err && dig reset -q && dig extract -q -f .
'

test_expect_success 'with -q there is none, and with a failure of all there is none either' '
	cd w && echo three >d/c && dig add -q d/c 2>../err && test_cmp /dev/null ../err && dig commit -q -m second >../out 2>../err &&
	test_cmp /dev/null ../out && test_cmp /dev/null ../err && dig extract -q ../quiet 2>../err && test_cmp /dev/null ../err &&
	dig rm -q d/c 2>../err && test_cmp /dev/null ../err && dig reset -q 2>../err && test_cmp /dev/null ../err &&
	dig extract --quiet -f . d/c 2>../err && test_cmp /dev/null ../err &&
	test_expect_code 128 dig add nowhere 2>../err && ! grep stored ../err && dig add -n -A 2>../err && test_cmp /dev/null ../err
'

test_expect_success 'every command takes -q' '
	for command in add cat check commit diff extract get help init log ls reset rm show status info config hash-object ls-index ls-work
	do
		dig-$command --list-options | grep -x -e -q || { echo $command; return 1; }
	done &&
	cd w && dig log -q >../out && dig ls -q && dig show -q && dig status -q
'

test_expect_success 'streams and commands are summed up, too' '
	cd w && seeded 2000 3 | dig add --stdin --path=s 2>../err && ends_with "1 file, 1\.95 KiB, 1\.95 KiB new, .* stored, .* s" ../err &&
	dig add --from-command --path=c -- echo x 2>../err && ends_with "1 file, 2 bytes, 2 bytes new, 2 bytes stored, .* s" ../err &&
	dig add --show-plumbing -A >../out && ! grep summary ../out && dig reset -q
'

test_expect_success 'sizes are exact where scripts read them, and otherwise as it is asked for' '
	cd w && dig ls -l >../out && grep " 3145728 2020-09-13 12:26:40 UTC large" ../out && dig ls -l --human | grep " 3.00 MiB 2020-09-13" &&
	dig ls -l --human --bytes | test_cmp ../out - && dig show @1 >../out && grep "^Content: 4 entries, 6.00 MiB$" ../out &&
	dig show --bytes @1 | grep "^Content: 4 entries, 6291464 bytes$" && dig show --bytes --human @1 | test_cmp ../out -
'

test_expect_success 'roots are short, and name their state' '
	cd w && dig status | head -n 1 >../out && root=$(dig info root | cut -c1-12) && echo "at @2 $root" | test_cmp - ../out &&
	dig log --oneline | head -n 1 | grep "^@2 $root second$" && dig show $root | grep "^@2 $(dig info root)$"
'

if test "$(TZ=Europe/Berlin date -d @1600000000 +%H)" = 14
then
	test_set_prereq ZONES
fi

test_expect_success 'times are in the zone of the machine, or in UTC' '
	cd w && TZ=XYZ-5:30 dig ls -l | grep "2020-09-13 17:56:40 +0530 large" && TZ=XYZ-5:30 dig ls -l --utc | grep "2020-09-13 12:26:40 UTC large" &&
	TZ=XYZ5 dig log | grep "^Date:   2023-11-14 17:13:20 -0500$" && TZ=XYZ5 dig log --utc | grep "^Date:   2023-11-14 22:13:20 UTC$" &&
	TZ=XYZ5 dig show | grep "^Date:    2023-11-14 17:13:20 -0500$" && TZ=XYZ5 dig show --utc | grep "22:13:20 UTC" &&
	dig ls -lz >../out && TZ=XYZ5 dig ls -lz | cmp ../out -
'

test_expect_success ZONES 'zones have their names, and summer' '
	cd w && TZ=Europe/Berlin dig ls -l | grep "2020-09-13 14:26:40 +0200 large" && TZ=Europe/Berlin dig log | grep "2023-11-14 23:13:20 +0100"
'

test_expect_success 'a full commit begins at nothing, and its copy is most of it' '
	cd w && echo more >d/more && dig add -q d/more && dig commit --full -m full --progress=json 2>../err >../out &&
	head -n 1 ../err | grep "\"stage\":\"manifest\".*\"percent\":0.000" &&
	grep "\"stage\":\"copy\"" ../err | head -n 1 | sed "s/.*\"percent\":\([0-9]*\).*/\1/" >../percent && test $(cat ../percent) -lt 10
'

test_done
