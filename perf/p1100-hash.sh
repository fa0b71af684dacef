#!/bin/sh
# dig-hash-object alone, on a large file.  Small files are in p2500.

. "$(dirname "$0")/perf-lib.sh"

large=$(pick 4G 256M 1G)
large_file=$data/random-$large/file

perf "hash $(name_of $large) of random bytes" --check --spec hashing,validate-hashing \
	--needs "random $large" --bytes "$(bytes_of $large)" "dig-hash-object $large_file"
peer openssl --target '0.65 x' "openssl dgst -sha256 $large_file"

perf "hash $(name_of $large) from a pipe" --needs "random $large" --bytes "$(bytes_of $large)" \
	"cat $large_file | dig-hash-object --stdin"
peer openssl "cat $large_file | openssl dgst -sha256"

perf_done
