#!/bin/sh

test_description='dig-config shows and changes settings'

. "$(dirname "$0")/test-lib.sh"

global=$HOME/.config/dig/config.toml

test_expect_success 'without a file the defaults hold' '
	echo 256KB >expect &&
	dig-config performance.buffer_size >actual &&
	test_cmp expect actual &&
	printf "default\t80MB\n" >expect &&
	dig-config --show-origin performance.max_memory_usage >actual &&
	test_cmp expect actual
'

test_expect_success 'a key without a value is a "no", and prints nothing' '
	test_expect_code 1 dig-config core.author >actual &&
	test_cmp /dev/null actual
'

test_expect_success 'an unknown key is refused, with the keys there are' '
	test_expect_code 128 dig-config core.colour 2>err &&
	grep "unknown key .core.colour.; \[core\] has compression, " err &&
	test_expect_code 128 dig-config colour 2>err &&
	grep "the sections are core, chunking, performance, fetch and safe" err
'

test_expect_success 'all 16 keys of the specification are listed, with their defaults' '
	cat >expect <<-\EOF &&
	chunking.small_file_chunk_size=256KB
	chunking.small_file_threshold=1MB
	chunking.medium_file_chunk_size=1MB
	chunking.medium_file_threshold=100MB
	chunking.large_file_chunk_size=512KB
	chunking.huge_file_chunk_size=2MB
	chunking.huge_file_threshold=1GB
	performance.max_worker_threads=0
	performance.batch_size=100
	performance.buffer_size=256KB
	performance.max_memory_usage=80MB
	performance.chunk_cache_size=16MB
	performance.file_cache_size=8MB
	performance.async_io=true
	performance.memory_map_threshold=0
	performance.compression_threshold=4KB
	EOF
	dig-config --list >list &&
	grep -Fxf expect list >actual &&
	test_cmp expect actual
'

test_expect_success 'every key and its default stand in the page' '
	page=$TEST_DIRECTORY/../Documentation/dig-config.5 &&
	sed "s/^[a-z]*\.//; s/=/ /" list >pairs &&
	while read -r key value
	do
		grep -Eq "^\.It Va $key No = (Qq )?$value\$" "$page" || echo "$key $value"
	done <pairs >missing &&
	test_cmp /dev/null missing
'

test_expect_success 'outside of a store there is no file to change' '
	test_expect_code 10 dig-config core.author Ann 2>err &&
	grep "no store" err
'

test_expect_success 'the global file is created with its directory' '
	dig-config --global performance.batch_size 7 &&
	cat >expect <<-\EOF &&
	[performance]
	batch_size = 7
	EOF
	test_cmp expect "$global" &&
	printf "file:%s\t7\n" "$global" >expect &&
	dig-config --show-origin performance.batch_size >actual &&
	test_cmp expect actual
'

test_expect_success 'a store has a file of its own, which outranks the global one' '
	mkdir work &&
	cd work &&
	dig-init-store &&
	dig-config performance.batch_size 8 &&
	echo 8 >expect &&
	dig-config performance.batch_size >actual &&
	test_cmp expect actual &&
	echo 7 >expect &&
	dig-config --global performance.batch_size >actual &&
	test_cmp expect actual
'

test_expect_success 'DIG_CONFIG, as dig -c sets it, outranks both' '
	cd work &&
	DIG_CONFIG="core.author=A B
performance.batch_size=9" dig-config --show-origin performance.batch_size >actual &&
	printf "command line\t9\n" >expect &&
	test_cmp expect actual &&
	test_expect_code 128 env DIG_CONFIG=performance.batch_size=x dig-config core.author 2>err &&
	grep "^dig-config: -c: performance.batch_size must be a number from 1 to 100000" err
'

test_expect_success 'a global file that leads to /dev/null has no settings' '
	mkdir -p none/dig && ln -s /dev/null none/dig/config.toml &&
	XDG_CONFIG_HOME=$TRASH/none dig-config core.compression >actual 2>err &&
	echo auto | test_cmp - actual && test_cmp /dev/null err
'

test_expect_success 'XDG_CONFIG_HOME tells where the global file is' '
	mkdir -p xdg/dig &&
	echo "core.author = \"X\"" >xdg/dig/config.toml &&
	echo X >expect &&
	XDG_CONFIG_HOME=$TRASH/xdg dig-config core.author >actual &&
	test_cmp expect actual &&
	test_expect_code 1 env XDG_CONFIG_HOME=xdg dig-config core.author
'

