#!/bin/sh
# One large file into the store: add, commit, both, and the same again when most of it is known.

. "$(dirname "$0")/perf-lib.sh"

large=$(pick 4G 256M 1G)
bytes=$(bytes_of $large)
name=$(name_of $large)
tree=$data/random-$large
usr=$data/usr-$large
add_and_commit='dig add -A && dig commit -q -m one'

perf "add $name of random bytes" --needs "random $large" --tree "$tree" --bytes $bytes \
	--prepare 'dig init' 'dig add -A'

perf "commit $name of random bytes" --needs "random $large" --tree "$tree" \
	--prepare 'dig init && dig add -A' 'dig commit -q -m one'

perf "add and commit $name of random bytes" --check --needs "random $large" --tree "$tree" \
	--bytes $bytes --prepare 'dig init' "$add_and_commit"
peer 'dd, direct' --program dd --spec storage-write --target '1.25 x' \
	"dd if=$tree/file of=copy bs=4M oflag=direct conv=fdatasync status=none"
peer 'cp, sync' --target '1.1 x' "cp $tree/file copy && sync copy"
storing_peers "$tree" 'git' 'restic 0.333 x' 'borg 0.333 x' 'casync 0.333 x'

perf "add and commit $name, tar of /usr" --needs "usr_tar $large" --tree "$usr" \
	--bytes "\$(stat -c %s $usr/file)" --prepare 'dig init' "$add_and_commit"
peer zstd --target '0.75 x' "zstd -1 -T2 -q -o file.zst $usr/file && sync file.zst"
storing_peers "$usr" 'git' 'restic 0.5 x' 'borg 0.5 x' 'casync 0.5 x'

figure "its layers over zstd -1, bytes" --needs "usr_tar $large" --target 'at most 1.05' --unit x \
	--prepare "stored $usr && zstd -1 -T2 -q -o file.zst $usr/file" '
	calculate "$(du -sb "$perf_store/.dig/layers" | cut -f1) / $(stat -c %s file.zst)"'

# A second name for known bytes.  The copy gets a new name and inode each time, so that no cache
# of file times can answer.
with_copy='once "$data/copy-$large" cp "$tree/file" file'
perf "add and commit a copy of $name" --needs "random $large && $with_copy" --bytes $bytes \
	--prepare "stored $tree copies && ln $data/copy-$large/file copy.\$round && touch copy.\$round" \
	'dig add copy.$round && dig commit -q -m copy'
peer openssl --target '0.5 x' "openssl dgst -sha256 $tree/file"

figure 'layer of the copy' --target 'at most 1' --unit MB --needs "random $large && $with_copy" \
	--prepare "stored $tree copies && ln $data/copy-$large/file copy.figure" '
	dig add copy.figure && dig commit -q -m copy &&
	calculate "$(dig-show-layer HEAD | awk '\''$1 == "size" { print $2 }'\'') / 1e6"'

# A hundred places where up to 4096 bytes are new; nothing is taken away.
edited=$(pick 1G 256M)
edit_file () {
	size=$(bytes_of $edited)
	for edit in $(seq 0 99)
	do
		tail -c +$((size / 100 * edit + 1)) "$data/random-$edited/file" | head -c $((size / 100))
		seeded $((1 + edit * 41)) $((edit + 1000))
	done >file
}
figure "100 insertions in $(name_of $edited): new bytes over 100 mean chunks" --unit x \
	--target 'at most 1.5' --needs "random $edited && once $data/edited-$edited edit_file" \
	--prepare "stored $data/random-$edited edited && cp $data/edited-$edited/file edited" '
	chunks=$(dig-chunk edited | wc -l) && dig add edited && dig commit -q -m edited &&
	layer=$(dig-show-layer HEAD | awk '\''$1 == "size" { print $2 }'\'') &&
	calculate "$layer / (100 * $(stat -c %s edited) / $chunks)"'

sparse='once "$data/sparse-10G" truncate -s 10G file'
perf 'add and commit 10 GB sparse' --needs "$sparse" --tree "$data/sparse-10G" --target '200 ms' \
	--bytes "$(bytes_of 10G)" --prepare 'dig init' "$add_and_commit"

perf 'extract 10 GB sparse' --needs "$sparse" --target '200 ms' --bytes "$(bytes_of 10G)" \
	--prepare "stored $data/sparse-10G" 'dig extract back'
figure 'storage that the extracted 10 GB take' --needs "$sparse" --target 'at most 1' --unit MB \
	--prepare "stored $data/sparse-10G" \
	'dig extract back >/dev/null && calculate "$(stat -c "%b * %B" back/file) / 1e6"'

perf_done
