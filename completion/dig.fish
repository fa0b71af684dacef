# Completion of dig for fish.  Commands are what stands in dig's exec path, with the lines of their
# pages; options are what each command itself says.

function __dig_commands
    set -l directory (dig --exec-path 2>/dev/null); or return
    if test -r $directory/commands
        string replace -rf '^\w+\t' '' <$directory/commands
    else
        for tool in $directory/dig-*
            string replace -rf '.*/dig-' '' $tool
        end
    end
end

# The command on the line, behind -C DIR and -c KEY=VALUE.
function __dig_command
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case -C -c
                set -e words[1]
            case '-*'
            case '*'
                echo $words[1]
                return 0
        end
        set -e words[1]
    end
    return 1
end

function __dig_options
    set -l command (__dig_command); or return
    dig $command --list-options 2>/dev/null
end

# Pages of formats and concepts, too.
function __dig_pages
    dig help --list 2>/dev/null
end

complete -c dig -f -n 'not __dig_command >/dev/null' -a '(__dig_commands)'
complete -c dig -f -n 'not __dig_command >/dev/null' -s C -x -a '(__fish_complete_directories)' -d 'Change to this directory first'
complete -c dig -f -n 'not __dig_command >/dev/null' -s c -x -d 'A setting, KEY=VALUE'
complete -c dig -f -n 'not __dig_command >/dev/null' -l exec-path -d 'Print where the commands are'
complete -c dig -f -n 'not __dig_command >/dev/null' -l version -d 'Print the version'
complete -c dig -f -n 'not __dig_command >/dev/null' -s h -l help -d 'List the commands'
complete -c dig -f -n 'test "$(__dig_command)" = help' -a '(__dig_commands; __dig_pages)'
complete -c dig -n '__dig_command >/dev/null; and string match -q -- "-*" (commandline -ct)' -f -a '(__dig_options)'
