#!/bin/sh

test_description='dig-update-root makes a layer the newest state, if that is what it was made for'

. "$(dirname "$0")/test-lib.sh"

zeros=$(printf %064d 0)

# sealed MESSAGE: a layer that is no state yet; $layer names it.
sealed () {
	echo "$1" >file && take_all && layer=$(dig-write-layer -m "$1")
}

# refused STATUS ARGUMENT...: the states stay what they were.
refused () {
	status=$1 && shift && dig-list-roots >"$TRASH/before" &&
	test_expect_code $status dig-update-root "$@" >"$TRASH/out" 2>"$TRASH/err" && test -s "$TRASH/err" &&
	test_cmp /dev/null "$TRASH/out" && dig-list-roots | test_cmp "$TRASH/before" -
}

test_expect_success 'there must be a store, and the layer in it' '
	test_expect_code 10 dig-update-root $zeros && dig-init-store --store-id=$zeros w >store && cd w &&
	refused 128 $zeros && refused 128 $zeros $zeros
'

test_expect_success 'before the first commit the root to compare with is 64 zeros' '
	cd w && sealed one && refused 1 $layer $layer && dig-update-root $layer $zeros >../root && first=$(cat ../root) &&
	echo "1 $first $layer" >../expect && dig-list-roots | test_cmp ../expect - &&
	dig-diff-index >../actual && test_cmp /dev/null ../actual && first_layer=$layer
'

test_expect_success 'a layer becomes a state once' '
	cd w && refused 1 $layer && refused 1 $layer $first
'

test_expect_success 'with another newest root nothing is changed' '
	cd w && sealed two && refused 1 $layer $zeros && refused 1 $layer $layer &&
	dig-update-root $layer $first >../root && dig-info root | test_cmp - ../root && test $first != "$(cat ../root)" &&
	dig-cat HEAD:file >../actual && test_cmp file ../actual
'

# Both were made over the same state: a copy of the store stands for another process.
test_expect_success 'of two that commit at once only one succeeds' '
	cp -a w other && (cd other && sealed theirs && cp .dig/layers/$layer.dig "$TRASH" && echo $layer >../theirs) &&
	cd w && old=$(dig-info root) && sealed ours && cp ../$(cat ../theirs).dig .dig/layers/ &&
	dig-update-root $layer $old >../out && refused 1 $(cat ../theirs) $old && refused 1 $(cat ../theirs) &&
	dig-cat HEAD:file >../actual && echo ours | test_cmp - ../actual && rm .dig/layers/$(cat ../theirs).dig && dig-verify-store -q
'

test_expect_success 'a layer of another store is refused' '
	dig-init-store foreign >store && (cd foreign && sealed foreign && cp .dig/layers/$layer.dig .. && echo $layer >../foreign.id) &&
	cd w && layer=$(cat ../foreign.id) && cp ../$layer.dig .dig/layers/ && refused 128 $layer && rm .dig/layers/$layer.dig
'

test_expect_success 'a layer that is damaged, or has the name of another, is refused' '
	cd w && cp .dig/layers/$first_layer.dig .dig/layers/$zeros.dig && refused 4 $zeros && rm -f .dig/layers/$zeros.dig &&
	sealed damaged && cp .dig/layers/$layer.dig ../good && chmod u+w .dig/layers/$layer.dig &&
	truncate -s -1 .dig/layers/$layer.dig && refused 4 $layer && cp ../good .dig/layers/$layer.dig &&
	dig-update-root $layer >../out && dig-verify-store -q
'

test_expect_success 'while another process commits it waits' '
	cd w && sealed locked && dig-info root >../root && exec 9>.dig/lock && flock 9 &&
	{ dig-update-root $layer >../out 9>&- & } && sleep 0.2 && kill -0 $! && dig-info root | test_cmp ../root - &&
	exec 9>&- && wait $! && dig-info root | test_cmp ../out -
'

test_expect_success LONG 'a store that stays locked is exit status 11' '
	cd w && sealed never && test_expect_code 11 flock .dig/lock dig-update-root $layer 2>../err && test -s ../err
'

test_expect_success 'wrong usage is told' '
	cd w && test_expect_code 129 dig-update-root && test_expect_code 129 dig-update-root abc &&
	test_expect_code 129 dig-update-root $zeros HEAD && test_expect_code 129 dig-update-root $zeros $zeros $zeros
'

test_done