test_expect_success 'a change leaves comments and other lines alone' '
	cd work &&
	cat >.dig/config.toml <<-\EOF &&
	# the build machine
	[core]
	  author = "Ann"  # for now

	[performance]   # see the wiki
	buffer_size="64KB"
	# the end
	EOF
	dig-config core.author "Bob <bob@example.org>" &&
	dig-config performance.buffer_size 1048576 &&
	dig-config performance.async_io false &&
	dig-config core.compression none &&
	cat >expect <<-\EOF &&
	# the build machine
	[core]
	  author = "Bob <bob@example.org>"  # for now
	compression = "none"

	[performance]   # see the wiki
	buffer_size="1MB"
	async_io = false
	# the end
	EOF
	test_cmp expect .dig/config.toml &&
	dig-config --unset performance.buffer_size &&
	grep -v buffer_size expect >rest &&
	test_cmp rest .dig/config.toml
'

test_expect_success 'what is not set cannot be unset' '
	cd work &&
	test_expect_code 1 dig-config --unset performance.buffer_size 2>err &&
	grep "performance.buffer_size is not set in " err
'

test_expect_success 'a value that is not allowed changes nothing, and says what is' '
	cd work &&
	cp .dig/config.toml before &&
	test_expect_code 128 dig-config performance.buffer_size 2KB 2>err &&
	grep "performance.buffer_size must be a size from 4KB to 16MB" err &&
	test_expect_code 128 dig-config core.compression lzma 2>err &&
	grep "core.compression must be auto, zstd, zlib, none or later" err &&
	test_expect_code 128 dig-config chunking.small_file_threshold 200MB 2>err &&
	grep "must not be above chunking.medium_file_threshold (100MB, the default)" err &&
	test_cmp before .dig/config.toml
'

test_expect_success 'what cannot be edited by line is left alone' '
	cd work &&
	cp .dig/config.toml saved &&
	test_when_finished "mv saved .dig/config.toml" &&
	echo "core = { file_digest = true }" >.dig/config.toml &&
	cp .dig/config.toml before &&
	test_expect_code 128 dig-config core.author Ann 2>err &&
	grep "edit the file by hand" err &&
	test_cmp before .dig/config.toml
'

test_expect_success 'a broken file is named with its line' '
	cd work &&
	cp .dig/config.toml saved &&
	test_when_finished "mv saved .dig/config.toml" &&
	printf "[core]\nauthor = Ann\n" >.dig/config.toml &&
	test_expect_code 128 dig-config core.author 2>err &&
	grep "config.toml., line 2: " err &&
	printf "[core]\n\nauthr = \"Ann\"\n" >.dig/config.toml &&
	test_expect_code 128 dig-config core.author 2>err &&
	grep "config.toml., line 3: unknown key .core.authr." err &&
	printf "[performance]\nbatch_size = \"many\"\n" >.dig/config.toml &&
	test_expect_code 128 dig-config core.author 2>err &&
	grep "config.toml., line 2: performance.batch_size must be a number from 1 to 100000" err
'

# broken TEXT: a configuration with that text ends commands with a message, wherever it stands.
broken () {
	printf "$1" >.dig/config.toml && test_expect_code 128 dig-config core.author 2>err &&
	grep "config.toml., line [123]: " err && test_expect_code 128 dig-ls-index 2>err && grep "line [123]: " err &&
	rm .dig/config.toml && mkdir -p home/dig && printf "$1" >home/dig/config.toml &&
	test_expect_code 128 env XDG_CONFIG_HOME="$PWD/home" dig-ls-index 2>err && grep "line [123]: " err
}

# survives COMMAND...: it takes the value, or says why not.
survives () {
	status=0 && { "$@" >out 2>err || status=$?; } &&
	case $status in 0) : ;; 128) grep "^dig" err ;; *) echo "status $status: $*" && false ;; esac
}

test_expect_success 'what is no TOML is an error of its line, never a crash' '
	dig init broken >/dev/null && cd broken &&
	for text in "[#" "[.a]" "[=" "[]" "[a.]" "[[.]]" "[[#" "[\"" "[\"a" "=" "=1" ".a=1" "a.=1" "a" "a=" "a=[" "a=[#" "a={" \
		"a={b" "a={b=" "a={=" "a=\"" "a=\"\"\"" "a=\047\047\047" "a=1 b=2" "[a]b=1" "\377" "a=\"\302\"" "a=\"\355\240\200\"" \
		"#\001" "#\177" "\ra=1" "a=\"b\nc\"" "a.b.c.d.e.f.g.h.i=1" "a=[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]" "a=0x" "a=1__0" \
		"a=\"\\\\x\"" "a=1979-99-99" "a=--1" "a=+" "a=." "a=:"
	do
		broken "$text" || { echo "$text"; return 1; }
	done &&
	for text in "#" "=" "[" "]" "[#" "[.a]" "[=" ".a" "{" "\"" "\"\"\"" "1 #" "x
