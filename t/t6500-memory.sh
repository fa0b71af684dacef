#!/bin/sh

test_description='memory does not grow with the input: holes, many names, many changes'

. "$(dirname "$0")/test-lib.sh"

test_expect_success 'the chunks and the roots of holes are those of their zeros' '
	mkdir ids && cd ids &&
	truncate -s 40M hole && head -c 40M /dev/zero >zeros &&
	seeded 100K 1 >mixed && truncate -s 30M mixed && seeded 3M 2 >>mixed &&
	truncate -s 50000007 mixed && cp --sparse=never mixed full &&
	for target in 4KB 16KB 64KB 2MB
	do
		dig-hash-object --target=$target hole mixed >sparse &&
		dig-hash-object --target=$target zeros full >read && test_cmp read sparse &&
		dig-chunk --target=$target hole mixed >sparse &&
		dig-chunk --target=$target zeros full >read && test_cmp read sparse || return 1
	done &&
	dig-hash-object hole mixed >sparse && dig-hash-object zeros full >read && test_cmp read sparse &&
	rm zeros full
'

if truncate -s 15T probe 2>/dev/null
then
	test_set_prereq HUGE_FILES
fi
rm -f probe

# Roots that were computed chunk by chunk.
test_expect_success HUGE_FILES 'holes of any size have the roots that they always had' '
	truncate -s 100G hole && test_when_finished "rm hole" &&
	dig-hash-object --target=4KB hole >actual && dig-hash-object hole >>actual &&
	cat >expect <<-\EOF &&
	08f70573d75bcdd50a019d330b5d8cad585fd563198c13ddb0a34a553b94a969
	d59098e1db56977f3c4a2f05553b9d1b3b7a84dd1015efc80ad26f8e7951d74a
	EOF
	test_cmp expect actual
'

# Target and size of a hole.
hole_is_cheap () {
	rm -rf hole referred out && mkdir hole && cd hole && dig -c chunking.target=$1 init >/dev/null &&
	echo before >small && dig add small && dig commit -q -m one && truncate -s $2 huge &&
	within-memory dig add huge && within-memory dig-hash-object huge &&
	touch -d 2001-01-01 huge && within-memory dig status &&
	within-memory dig add huge && within-memory dig commit -q -m two &&
	within-memory dig check && within-memory dig diff @1 @2 &&
	within-memory dig-cat --range=77000000000-77000099999 @2:huge | tr -d "\0" >../rest &&
	test_cmp /dev/null ../rest && within-memory dig extract ../out >/dev/null &&
	test $(stat -c %s huge) = $(stat -c %s ../out/huge) && test $(stat -c %b ../out/huge) = 0 &&
	echo more >>huge && { printf x | dd of=huge bs=1 seek=100000 conv=notrunc 2>/dev/null; } &&
	within-memory dig add huge && dig commit -q -m three &&
	test_expect_code 1 within-memory dig-diff-roots --ranges @2 @3 huge >../ranges &&
	test $(wc -l <../ranges) = 2 &&
	within-memory dig extract -f --in-place --at=@2 . huge >/dev/null && test $(stat -c %b huge) = 0 &&
	cd .. && mkdir referred && cd referred && dig -c chunking.target=$1 init >/dev/null &&
	truncate -s $2 huge && within-memory dig add --by-reference huge &&
	within-memory dig commit -q -m one && cd .. && rm -r hole referred out
}

test_expect_success '!SANITIZED,HUGE_FILES' 'a hole costs neither memory nor time' '
	hole_is_cheap 4KB 15T && hole_is_cheap 0 15T
'

test_expect_success '!SANITIZED,HUGE_FILES,LONG' 'holes of other sizes and other targets are as cheap' '
	for target in 4KB 16KB 64KB 0
	do
		for size in 100G 2T 15T
		do
			hole_is_cheap $target $size || return 1
		done
	done
'

test_expect_success '!SANITIZED,HUGE_FILES' 'the chunks of a hole are printed as they come' '
	truncate -s 20G hole20 && test_when_finished "rm hole20" &&
	within-memory dig-chunk --target=4KB hole20 | tail -n 1 >actual &&
	echo "21474820096 16384 $(head -c 16384 /dev/zero | sha256sum | cut -c 1-64)" >expect &&
	test_cmp expect actual
'

test_done
