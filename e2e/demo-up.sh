#!/usr/bin/env bash
# demo-up.sh DIRECTORY COMMAND...: runs the bed in the background and returns when it is ready.
set -euo pipefail

export BED_DIR=$1
shift
log=$BED_DIR.log
if [ -e "$BED_DIR/owner" ] && ! flock --nonblock "$BED_DIR/owner" true; then
  echo "bed: already running in $BED_DIR. 'make demo-down' ends it." >&2
  exit 1
fi
rm -rf "$BED_DIR"
setsid --fork "$(dirname "$0")/sandbox.sh" "$@" >"$log" 2>&1 </dev/null
trap 'rm -f "$log"' EXIT

for _ in $(seq 600); do
  sleep 0.2
  if [ -e "$BED_DIR/ready" ]; then cat "$log"; echo "end it     make demo-down"; exit 0; fi
  [ -e "$BED_DIR" ] || break
done
cat "$log" >&2
echo "bed: it did not start" >&2
"$(dirname "$0")/demo-down.sh" "$BED_DIR" >/dev/null
exit 1
