#!/usr/bin/env bash
# kill-test.sh [ROUNDS]: starts the bed, ends it in every way at random moments, and checks that nothing is left. `make kill-test`.
#
# The start is interrupted as Ctrl-C does (SIGINT to the process group), by SIGTERM to the sandbox, and by SIGKILL to the sandbox,
# to unshare, or to the bed itself. After SIGKILL to the sandbox only its directory may be left, until the next start sweeps it.
set -euo pipefail

cd "$(dirname "$0")/.."
rounds=${1:-15}
bed=e2e/bed/bin/Release/net10.0/bed
dir=$(mktemp -d /tmp/kruise-image-killtest.XXXXXX)

fail() { echo "kill-test: $*" >&2; exit 1; }

# The processes that are in the PID namespace $1.
living_in() {
  local link
  for link in /proc/[0-9]*/ns/pid; do
    [ "$(readlink "$link" 2>/dev/null)" != "$1" ] || echo "$link" | cut -d/ -f3
  done
}

for round in $(seq "$rounds"); do
  ways=(interrupt terminate kill-sandbox kill-unshare kill-bed)
  way=${ways[$((round % ${#ways[@]}))]}
  env --default-signal=INT BED_DIR="$dir" setsid e2e/sandbox.sh "$bed" up --bare >/dev/null 2>&1 &
  sandbox=$!
  waited=$((RANDOM % 500))
  sleep "$((waited / 100)).$(printf %02d $((waited % 100)))"
  unshare=$(cut -d' ' -f1 "/proc/$sandbox/task/$sandbox/children")
  inner=$(cut -d' ' -f1 "/proc/$unshare/task/$unshare/children" 2>/dev/null || true)
  namespace=$(readlink "/proc/$inner/ns/pid" || echo none)
  case $way in
    interrupt) kill -INT -- "-$sandbox" ;;
    terminate) kill -TERM "$sandbox" ;;
    kill-sandbox) kill -KILL "$sandbox" ;;
    kill-unshare) kill -KILL "$unshare" ;;
    kill-bed) kill -KILL ${inner:-$unshare} ;;
  esac
  timeout 20 tail --pid="$sandbox" -f /dev/null || fail "$way did not end it"
  wait "$sandbox" 2>/dev/null || true
  for _ in $(seq 50); do
    left=$(living_in "$namespace")
    [ -n "$left" ] || break
    sleep 0.1
  done
  [ -z "$left" ] || fail "$way left processes:" $left
  ! grep -q "$dir" /proc/mounts || fail "$way left mounts"
  [ "$way" = kill-sandbox ] || [ ! -e "$dir" ] || fail "$way left $dir"
  echo "kill-test: $way, ${waited}0 ms after the start: nothing left"
done
rm -rf "$dir"
