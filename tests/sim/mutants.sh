#!/usr/bin/env bash
# Does the simulator find bugs? For each patch of mutations/, one line of the product made wrong: builds it in a copy of the
# sources, runs seeds until one fails, and prints which. Fails when a bug is not found in MOST seeds (default 300).
#
#   mutants.sh [NAME...]     all of them, or those
set -euo pipefail

cd "$(dirname "$0")/../.."
most=${MOST:-300}
copy=$(mktemp -d /tmp/kruise-image-mutants.XXXXXX)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy" 2>/dev/null || true # but for files that are deleted and not yet committed
root=$PWD
cd "$copy"
git init -q # so that git apply takes paths from here

build() { dotnet build tests/sim --configuration Release --verbosity quiet -clp:NoSummary -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false >"$copy/build.log" 2>&1 || { cat "$copy/build.log"; return 1; }; }

names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(basename -s .patch -a "$root"/tests/sim/mutations/*.patch)
missed=0
for name in "${names[@]}"; do
  git apply "$root/tests/sim/mutations/$name.patch"
  build
  found=$(tests/sim/bin/Release/net10.0/kruise-image-sim --seeds "$most" --stop-early 2>&1 | grep -m 1 '^seed ') || true
  printf '%-24s %s\n' "$name" "${found:-NOT FOUND in $most seeds}" | cut -c 1-200
  [ -n "$found" ] || missed=$((missed + 1))
  git apply -R "$root/tests/sim/mutations/$name.patch"
done

echo "${#names[@]} bugs planted, $missed not found"
[ "$missed" = 0 ]
