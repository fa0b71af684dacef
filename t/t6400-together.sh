#!/bin/sh

test_description='several processes at the same store'

. "$(dirname "$0")/test-lib.sh"

# feed FILE FIFO: the bytes now, their end after a while.
feed () {
	{ cat "$1" && sleep 1; } >"$2"
}

# Each of the two has looked its chunks up before the other writes them, so they are stored twice.
test_expect_success 'two adds of the same content at once leave a store that is sound' '
	dig-init-store same &&
	seeded 900K 1 >content &&
	(
		cd same &&
		mkfifo ../p ../q &&
		{ feed ../content ../p & } &&
		{ feed ../content ../q & } &&
		{ dig-update-index --add --stdin-content --path=a <../p & first=$!; } &&
		dig-update-index --add --stdin-content --path=b <../q &&
		wait $first &&
		dig-write-layer -m one >layer &&
		dig-update-root $(cat layer) &&
		test $(wc -c <.dig/layers/$(cat layer).dig) -gt 900000 &&
		dig-verify-store &&
		dig-cat HEAD:a >../actual && test_cmp ../content ../actual &&
		dig-cat HEAD:b >../actual && test_cmp ../content ../actual
	)
'

test_expect_success 'what is added during a commit is in it or staged after it' '
	dig-init-store during &&
	(
		cd during &&
		seeded 20M 2 >large &&
		for i in 1 2 3 4 5 6 7 8 9
		do
			echo $i >small$i || return 1
		done &&
		{ dig-add large & large=$!; } &&
		for i in 1 2 3 4 5 6 7 8 9
		do
			dig-add small$i && dig-commit -q -m $i || return 1
		done &&
		wait $large &&
		{ dig-commit -q -m large || test $? = 1; } &&
		dig-verify-store &&
		dig-status --porcelain=v1 >../actual && test_cmp /dev/null ../actual &&
		dig-extract ../back && cmp large ../back/large && cmp small9 ../back/small9
	)
'

test_expect_success 'of commits at once one makes the state, and the others say so' '
	dig-init-store race &&
	(
		cd race &&
		echo staged >staged && dig-add staged &&
		{ dig-commit -q -m one >1 2>&1 & one=$!; } &&
		{ dig-commit -q -m two >2 2>&1 & two=$!; } &&
		{ wait $one; first=$?; wait $two; second=$?; } &&
		test $((first == 0 ? second : first)) = 1 &&
		test $(dig-list-roots | wc -l) = 1 &&
		dig-verify-store
	)
'

# prefix_of STATE: the stream as it was committed begins as the content does, and is not empty.
prefix_of () {
	dig-cat $1:stream >../actual && size=$(wc -c <../actual) && test $size -gt 1000000 &&
	head -c $size ../long | cmp - ../actual
}

test_expect_success 'checkpoints of a stream are committed while it goes on, and after it was killed' '
	dig-init-store stream && seeded 9M 5 >long && rm -f p && mkfifo p &&
	(
		cd stream &&
		{ dig-update-index --add --stdin-content --path=stream --checkpoint-every=1MB <../p & stream=$!; } &&
		exec 7>../p && head -c 4M ../long >&7 &&
		until test -n "$(dig-ls-index)"
		do
			sleep 0.05
		done &&
		dig-commit -q -m one && prefix_of HEAD && first=$size &&
		tail -c +4194305 ../long >&7 &&
		while dig-diff-index -q
		do
			sleep 0.05
		done &&
		kill -9 $stream && exec 7>&- && { wait $stream || :; } &&
		dig-verify-store && dig-commit -q -m two && prefix_of HEAD && test $size -gt $first && prefix_of @1 &&
		dig-verify-store
	)
'

# The first add waits for more paths, with files in the journal.  What the others stage meanwhile is not
# all there: the content of a stream and a removal are in the index only.
test_expect_success 'what a killed add had finished gives way to what another one has staged since' '
	dig-init-store way && rm -f p && mkfifo p &&
	(
		cd way && echo one >gone && dig-add gone && dig-commit -q -m zero &&
		echo older >finished && echo file >d && echo two >gone && seeded 9M 6 >big && cp big bigger &&
		{ dig-update-index --add --stdin-paths <../p & add=$!; } &&
		exec 7>../p && printf "%s\n" d gone finished big bigger >&7 &&
		until grep -q finished .dig/staging/journal
		do
			sleep 0.05
		done &&
		cp -a .dig ../alone.dig &&
		rm d && mkdir d && echo below >d/x && dig-add d && echo gone | dig-update-index --remove --stdin-paths &&
		echo newer | dig-update-index --add --stdin-content --path=finished &&
		kill -9 $add && exec 7>&- && { wait $add || :; } &&
		rm -f .dig/staging/run* && echo later >later && dig-add later &&
		dig-ls-index --name-only | grep -v big >../actual && printf "%s\n" d/x finished later | test_cmp - ../actual &&
		dig-commit -q -m one && dig-cat HEAD:finished >../actual && echo newer | test_cmp - ../actual &&
		dig-verify-store -q &&
		rm -r .dig && mv ../alone.dig .dig && dig-add later &&
		dig-ls-index --name-only | grep -v big >../actual && printf "%s\n" d finished gone later | test_cmp - ../actual
	)
'

test_done
