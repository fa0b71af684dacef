# Completion of dig for bash.  Commands are what stands in dig's exec path, and dig-X anywhere in
# PATH; options are what each command itself says, and pages what "dig help" finds.

_dig_commands ()
{
	local path
	path=$(dig --exec-path 2>/dev/null) || return
	{
		ls "$path" 2>/dev/null
		compgen -c dig-
	} | sed -n 's/^dig-\([a-z][a-z0-9-]*\)$/\1/p' | sort -u
}

_dig ()
{
	local current=${COMP_WORDS[COMP_CWORD]} command= i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++))
	do
		case ${COMP_WORDS[i]} in
		-C | -c) ((i++)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	if [[ -z $command && ${COMP_WORDS[COMP_CWORD - 1]} == -C ]]
	then
		COMPREPLY=($(compgen -d -- "$current"))
	elif [[ -z $command && $current == -* ]]
	then
		COMPREPLY=($(compgen -W '-C -c --exec-path --help --version' -- "$current"))
	elif [[ -z $command ]]
	then
		COMPREPLY=($(compgen -W "$(_dig_commands)" -- "$current"))
	elif [[ $command == help && $current != -* ]]
	then
		COMPREPLY=($(compgen -W "$(_dig_commands; dig help --list 2>/dev/null)" -- "$current"))
	elif [[ $current == -* ]]
	then
		COMPREPLY=($(compgen -W "$(dig "$command" --list-options 2>/dev/null)" -- "$current"))
	else
		compopt -o default 2>/dev/null
	fi
}

complete -F _dig dig
