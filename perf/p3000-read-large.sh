#!/bin/sh
# A large file out of the store: all of it, a range of it, onto storage.

. "$(dirname "$0")/perf-lib.sh"

large=$(pick 4G 256M)
at=$(pick 3G 192M)
bytes=$(bytes_of $large)
name=$(name_of $large)
tree=$data/random-$large
usr=$data/usr-$large
usr_bytes="\$(stat -c %s $usr/file)"

perf "cat $name of random bytes" --needs "random $large" --bytes $bytes --prepare "stored $tree" \
	'dig-cat HEAD:file'
peer openssl --target '0.7 x' "openssl dgst -sha256 $tree/file"

perf "cat $name, tar of /usr" --needs "usr_tar $large" --bytes "$usr_bytes" \
	--prepare "stored $usr" 'dig-cat HEAD:file'
peer zstd --target '0.9 x' --prepare "once $state/zstd-$large zstd -1 -T2 -q -o file.zst $usr/file" \
	"zstd -dc $state/zstd-$large/file.zst"

perf "extract $name of random bytes, sync" --needs "random $large" --bytes $bytes \
	--prepare "stored $tree" 'dig extract back && sync -f .'
restoring_peers "$tree" 'cp 1.1 x' 'restic' 'borg' 'casync'

perf "extract $name, tar of /usr, sync" --needs "usr_tar $large" --bytes "$usr_bytes" \
	--prepare "stored $usr" 'dig extract back && sync -f .'
peer 'zstd, sync' --prepare "once $state/zstd-$large zstd -1 -T2 -q -o file.zst $usr/file" \
	"zstd -q -d -o back $state/zstd-$large/file.zst && sync back"

first=$(bytes_of $at)
perf "a range of 1 MiB at $(name_of $at)" --needs "random $large" --prepare "stored $tree" \
	"dig-cat --range=$first-$((first + 1048575)) HEAD:file"
peer 'start of the tool' --program sh --target '4 x' 'dig-cat -h'

perf "check $name of random bytes" --needs "random $large" --bytes $bytes --prepare "stored $tree" \
	'dig check'

perf_done
