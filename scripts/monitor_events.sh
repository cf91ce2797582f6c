#!/bin/sh
# Follows the events on the topics: bronze-consumer monitor
root=$(dirname "$0")/..
[ -f "$root/dist/main.js" ] || npm --prefix "$root" run -s build >&2 || exit 1
exec node "$root/dist/main.js" monitor "$@"
