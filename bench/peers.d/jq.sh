#!/bin/bash
# jq: one array a record, made CSV by @csv. jq.sh TASK.json
set -euo pipefail
task=$1
target=$(jq -r .target "$task")
. "$(dirname "$0")/inputs.sh"
filter=$(jq -r 'def expression: map(if type == "number" then "[\(.)]" else "[\(tojson)]" end) | "(." + join("") + ")";
    (if .members == null then "" else
        "select(\(.members.status | expression) as $s | \(.members.wanted | tojson) | index($s)) | " end)
    + "[" + (.columns | map(.[1] | expression) | join(",")) + "] | @csv"' "$task")
{
    jq -r '[.columns[][0]] | @csv' "$task"
    records | jq -r "$filter"
} | pack >"$target"
