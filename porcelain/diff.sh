#!/bin/sh
USAGE='dig-diff [-qz] [ROOT [ROOT [PATH...]]]
   or: dig-diff [-qz] --ranges ROOT ROOT PATH'
OPTIONS='-q --quiet -z --ranges'
. "${0%/*}/dig-sh-setup"
common_options "$@"
flags=
while test $# -gt 0
do
	case $1 in
	-q | --quiet | -z | -qz | -zq | --ranges) flags="$flags $1" ;;
	--)
		shift
		break ;;
	-?*) usage_error "no such option: $1" ;;
	*) break ;;
	esac
	shift
done
# What a person asks for without a word more: what the last commit changed.
case $# in
0)
	before=HEAD~1
	test "$(dig-info generation)" != 1 || before=@0
	set -- $before HEAD ;;
1) set -- "$1" HEAD ;;
esac
# "It differs" is an answer and no failure; only -q asks for it as a status.
dig-diff-roots $flags -- "$@"
status=$?
case $status,$flags in
1,*q*) exit 1 ;;
1,*) exit 0 ;;
*) exit $status ;;
esac
