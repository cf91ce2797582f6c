#!/bin/sh
# Consumes until it is stopped: bronze-consumer run
root=$(dirname "$0")/..
[ -f "$root/dist/main.js" ] || npm --prefix "$root" run -s build >&2 || exit 1
exec node "$root/dist/main.js" run "$@"
