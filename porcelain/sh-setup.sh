# Sourced by the porcelain that is written in shell, after it has set USAGE (the SYNOPSIS of its
# page, a line a form) and OPTIONS (its long and short options, for completions).

say () {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die () {
	say "$@"
	exit 128
}

usage_error () {
	say "$@"
	printf 'usage: %s\n' "$USAGE" >&2
	exit 129
}

# The options that every tool has; call it with the script's arguments.
common_options () {
	for argument
	do
		case $argument in
		--)
			return ;;
		-h | --help)
			printf 'usage: %s\n' "$USAGE" || exit 128
			exit 0 ;;
		--version)
			exec dig-info --version ;;
		--list-options)
			printf '%s\n' -h --help --version $OPTIONS || exit 128
			exit 0 ;;
		esac
	done
}

# Tools stand beside the script, also when it was not started by dig.
case $0 in
*/*) PATH=${0%/*}:$PATH ;;
esac
