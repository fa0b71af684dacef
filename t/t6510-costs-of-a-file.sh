#!/bin/sh

test_description='what small files cost an add: allocations and page faults'

. "$(dirname "$0")/test-lib.sh"

if test_have_prereq SANITIZED
then
	skip_all='a sanitizer has a heap of its own'
	test_done
fi

# Without huge pages each page of each buffer is a fault, when it is touched for the first time.
if grep -q -e '\[madvise\]' -e '\[always\]' /sys/kernel/mm/transparent_hugepage/enabled
then
	test_set_prereq HUGE_PAGES
fi

# All tools, as links to the one that counts.
mkdir tools &&
{ ln "$DIG_BUILD/helper/counted-dig" tools/dig 2>/dev/null || cp "$DIG_BUILD/helper/counted-dig" tools/dig; } &&
for tool in init init-store add ls-work update-index hash-object
do
	ln -s dig tools/dig-$tool || exit
done

# tree NAME DIRECTORIES: 100 files of 3 KiB in each.
tree () {
	for i in $(seq $2)
	do
		mkdir -p "$1/directory with a name of $i" && seeded --text 300K $i |
			split -b 3K -a 3 -d - "$1/directory with a name of $i/file with a name of " || return 1
	done
}

# counted TREE [SETTING...]: allocations and page faults of an add, in all processes.
counted () {
	rm -rf w counts && cp -al "$1" w && shift && (
		export DIG_CONFIG="$(printf "%s\n" "$@")" && cd w && "$TRASH/tools/dig-init" -q >&4 &&
		DIG_TEST_COUNTS=$TRASH/counts "$TRASH/tools/dig-add" -q -A
	) && cat counts >&4 && test $(wc -l <counts) = 3 &&
	awk "{ allocations += \$2; faults += \$3 } END { print allocations, faults }" counts
}

test_expect_success 'a small file costs less than 2 allocations' '
	tree few 20 && cp -al few many && tree more 20 && mv more many &&
	for workers in 2 16
	do
		few=$(counted few performance.max_worker_threads=$workers) &&
		many=$(counted many performance.max_worker_threads=$workers) &&
		test ${few% *} -gt 300 && test ${many% *} -gt ${few% *} &&
		test $((${many% *} - ${few% *})) -lt 4000 || return 1
	done
'

# With the least memory, the buffers are soon as large as they will be.
test_expect_success HUGE_PAGES 'ten small files cost less than a page fault' '
	few=$(counted few performance.max_memory_usage=16MB performance.max_worker_threads=2) &&
	many=$(counted many performance.max_memory_usage=16MB performance.max_worker_threads=2) &&
	test ${few#* } -gt 100 && test $((${many#* } - ${few#* })) -lt 200
'

# 24 of each process relocate the program, and 40 or so are those of any other.
test_expect_success 'a single file costs less than 550 page faults in three processes' '
	mkdir one && echo hello >one/file && one=$(counted one) && test ${one#* } -gt 100 && test ${one#* } -lt 550
'

# With all that comes before the first file.
test_expect_success LONG,HUGE_PAGES '20,000 files cost less than 40,000 allocations and 2,000 page faults' '
	tree all 200 && all=$(counted all performance.max_worker_threads=2) &&
	test ${all% *} -lt 40000 && test ${all#* } -lt 2000
'

test_done
