#!/bin/sh

test_description='remotes, layers that stand alone and layers of lazy clones are what the pages say, for ever'

. "$(dirname "$0")/test-lib.sh"

# All three were made from the store "merged" by t1410, whose content is known there.
golden=$TEST_DIRECTORY/golden
reference=$TEST_DIRECTORY/reference/dig_reference.py
root=175e1fc46133a88e80b7f081f7ed71f313e48acd2ef0fb96d49e2f723b109052

# number TYPE OFFSET FILE
number () {
	od -An -t$1 -j$2 -N${1#u} "$3" | tr -d " "
}

test_expect_success 'the golden remote is cloned, and has what it had' '
	dig clone -q "$golden/remote" from && (
		cd from && dig-verify-store -q && dig-info root | grep -x $root && dig-cat @2:gone >../actual && seeded 6K 3 | cmp - ../actual &&
		dig-cat HEAD:later >../actual && seeded --text 8K 6 | cmp - ../actual && test_expect_code 128 dig-cat @1:small 2>../err &&
		dig-show-layer @2 >../out && grep "^author $(printf "\303\234")ser$" ../out
	)
'

test_expect_success 'a remote made today is golden in all but what is random' '
	mkdir w && cp -R "$golden/merged" w/.dig && chmod -R u+w w/.dig && (cd w && dig remote add origin ../made && dig push -q origin) &&
	cmp "$golden/remote/dig-remote" made/dig-remote && (cd "$golden/remote/roots" && ls) >expect && ls made/roots | test_cmp expect - &&
	(cd "$golden/remote/packs" && ls) >packs && ls made/packs | test_cmp packs - && cmp "$golden/remote/packs/$(cat packs)" made/packs/$(cat packs) &&
	for name in $(cat expect)
	do
		# The nonce follows preamble, mark and root.  The checksum comes last.
		old=$golden/remote/roots/$name && now=made/roots/$name && { head -c 57 "$old" && tail -c +90 "$old" | head -c -4; } >was &&
		{ head -c 57 $now && tail -c +90 $now | head -c -4; } | cmp was - || return 1
	done
'

test_expect_success 'od reads a record' '
	record=$golden/remote/roots/00000000000000000001 && test "$(head -c 8 "$record")" = DIGRTREC && test $(number u1 24 "$record") = 1 &&
	record=$golden/remote/roots/00000000000000000002 && test $(number u1 24 "$record") = 0 &&
	last=$golden/remote/roots/00000000000000000013 && test $(od -An -v -tx1 -j25 -N32 "$last" | tr -d " \n") = $root &&
	test $(number u8 89 "$last") = 1 && test $(number u4 97 "$last") = 0 &&
	first=$golden/remote/roots/00000000000000000001 && test $(number u8 89 "$first") = 1 && test $(number u4 97 "$first") = 1 &&
	pack=$(od -An -v -tx1 -j101 -N32 "$first" | tr -d " \n") && test $(number u8 133 "$first") = $(wc -c <"$golden/remote/packs/$pack")
'

# Its hints are compressed, by zstd of any version, and the id of the pack is that of all its bytes.
test_expect_success PYTHON 'a layer that stands alone is golden in all that is counted and hashed' '
	(cd w && dig export -q --full ../state.dig) && python3 "$reference" layer "$golden/full/state.dig" >told.golden && python3 "$reference" layer state.dig >told.made &&
	grep -v "^pack-id" told.golden >expect && grep -v "^pack-id" told.made >actual && test_cmp expect actual && grep "^full yes" actual && dig check -q "$golden/full/state.dig" &&
	dig-cat "$golden/full/state.dig:later" >actual && seeded --text 8K 6 | cmp - actual
'

test_expect_success 'so is the layer of a lazy clone' '
	dig clone -q --lazy "$golden/remote" lazy && (cd "$golden/lazy/layers" && ls) >expect && ls lazy/.dig/layers | test_cmp expect - &&
	cmp "$golden"/lazy/layers/*.merged lazy/.dig/layers/*.merged && (cd lazy && dig-info root) | grep -x $root &&
	(cd lazy && dig-cat @2:d/several) >actual && seeded 9K 1 | cmp - actual
'

test_expect_success PYTHON 'the reference says of it that content lies elsewhere' '
	test_expect_code 1 python3 "$reference" store lazy/.dig 2>err && grep "content lies in a remote" err
'

test_done
