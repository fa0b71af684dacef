#!/bin/sh

test_description='modules include downwards, and system calls stand in level 2'

. "$(dirname "$0")/test-lib.sh"

source_directory=$TEST_DIRECTORY/..

# Of the library: "file module level".  A kernel belongs to the module that its name begins with.
modules_of_files='
BEGIN { FS = " *[|] *" }
FNR == NR && $3 ~ /^[0-9]$/ {
	if ($2 in level)
		print "README.md: module " $2 " stands there twice" >"problems"
	level[$2] = $3
	next
}
FNR == NR { next }
{
	module = $1
	sub(/\.(h|cpp)$/, "", module)
	if (!(module in level) && sub(/_(kernels|scalar|avx2|avx512|shani|clmul)$/, "", module))
		for (name in level)
			if (index(name, module "_") == 1)
				module = name
	if (!(module in level)) {
		print "README.md: module " module " (" $1 ") is missing" >"problems"
		level[module] = 9
	}
	print $1, module, level[module]
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

test_expect_success 'each module of the library stands in its README once' '
	: >problems &&
	ls "$source_directory/libdig" | grep -E "\.(h|cpp)$" >files &&
	awk "$modules_of_files" "$source_directory/libdig/README.md" files >levels &&
	test_cmp /dev/null problems
'

test_expect_success 'a module includes only its own level and lower ones' '
	(cd "$source_directory/libdig" && grep -HnE "^ *# *include \"" *.h *.cpp) >includes &&
	awk "
	FNR == NR { level[\$1] = \$3; next }
	{
		split(\$0, part, \":\")
		match(\$0, /\"[^\"]*\"/)
		name = substr(\$0, RSTART + 1, RLENGTH - 2)
		if (sub(/^libdig\\//, \"\", name) == 0)
			print part[1] \":\" part[2] \": not a full path: \" name
		else if (!(name in level))
			print part[1] \":\" part[2] \": not of the library: \" name
		else if (level[name] > level[part[1]])
			print part[1] \":\" part[2] \": level \" level[part[1]] \" includes \" name \\
				\" of level \" level[name]
	}" levels includes >actual &&
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

test_expect_success 'system calls of the library stand in level 2' '
	(cd "$source_directory/libdig" &&
		awk "$code_of" $(awk "\$3 != 2 { print \$1 }" "$TRASH/levels")) >code &&
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
		grep -vFx "$2"
	test $? = 1
}

test_expect_success 'Boost.Program_options is seen only in options.cpp' '
	only_in "boost/program_options" libdig/options.cpp
'

test_expect_success 'Crypto++ is seen only in digest.cpp' '
	only_in "(cryptopp|crypto\+\+)/" libdig/digest.cpp
'

test_expect_success 'toml++ is seen only in settings.cpp' '
	only_in "toml(\+\+|plusplus)" libdig/settings.cpp
'

test_done