[#" "$(printf "\377")" "$(printf "\355\240\200")" "$(printf "a\302\233b")"
	do
		survives dig -c core.author="$text" ls-index && survives dig -c "$text" ls-index &&
		survives env DIG_CONFIG="$text" dig-ls-index && survives env DIG_CONFIG="core.author=$text" dig-config core.author &&
		survives dig config core.author "$text" && survives dig-ls-index || { echo "$text"; return 1; }
	done
'

test_expect_success 'a file of one deep value, one deep key or many is refused or read' '
	cd work && cp .dig/config.toml saved && test_when_finished "mv saved .dig/config.toml" &&
	awk "BEGIN { printf \"core.author = \"; for (i = 0; i < 500000; i++) printf \"[\" }" >.dig/config.toml &&
	test_expect_code 128 dig-ls-index 2>err && grep "too deep" err &&
	awk "BEGIN { printf \"a\"; for (i = 0; i < 500000; i++) printf \".a\"; print \" = 1\" }" >.dig/config.toml &&
	test_expect_code 128 dig-ls-index 2>err && grep "too many parts" err &&
	awk "BEGIN { printf \"[a\"; for (i = 0; i < 500000; i++) printf \".a\"; print \"]\" }" >.dig/config.toml &&
	test_expect_code 128 dig-ls-index 2>err && grep "too many parts" err &&
	awk "BEGIN { for (i = 0; i < 2000000; i++) print \"#\" }" >.dig/config.toml && test_expect_code 128 dig-ls-index
'

test_expect_success 'all that TOML has is read as before' '
	cd work && cp .dig/config.toml saved && test_when_finished "mv saved .dig/config.toml" &&
	printf "\357\273\277# caf\303\251\r\n[ core ] # c\r\n\"author\" = \047\047\047A \042B\042\047\047\047 # d\r\n" >.dig/config.toml &&
	dig-config core.author >actual && printf "A \"B\"\n" >expect && test_cmp expect actual &&
	printf "performance = { batch_size = 1_000, async_io = false }\n" >.dig/config.toml &&
	dig-config performance.batch_size >actual && echo 1000 >expect && test_cmp expect actual
'

test_expect_success 'the chunking that is shown is the one that the store keeps' '
	dig -c chunking.target=16KB init kept >/dev/null &&
	(
		cd kept &&
		dig config chunking.target && dig config --show-origin chunking.target && dig info chunking &&
		dig config chunking.target 64KB 2>/dev/null &&
		dig config chunking.target &&
		dig config --list | grep ^chunking.target &&
		dig config --unset chunking.target
	) >actual &&
	printf "%s\n" 16KB "file:$PWD/kept/.dig/format	16KB" 0:16KB 16KB chunking.target=16KB >expect &&
	test_cmp expect actual &&
	dig init tiers >/dev/null && dig -C tiers info chunking >actual &&
	echo "0:256KB 1MB:1MB 100MB:512KB 1GB:2MB" >expect && test_cmp expect actual
'

test_expect_success 'only the global file says which stores are safe' '
	cd work &&
	test_expect_code 128 dig-config safe.directory /srv 2>err &&
	grep "use --global" err &&
	cp .dig/config.toml saved &&
	test_when_finished "mv saved .dig/config.toml" &&
	echo "safe.directory = \"/\"" >.dig/config.toml &&
	test_expect_code 1 dig-config safe.directory &&
	dig-config --global safe.directory "[\"/srv/a\", \"/srv/b c\"]" &&
	printf "/srv/a\n/srv/b c\n" >expect &&
	dig-config safe.directory >actual &&
	test_cmp expect actual &&
	dig-config --global --unset safe.directory
'

test_expect_success 'with -z a newline stands between key and value, and NUL after it' '
	cd work &&
	printf "core.compression\nnone\0" >expect &&
	dig-config -z --list >list &&
	tr "\n\0" "=\n" <list >lines &&
	grep -x "core.compression=none" lines &&
	printf "none\0" >expect &&
	dig-config -z core.compression >actual &&
	cmp expect actual
'

test_expect_success 'the author of the environment is no setting' '
	cd work &&
	echo "Bob <bob@example.org>" >expect &&
	DIG_AUTHOR=Eve dig-config core.author >actual &&
	test_cmp expect actual
'

test_expect_success 'a wrong command line is 129' '
	test_expect_code 129 dig-config 2>err &&
	grep "^usage: dig-config " err &&
	test_expect_code 129 dig-config core.author a b &&
	test_expect_code 129 dig-config --list core.author &&
	test_expect_code 129 dig-config --unset core.author a &&
	test_expect_code 129 dig-config --lis
'

test_expect_success 'output that cannot be written is a failure' '
	test_expect_code 128 dig-config --list >/dev/full 2>err &&
	grep "No space left on device" err &&
	test_expect_code 128 dig-config --list >&- 2>err &&
	grep "Bad file descriptor" err
'

test_done
