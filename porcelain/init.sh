#!/bin/sh
USAGE='dig-init [--store=DIR] [--store-id=HEX] [DIRECTORY]'
OPTIONS='--store --store-id'
. "${0%/*}/dig-sh-setup"
common_options "$@"
store=$(dig-init-store "$@") || exit
printf 'new store in %s\n' "$store"
