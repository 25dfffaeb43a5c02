#!/usr/bin/env bash
# demo-down.sh DIRECTORY: ends the bed that runs there, and returns when nothing of it is left.
set -euo pipefail

running() { [ -e "$1/owner" ] && ! flock --nonblock "$1/owner" true; }

running "$1" || { rm -rf "$1"; echo "bed: none is running in $1"; exit 0; }
kill -TERM "$(cat "$1/owner")"
while running "$1"; do sleep 0.05; done
rm -rf "$1"
echo "bed: ended, nothing is left of it"
