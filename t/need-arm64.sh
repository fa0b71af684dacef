#!/bin/sh
# Whether this machine can build dig for arm64 and run it there: says what is to be installed, and
# fails, if it cannot.  "make check-arm64" calls it.  It runs no program but the compiler.

compiler=aarch64-linux-gnu-g++
qemu=qemu-aarch64

packages='libboost-program-options-dev libboost-filesystem-dev libboost-test-dev
	libcrypto++-dev zlib1g-dev libzstd-dev liburing-dev'
libraries='libboost_program_options.a libboost_filesystem.a libboost_unit_test_framework.so
	libcryptopp.a libz.a libzstd.a liburing.a'

missing=
command -v $compiler >/dev/null || missing="$missing g++-aarch64-linux-gnu"
command -v $qemu >/dev/null || missing="$missing qemu-user"
set -- $packages
for library in $libraries
do
	# The compiler prints the path of a library that it finds, and the bare name of another one.
	found=$($compiler -print-file-name=$library 2>/dev/null)
	case $found in
	/*) ;;
	*) missing="$missing $1:arm64" ;;
	esac
	shift
done
test -n "$missing" || exit 0

echo "check-arm64: there is no$missing; on Debian and its derivatives, root installs them by
	dpkg --add-architecture arm64 && apt-get update
	apt-get install --no-install-recommends$missing" >&2
exit 1
