#!/bin/sh
# dig-chunk alone: large files, from the page cache and from storage.

. "$(dirname "$0")/perf-lib.sh"

# The sizes of the specification's benchmark (line 412).
for size in 1000000 10000000 100000000 1000000000
do
	perf "chunk $(name_of $size)" --needs "random $size" --bytes $size \
		"dig-chunk $data/random-$size/file"
done

large=$(pick 4G 256M 1G)
large_file=$data/random-$large/file
chunk_large="chunk $(name_of $large) of random bytes"

perf "$chunk_large" --check --spec chunking,validate-chunking --needs "random $large" \
	--bytes "$(bytes_of $large)" "dig-chunk $large_file"
peer openssl --target '0.65 x' "openssl dgst -sha256 $large_file"

perf "$chunk_large, not in the page cache" --check --needs "random $large" \
	--bytes "$(bytes_of $large)" --prepare "drop $large_file" "dig-chunk $large_file"
peer 'dd, direct' --program dd --spec storage-read --prepare "drop $large_file" \
	"dd if=$large_file of=/dev/null bs=4M iflag=direct status=none"

perf "chunk $(name_of $large) of a tar of /usr" --needs "usr_tar $large" \
	--bytes "\$(stat -c %s $data/usr-$large/file)" "dig-chunk $data/usr-$large/file"

# test_10gb_file_processing of the specification, lines 362 to 377, makes its file with truncate: it is one
# hole, and its figure says how fast a hole is.  The same size of data is beside it.
sparse='once "$data/sparse-10G" truncate -s 10G file'
perf 'chunk 10 GB sparse, one hole' --check --spec test-large-speed --needs "$sparse" \
	--bytes "$(bytes_of 10G)" "dig-chunk $data/sparse-10G/file"
figure 'memory for 10 GB sparse, one hole' --check --spec test-large-memory --target 'at most 100' --unit MB \
	'calculate "$(memory_of "chunk 10 GB sparse, one hole") * 1024 / 1e6"'

filled=$(pick 10G 1G 10G)
perf "chunk $(name_of $filled) of data, no hole" --check --floor '500 MB/s' --needs "random $filled" \
	--bytes "$(bytes_of $filled)" "dig-chunk $data/random-$filled/file"
figure "memory for $(name_of $filled) of data" --check --target 'at most 100' --unit MB \
	"calculate \"\$(memory_of 'chunk $(name_of $filled) of data, no hole') * 1024 / 1e6\""

perf_done
