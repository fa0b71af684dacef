#!/bin/sh
# Tar archives in and out, beside the same content without an archive; and estimates.

. "$(dirname "$0")/perf-lib.sh"

large=$(pick 1G 256M)
bytes=$(bytes_of $large)
name=$(name_of $large)
count=$(pick 20000 5000)
tree=$data/random-$large
small=$data/small-$count

perf "import $name from a tar" --needs "random $large" --bytes $bytes \
	--prepare "once $state/tar-$large tar -cf file.tar -C $tree . && dig init" \
	"dig import -q --tar - <$state/tar-$large/file.tar"

perf "add $name from a pipe" --needs "random $large" --bytes $bytes --prepare 'dig init' \
	"cat $tree/file | dig add -q --stdin --path=file"

perf "import $count files from a tar" --needs "small $count" --files $count \
	--prepare "once $state/tar-$count tar --format=pax -cf files.tar -C $small . && dig init" \
	"dig import -q --tar - <$state/tar-$count/files.tar"
peer tar --target '2 x' "tar -xf $state/tar-$count/files.tar"

perf "export $name to a tar" --needs "random $large" --bytes $bytes --prepare "stored $tree" \
	'dig export --tar >/dev/null'
peer tar "tar -cf - -C $tree . | cat >/dev/null"

perf "export $count files to a tar" --needs "small $count" --files $count --prepare "stored $small" \
	'dig export --tar >/dev/null'
peer tar "tar -cf - -C $small . | cat >/dev/null"

perf "estimate $name" --needs "random $large" --bytes $bytes --tree "$tree" --prepare 'dig init' 'dig estimate'

perf "estimate $name for three sizes of chunks" --needs "random $large" --bytes $bytes --tree "$tree" \
	--prepare 'dig init' 'dig estimate --target=16KB,64KB,1MB'

perf_done
