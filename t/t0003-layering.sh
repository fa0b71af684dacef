#!/bin/sh

test_description='modules include upwards only, and system calls stand in one room'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..

# Of the library: "file rank", where the rank of a room is its place in the table.  A kernel belongs
# to the module that its name begins with.
ranks_of_files='
BEGIN { FS = " *[|] *" }
FNR == NR && $3 ~ /^[*][*][a-z]+[*][*]$/ {
	gsub(/[*]/, "", $3)
	rank[$3] = ++rooms
	next
}
FNR == NR && $3 in rank {
	if ($2 in room)
		print "README.md: module " $2 " stands there twice" >"problems"
	room[$2] = $3
	next
}
FNR == NR { next }
{
	folder = module = $1
	sub(/\/.*/, "", folder)
	sub(/.*\//, "", module)
	sub(/\.(h|cpp)$/, "", module)
	if (!(module in room) && sub(/_(kernels|scalar|avx2|avx512|shani|clmul|neon|armv8)$/, "", module))
		for (name in room)
			if (index(name, module "_") == 1)
				module = name
	if (!(module in room))
		print "README.md: module " module " (" $1 ") is missing" >"problems"
	else if (room[module] != folder)
		print "README.md: module " module " stands in " room[module] " there, but is " $1 >"problems"
	seen[module]
	print $1, rank[folder] + 0
}
END {
	for (name in room)
		if (!(name in seen))
			print "README.md: module " name " has no file" >"problems"
}'

# From ranks and lines "file:line:#include ...": what points to a room further down.
upward='
FNR == NR { rank[$1] = $2; next }
{
	split($0, part, ":")
	match($0, /"[^"]*"/)
	name = substr($0, RSTART + 1, RLENGTH - 2)
	if (sub(/^libdig\//, "", name) == 0)
		print part[1] ":" part[2] ": not a full path: " name
	else if (!(name in rank))
		print part[1] ":" part[2] ": not of the library: " name
	else if (rank[name] > rank[part[1]])
		print part[1] ":" part[2] ": includes " name ", whose room is below its own"
}'

# Lines with "file: line: code", where comments and the text of strings are gone.
code_of='
FNR == 1 { file = FILENAME; sub(/.*\/\.\.\//, "", file) }
{
	code = $0
	gsub(/\\./, "", code)
	gsub(/"[^"]*"/, "\"\"", code)
	gsub(/\/\*.*\*\//, "", code)
	sub(/\/\/.*/, "", code)
	if (code ~ /[^ \t]/)
		print file ":" FNR ": " code
}'

test_expect_success 'each module of the library stands in its README once, under its room' '
	: >problems &&
	(cd "$source_directory/libdig" && find . -name "*.h" -o -name "*.cpp" | sed "s|^\./||" | sort) >files &&
	awk "$ranks_of_files" "$source_directory/libdig/README.md" files >ranks &&
	test_cmp /dev/null problems
'

test_expect_success 'a module includes only its own room and those above it' '
	(cd "$source_directory/libdig" && grep -HnE "^ *# *include \"" */*.h */*.cpp) >includes &&
	awk "$upward" ranks includes >actual &&
	test_cmp /dev/null actual
'

test_expect_success 'an include that points down is found and named' '
	echo "store/store.cpp:7:#include \"libdig/staging/index.h\"" >includes &&
	echo "store/store.cpp:7: includes staging/index.h, whose room is below its own" >expect &&
	awk "$upward" ranks includes >actual &&
	test_cmp expect actual
'

# includes_of FOLDER...: which rooms they include, once each
includes_of () {
	(cd "$source_directory" && grep -rhoE "^ *# *include \"libdig/[a-z]+/" "$@") |
		sed "s|.*libdig/||; s|/||" | sort -u
}

test_expect_success 'chunking includes base and itself only' '
	printf "%s\n" base chunking >expect &&
	includes_of libdig/chunking >actual &&
	test_cmp expect actual
'

test_expect_success 'only verbs and tool include ingest' '
	grep -rlE "^ *# *include \"libdig/ingest/" "$source_directory/libdig" \
		"$source_directory/plumbing" "$source_directory/porcelain" |
		sed "s|.*/libdig/||" >includers &&
	{ grep -vE "^(ingest|verbs|tool)/" includers >actual || :; } &&
	test_cmp /dev/null actual
'

test_expect_success 'nothing includes a tool or a test' '
	! grep -rnE "^ *# *include \"(plumbing|porcelain|t|perf)/" "$source_directory/libdig" \
		"$source_directory/plumbing" "$source_directory/porcelain"
'

# Bare calls, "return open(...)" and "x = open(...)", calls as "::open(...)" and "std::fopen(...)",
# but not "file.open(...)", "File::open(...)" or the declaration of a function of that name.
# read and write are names of too much else to be looked for without "::".
calls='open openat openat2 creat readv pread preadv preadv2 writev pwrite pwritev pwritev2
	rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat readlink readlinkat
	mkdir mkdirat rmdir mknod mkfifo mkstemp mkdtemp
	fsync fdatasync syncfs sync_file_range truncate ftruncate fallocate posix_fallocate
	posix_fadvise madvise mmap munmap mremap msync memfd_create
	copy_file_range sendfile splice vmsplice tee ioctl fcntl flock lockf
	lstat fstat fstatat statx fstatfs statvfs fstatvfs
	chmod fchmod fchmodat chown fchown lchown utimensat futimens
	fopen fdopen freopen tmpfile popen opendir fdopendir readdir getdents64
	syscall fork vfork execv execve execvp execvpe posix_spawn posix_spawnp waitpid pipe2 dup2 dup3
	poll ppoll sigaction signalfd'
names=$(echo $calls | tr ' ' '|')
before='(^|[-(=!&|,;{?:<>+ 	])'
system_calls="(^|[;{}()=!&|,?<+-]|[^:]: |return)[ 	]*($names)\(|\
$before::($names|read|write|close|stat|pipe|kill|lseek|access)\(|\
std::(fopen|freopen|tmpfile|rename|i?fstream|ofstream|filesystem)\b|\bio_uring_[a-z_]+\("

test_expect_success 'the search finds calls and spares what only looks like them' '
	cat >sample.cpp <<-\EOF &&
	yes = open("a", 0);
	return ::rename(a, b);
		fsync(fd);
	if (!pread(fd, p, n, 0))
	int fd = ::openat(d, "x", 0);
	std::ifstream in("x");
	io_uring_enter(1);
	static File open(const char *name);
	File file = File::open(name);
	file.open(name); file->rename(a);
	// a comment on fsync()
	throw Error("cannot open(2)");
	EOF
	awk "$code_of" sample.cpp | grep -E "$system_calls" >found &&
	test $(wc -l <found) = 7
'

test_expect_success 'system calls of the library stand in its room os' '
	(cd "$source_directory/libdig" &&
		awk "$code_of" $(cut -d" " -f1 "$TRASH/ranks" | grep -v "^os/")) >code &&
	{ grep -E "$system_calls" code >actual || :; } &&
	test_cmp /dev/null actual
'

test_expect_success 'tools make no system calls' '
	awk "$code_of" /dev/null $(find "$source_directory/plumbing" "$source_directory/porcelain" \
		-name "*.cpp") >code &&
	{ grep -E "$system_calls" code >actual || :; } &&
	test_cmp /dev/null actual
'

# only_in HEADER FILE
only_in () {
	(cd "$source_directory" && grep -rlE "^ *# *include <$1" libdig plumbing porcelain) |
		grep -vFx "$2" | grep -vFx "${3-$2}"
	test $? = 1
}

test_expect_success 'Boost.Program_options is seen only in options.cpp' '
	only_in "boost/program_options" libdig/tool/options.cpp
'

test_expect_success 'Crypto++ is seen only in digest.cpp and signature.cpp' '
	only_in "(cryptopp|crypto\+\+)/" libdig/base/digest.cpp libdig/base/signature.cpp
'

# Whatever includes the room network is linked with libcurl, or is not linked.
test_expect_success 'libcurl is seen only in the room network, and that only in tools that are linked with it' '
	only_in "curl/" libdig/network/easy_request.h &&
	(cd "$source_directory" && sed -n "s/^network = //p" Makefile | tr " " "\n" | sed "s|.*|plumbing/&.cpp|" | sort) >expect &&
	(cd "$source_directory" && grep -rlE "^ *# *include \"libdig/network/" libdig plumbing porcelain) |
		grep -v "^libdig/network/" | sort >actual &&
	test_cmp expect actual
'

test_expect_success 'libmicrohttpd is seen only in the room server, and that only in dig-serve' '
	only_in "microhttpd" libdig/server/http_server.cpp &&
	echo porcelain/serve.cpp >expect &&
	(cd "$source_directory" && grep -rlE "^ *# *include \"libdig/server/" libdig plumbing porcelain) |
		grep -v "^libdig/server/" >actual &&
	test_cmp expect actual
'

test_expect_success 'toml++ is seen only in settings.cpp' '
	only_in "toml(\+\+|plusplus)" libdig/format/settings.cpp
'

test_done
