#!/bin/sh
# jq: one array a record, made CSV by @csv. jq.sh JOB INPUT OUTPUT
set -eu
jobs=$(dirname "$0")/jobs.json
jq -r --arg job "$1" '[.[$job].columns[][0]] | @csv' "$jobs" >"$3"
filter=$(jq -r --arg job "$1" '[.[$job].columns[][1]
    | map(if type == "number" then "[\(.)]" else "[\(tojson)]" end) | "(." + join("") + ")"]
    | "[" + join(",") + "] | @csv"' "$jobs")
exec jq -r "$filter" "$2" >>"$3"
