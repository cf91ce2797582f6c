#!/bin/sh
# Creates the schema and the raw tables: bronze-consumer init
root=$(dirname "$0")/..
[ -f "$root/dist/main.js" ] || npm --prefix "$root" run -s build >&2 || exit 1
exec node "$root/dist/main.js" init "$@"
