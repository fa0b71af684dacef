#!/bin/sh
USAGE='dig-check [-q] [--quick] [--progress[=WHEN]] [--metrics[=FILE]]'
OPTIONS='-q --quiet --quick --progress --metrics'
. "${0%/*}/dig-sh-setup"
common_options "$@"
exec dig-verify-store "$@"
