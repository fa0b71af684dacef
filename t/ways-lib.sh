# Sourced after test-lib.sh by the tests of what must not depend on how the work is done.

# One line a way: the kernels that this CPU runs, numbers of threads, ways and sizes of reading.
make_ways () {
	DIG_GEAR_KERNEL=none dig-info kernels 2>gear.kernels
	DIG_SHA256_KERNEL=none dig-info kernels 2>sha256.kernels
	{
		sed 's/.*allowed: //; s/)//; s/, */\n/g' gear.kernels | sed 's/^/DIG_GEAR_KERNEL=/' &&
		sed 's/.*allowed: //; s/)//; s/, */\n/g' sha256.kernels | sed 's/^/DIG_SHA256_KERNEL=/' &&
		printf 'DIG_CONFIG=performance.%s\n' max_worker_threads=1 max_worker_threads=7 \
			max_worker_threads=64 max_memory_usage=16MB \
			buffer_size=4KB buffer_size=16MB memory_map_threshold=64KB async_io=false
	} >ways &&
	grep -x DIG_GEAR_KERNEL=scalar ways && grep -x DIG_SHA256_KERNEL=cryptopp ways
}

# each_way COMMAND...: its output is that of the file "expect", every way.
each_way () {
	while read -r way
	do
		case $way in
		DIG_CONFIG=*) env "$way${DIG_CONFIG:+
$DIG_CONFIG}" "$@" >actual </dev/null ;;
		*) env "$way" "$@" >actual </dev/null ;;
		esac && cmp expect actual || { echo "with $way"; return 1; }
	done <ways
}

# in_pieces FILE SEED: the file, written in pieces of 1 to 100,000 bytes.
in_pieces () {
	python3 -c 'import random, sys
pieces = random.Random(int(sys.argv[2]))
with open(sys.argv[1], "rb") as file:
    while piece := file.read(pieces.choice((1, 7, 4096, pieces.randrange(1, 100000)))):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()' "$@"
}
