#!/bin/sh
USAGE='dig-check [-q] [--quick]'
OPTIONS='-q --quiet --quick'
. "${0%/*}/dig-sh-setup"
common_options "$@"
exec dig-verify-store "$@"
