#!/bin/sh
USAGE='dig-extract [-f] [--in-place] [--at=ROOT] [--sync] [--restore-setuid]
            [--progress[=WHEN]] [--metrics[=FILE]] DEST [PATH...]'
OPTIONS='-f --force --in-place --at --sync --restore-setuid --progress --metrics'
. "${0%/*}/dig-sh-setup"
common_options "$@"
root=HEAD flags= progress= metrics=
while test $# -gt 0
do
	case $1 in
	-f | --force) flags="$flags -f" ;;
	--in-place | --sync | --restore-setuid) flags="$flags $1" ;;
	--progress | --progress=*) progress=$1 ;;
	--metrics | --metrics=*) metrics=$1 ;;
	--at=*) root=${1#--at=} ;;
	--at)
		test $# -gt 1 || usage_error '--at needs a state'
		root=$2
		shift ;;
	--)
		shift
		break ;;
	-?*) usage_error "no such option: $1" ;;
	*) break ;;
	esac
	shift
done
test $# -gt 0 || usage_error 'say where to'
exec dig-checkout-root $flags ${progress:+"$progress"} ${metrics:+"$metrics"} -- "$root" "$@"
