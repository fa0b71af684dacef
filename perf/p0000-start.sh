#!/bin/sh
# What every call of a tool costs before it does anything.

. "$(dirname "$0")/perf-lib.sh"

perf 'start of a tool' 'dig-hash-object -h'
peer git --target '1.2 x' 'git --version'

perf 'start of "dig info" by the dispatcher' --prepare 'dig init' 'dig info root'

perf_done
