#!/bin/bash
# Miller: flattened, cut to the columns (template fills what is missing), renamed. It writes JSON's null as a word, hence
# the last step. miller.sh TASK.json; jq writes the lists.
set -euo pipefail
task=$1
target=$(jq -r .target "$task")
. "$(dirname "$0")/inputs.sh"
lists() { # paths, or pairs of path and name
    jq -r "$path"' [.columns[] | (.[1] | flat) as $path | '"$1"'] | join(",")' "$task"
}
path='def flat: map(if type == "number" then . + 1 else . end | tostring) | join(".");'
members=$(jq -r "$path"' if .members == null then "true" else
    (.members.status | flat) as $path | .members.wanted | map("$*[\"\($path)\"] == \"\(.)\"") | join(" || ") end' "$task")
records | mlr --ijsonl --ocsv flatten then filter "$members" then template -f "$(lists '$path')" then \
    rename "$(lists '$path, .[0]')" then put 'for (k in $*) { if (is_null($[k])) { $[k] = "" } }' | pack >"$target"
