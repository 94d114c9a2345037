#!/bin/sh
# Miller: flattened, cut to the columns (template fills what is missing), renamed. It writes JSON's null as a word, hence
# the last step. miller.sh JOB INPUT OUTPUT; jq writes the lists.
set -eu
lists() { # paths, or pairs of path and name
    jq -r --arg job "$1" '[.[$job].columns[] | (.[1] | map(if type == "number" then . + 1 else . end | tostring)
        | join(".")) as $path | '"$2"'] | join(",")' "$(dirname "$0")/jobs.json"
}
exec mlr --ijsonl --ocsv flatten then template -f "$(lists "$1" '$path')" then rename "$(lists "$1" '$path, .[0]')" \
    then put 'for (k in $*) { if (is_null($[k])) { $[k] = "" } }' "$2" >"$3"
