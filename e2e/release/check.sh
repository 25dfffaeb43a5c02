#!/usr/bin/env bash
# check.sh DIRECTORY [ARCHITECTURE...]: makes a release there, and again elsewhere: from another directory, with another umask, time zone
# and language. Fails when a byte differs.
set -euo pipefail

here=$(realpath "$(dirname "$0")")
first=$(realpath -m "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$here/release.sh" "$first" "$@"
mkdir -p "$work/a-much-longer/path"
(umask 077 && TMPDIR="$work/a-much-longer/path" TZ=Asia/Kathmandu LC_ALL=C "$here/release.sh" "$work/second" "$@")
diff --recursive "$first" "$work/second"
echo "release-check: $(find "$first" -type f | wc -l) files, all the same"
