#!/bin/bash
# The fastest way found to take the members of one segment without a program made for it: grep for the id, Python and
# orjson for the lines that it finds. grep_orjson.sh TASK.json PYTHON ID SOURCE
set -euo pipefail
export LC_ALL=C
grep -F -- "$3" "$4" | "$2" "$(dirname "$0")/python_csv.py" "$1"
