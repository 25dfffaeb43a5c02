#!/usr/bin/env bash
# Runs a command so that nothing outlives it, whatever happens: no process, no mount, no directory.
#
#   sandbox.sh COMMAND [ARGUMENT...]     the command finds its directory in $BED_DIR
#
# The command is process 1 of a PID namespace of its own, so the kernel ends every server that it started when it ends. Mounts are
# made in a private mount namespace and go with it. When this script is killed with SIGKILL, its children get SIGKILL from the
# kernel (PR_SET_PDEATHSIG); the directory that it cannot remove then is swept by the next start: an `owner` file that nobody
# holds locked marks it as left over.
#
# BED_DIR=/some/where fixes the directory (`make demo-up` does); without it a new one is made under /tmp.
set -euo pipefail

prefix=/tmp/kruise-image-bed
die() { printf 'bed: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "only root can make namespaces and mount images. Run it as root."
for tool in unshare setpriv flock; do
  command -v "$tool" >/dev/null || die "$tool is missing: install the Debian package util-linux."
done

exec 8</tmp
flock 8 # a start that has its directory but not yet its lock must not be swept by another
for dir in "$prefix".*; do
  [ ! -e "$dir/owner" ] || flock -n "$dir/owner" rm -rf "$dir" || true # a bed that runs holds its lock
done
dir=${BED_DIR:-$(mktemp -d "$prefix.XXXXXX")}
mkdir -p "$dir"
exec 9>>"$dir/owner"
flock -n 9 || die "a bed is already running in $dir. 'make demo-down' ends the demo's."
find "$dir" -mindepth 1 -maxdepth 1 ! -name owner -exec rm -rf {} +
echo $$ >"$dir/owner"
exec 8<&-

child=
finish() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    # unshare takes process 1 of the namespace with it, and that one is gone only when all of the namespace is.
    local init
    init=$(cat "/proc/$child/task/$child/children" 2>/dev/null || true)
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
    while grep -qs '^State:.[^ZX]' "/proc/${init% }/status"; do sleep 0.02; done
  fi
  [ -z "${BED_KEEP_LOGS:-}" ] || { mkdir -p "$BED_KEEP_LOGS"; cp -r "$dir"/logs/. "$BED_KEEP_LOGS" 2>/dev/null || true; }
  until rm -rf "$dir" 2>/dev/null; do sleep 0.1; done
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

export BED_DIR=$dir
# The inner shell asks for the kernel's signal first and looks at its parent after: no moment is left uncovered.
setpriv --pdeathsig KILL sh -c '[ "$PPID" = "$0" ] || exit 1
  exec unshare --mount --propagation private --pid --fork --kill-child=KILL --mount-proc -- "$@"' $$ "$@" 9>&- &
child=$!
status=0
wait "$child" || status=$?
exit "$status"
