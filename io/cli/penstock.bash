# bash completion for penstock. Written by scripts/generate_docs from io/cli/options.def: don't edit.
# Commands and flags that this version has not yet are left out.

_penstock() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} flags=
    COMPREPLY=()
    # readline splits --flag=value at the '='
    if [[ $current == '=' ]]; then
        current=
    elif [[ $previous == '=' && $COMP_CWORD -ge 2 ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'export check inspect verify cleanup --help --version' -- "$current")
        return
    fi
    case $command in
    export) flags='-j --job --to --id --column --threads --memory-limit --connections --part-size --run-time --run-id --report --rejects --max-rejects --progress --log-format -v --verbose -q --quiet --strict --input-mode --shard-size --walk -h --help --version' ;;
    check) flags='-j --job --to --id --column --threads --memory-limit --connections --part-size --run-time --run-id --report --rejects --max-rejects --progress --log-format -v --verbose -q --quiet --strict --input-mode --shard-size --walk --sample --no-values -h --help --version' ;;
    inspect) flags='--job --json --threads --memory-limit --log-format -v --verbose -q --quiet --input-mode --shard-size --sample --no-values -h --help --version' ;;
    verify) flags='-j --job --threads --memory-limit --report --progress --log-format -v --verbose -q --quiet -h --help --version' ;;
    cleanup) flags='--log-format -v --verbose -q --quiet --older-than --dry-run -h --help --version' ;;
    *) return ;;
    esac
    case $previous in
    --job | -j)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --to)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --id) return ;;
    --column) return ;;
    --threads) return ;;
    --memory-limit) return ;;
    --connections) return ;;
    --part-size) return ;;
    --run-time) return ;;
    --run-id) return ;;
    --report)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --rejects)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --max-rejects) return ;;
    --progress)
        mapfile -t COMPREPLY < <(compgen -W 'auto none' -- "$current")
        return
        ;;
    --log-format)
        mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current")
        return
        ;;
    --input-mode)
        mapfile -t COMPREPLY < <(compgen -W 'auto mmap read direct' -- "$current")
        return
        ;;
    --shard-size) return ;;
    --walk)
        mapfile -t COMPREPLY < <(compgen -W 'auto on-demand' -- "$current")
        return
        ;;
    --sample) return ;;
    --older-than) return ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _penstock penstock
