# Sourced by the shell scripts of this folder: all records of a task on standard output, and what packs its result.
# The caller has set `task`. Unpacking runs beside the tool, so its speed does not slow the tool down.
records() {
    jq -r '.sources[]' "$task" | while IFS= read -r source; do
        case $source in
        *.gz) gzip -dc "$source" ;;
        *.zst) zstd -dcq "$source" ;;
        *) cat "$source" ;;
        esac
    done
}

pack() {
    case $target in
    *.gz) gzip -1 ;;
    *) cat ;;
    esac
}
