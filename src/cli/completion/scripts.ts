export type Shell = 'bash' | 'zsh' | 'fish';

/*
 * The scripts know no command and no option: they ask `healthctl __complete`. An answer may be a name that an image or
 * another tool chose. So no part of it is evaluated, and each shell quotes it before it puts it on the command line.
 */

/**
 * bash also splits words at `:` and `=`, so the script passes the whole line. The answer contains only the part that
 * bash replaces.
 */
const BASH = `# bash completion for healthctl: healthctl completion bash
_healthctl() {
    local directive='' word
    COMPREPLY=()
    {
        IFS= read -r directive
        while IFS=$'\\t' read -r word _; do
            [[ $word == *[!A-Za-z0-9_./:=@%+,-]* ]] && printf -v word %q "$word"
            COMPREPLY+=("$word")
        done
    } < <(command healthctl __complete --bash -- "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    case $directive in
        :file) compopt -o default ;;
        :directory) compopt -o dirnames -o filenames ;;
    esac
    [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=:,] ]] && compopt -o nospace
    return 0
}
complete -F _healthctl healthctl
`;

/** Read by \`source\`, or as the file _healthctl in a directory of $fpath. */
const ZSH = `#compdef healthctl
# zsh completion for healthctl: healthctl completion zsh
_healthctl() {
    local directive line word
    local -a lines words_open shown_open words_whole shown_whole
    lines=("\${(@f)$(command healthctl __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
    directive=$lines[1]
    for line in "\${(@)lines[2,-1]}"; do
        word=\${line%%$'\\t'*}
        [[ -n $word ]] || continue
        line=\${line#*$'\\t'}
        if [[ $word == *[=:,] ]]; then
            words_open+=("$word")
            shown_open+=("$word\${line:+  -- $line}")
        else
            words_whole+=("$word")
            shown_whole+=("$word\${line:+  -- $line}")
        fi
    done
    if [[ $directive == :?* ]]; then
        [[ $PREFIX == *=* ]] && compset -P '*='
        if [[ $directive == :directory ]]; then _files -/; else _files; fi
        return
    fi
    local -i found=1
    (( \${#words_open} )) && compadd -l -S '' -d shown_open -a words_open && found=0
    (( \${#words_whole} )) && compadd -l -d shown_whole -a words_whole && found=0
    return found
}
if [[ $funcstack[1] == _healthctl ]]; then
    _healthctl "$@"
else
    compdef _healthctl healthctl
fi
`;

const FISH = `# fish completion for healthctl: healthctl completion fish
function __healthctl_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l last (commandline -ct)
    set -l plain (string unescape -- "$last"; or echo -- "$last")
    set -l lines (command healthctl __complete -- $words "$plain" 2>/dev/null)
    switch "$lines[1]"
        case :file :directory
            set -l begin (string match -r -- '^-[^=]*=' "$last"; or echo)
            set -l path (string replace -r -- '^-[^=]*=' '' "$last")
            if test "$lines[1]" = :directory
                printf '%s\\n' "$begin"(__fish_complete_directories "$path")
            else
                printf '%s\\n' "$begin"(__fish_complete_path "$path")
            end
        case '*'
            test (count $lines) -gt 1; and printf '%s\\n' $lines[2..-1]
    end
end
complete -c healthctl -f -a '(__healthctl_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
