#!/bin/sh
# Many small files, 1 to 10 KiB each.  The rates of the specification are for 20,000 of them.

. "$(dirname "$0")/perf-lib.sh"

counts=$(pick '1000 5000 10000 20000 100000' '1000 5000' 20000)
test -z "$PERF_LONG" || counts="$counts 1000000"
full=$(pick 20000 5000 20000)

with_commas () {
	echo "$1" | sed ':again; s/\([0-9]\)\([0-9][0-9][0-9]\)\($\|,\)/\1,\2\3/; t again'
}

for count in $counts
do
	tree=$data/small-$count
	name=$(with_commas $count)
	# With few files the start of a process is most of it, and the specification means 20,000.
	many= exactly=
	test $count -lt $full || many=t
	test $count != $full || exactly=t

	perf "$name files: scan" --check --needs "small $count" --files $count --tree "$tree" \
		${many:+--spec scanning --target '100000 files/s'} --prepare 'dig init' 'dig-ls-work'

	perf "$name files: chunk" --check --needs "small $count" --files $count \
		${many:+--spec chunking-small --target '80000 files/s'} \
		"xargs -s 1000000 dig-chunk <$tree.list >/dev/null"

	perf "$name files: hash" --check --needs "small $count" --files $count \
		${many:+--spec hashing-small --target '80000 files/s'} \
		"dig-hash-object --stdin-paths <$tree.list >/dev/null"

	perf "$name files: stage" --check --needs "small $count" --files $count --tree "$tree" \
		${many:+--spec staging --target '50000 files/s'} --prepare 'dig init' 'dig add -A'

	perf "$name files: commit" --check --needs "small $count" --files $count --tree "$tree" \
		${exactly:+--spec commit} ${many:+--target '200000 files/s'} --prepare 'dig init && dig add -A' \
		'dig commit -q -m one'

	perf "$name files: add and commit" --check --needs "small $count" --files $count --tree "$tree" \
		${exactly:+--spec cycle,validate-cycle} --prepare 'dig init' \
		'dig add -A && dig commit -q -m one'
	if test $count -ge $full
	then
		storing_peers "$tree" 'git 0.0833 x' 'zstd 0.7 x' 'restic 0.222 x' 'borg 0.222 x' \
			'casync 0.222 x' 'cp'
	fi

	perf "$name files: status, nothing changed" --needs "small $count" --files $count --tree "$tree" \
		--prepare "stored $tree" 'dig status'
	peer git --target '0.8 x' --prepare "once $state/status-$count sh -c 'git init -q --bare . &&
			git -c core.bare=false --git-dir=. --work-tree=$tree add -A &&
			git -c core.bare=false --git-dir=. --work-tree=$tree commit -q -m one'" \
		"git -c core.bare=false --git-dir=$state/status-$count --work-tree=$tree status"

	perf "$name files: add again, nothing changed" --needs "small $count" --files $count \
		--tree "$tree" --prepare "stored $tree" 'dig add -A'
	peer find --target '2 x' "find $tree -printf '%s %T@\n' >/dev/null"

	perf "$name files: extract, sync" --needs "small $count" --files $count \
		--prepare "stored $tree" 'dig extract back && sync -f .'
	if test $count -ge $full
	then
		restoring_peers "$tree" 'cp 0.7 x' 'git' 'restic' 'borg' 'casync'
	fi

	perf "$name files: one more path in the index" --needs "small $count" \
		--prepare "stored $tree one && dig reset" \
		'echo $round | dig add --stdin --path=one'
done

# test_20000_small_files of the specification, lines 380 to 401: the store is made there, too.
small_test="$(with_commas $full) files: init, add and commit"
perf "$small_test" --check --needs "small $full" --files $full --tree "$data/small-$full" \
	--spec test-small-time,test-small-rate 'dig init && dig add -A && dig commit -q -m one'

figure "$(with_commas $full) files: minor page faults a file in add" --needs "small $full" \
	--tree "$data/small-$full" --target 'at most 0.1' --prepare 'dig init' \
	"calculate \"\$(faults_of 'dig add -A') / $full\""

figure "$(with_commas $full) files: layers over zstd -1 of a tar, bytes" --needs "small $full" \
	--target 'at most 1.05' --unit x --prepare "stored $data/small-$full &&
		tar -C $data/small-$full -cf - . | zstd -1 -T2 -q -o all.zst" '
	calculate "$(du -sb "$perf_store/.dig/layers" | cut -f1) / $(stat -c %s all.zst)"'

# The largest tree against a smaller one.
most=${counts##* }
few=$(pick 10000 1000)
slope () {
	calculate "$(minimum_of "$(with_commas $most) files: $1") / $most /
		($(minimum_of "$(with_commas $few) files: $1") / $few)"
}
figure "time a file to add and commit, $(with_commas $most) over $(with_commas $few)" \
	--target 'at most 1.3' --unit x 'slope "add and commit"'
figure "time to add one path, index of $(with_commas $most) over 1,000" --target 'at most 3' \
	--unit x 'calculate "$(median_of "$(with_commas $most) files: one more path in the index") /
		$(median_of "1,000 files: one more path in the index")"'

perf_done
