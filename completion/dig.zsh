#compdef dig
# Completion of dig for zsh.  Commands are what stands in dig's exec path, with the lines of their
# pages; options are what each command itself says.

_dig_commands() {
	local -a commands
	local directory=$(dig --exec-path 2>/dev/null)
	if [[ -r $directory/commands ]]; then
		commands=(${(f)"$(awk -F '\t' '{ print $2 ":" $3 }' $directory/commands)"})
	else
		commands=($directory/dig-*(N:t:s/dig-//))
	fi
	_describe -t commands 'dig command' commands
}

_dig() {
	local curcontext=$curcontext state
	local -a state_descr line options
	_arguments -C \
		'*-C[change to this directory first]:directory:_files -/' \
		'*-c[a setting for this command]:KEY=VALUE:' \
		'--exec-path[print where the commands are]' \
		'(-h --help)'{-h,--help}'[list the commands]' \
		'--version[print the version]' \
		'1: :->command' \
		'*:: :->argument'
	case $state in
	command)
		_dig_commands
		;;
	argument)
		if [[ $words[1] == help ]]; then
			_dig_commands
			compadd -- ${(f)"$(dig help --list 2>/dev/null)"}
		elif [[ $words[CURRENT] == -* ]]; then
			options=(${(f)"$(dig $words[1] --list-options 2>/dev/null)"})
			compadd -- $options
		else
			_files
		fi
		;;
	esac
}

_dig "$@"
