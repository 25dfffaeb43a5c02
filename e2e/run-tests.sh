#!/usr/bin/env bash
# run-tests.sh unit|e2e|faults|conformance...: builds and runs those tests, and prints the sums of all alone on the last line.
# Fails when a test failed, when a build failed, and when nothing ran.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
configuration=Release
passed=0 failed=0 skipped=0 broken=0

# Runs one test program and adds its summary to the sums.
run() {
  local name=$1 project=$2
  shift 2
  echo "test: $name"
  dotnet build "$project" --configuration $configuration --verbosity quiet -clp:NoSummary || { broken=1; return; }
  local log
  log=$(mktemp)
  "$@" -noColor -reporter verbose 2>&1 | grep --line-buffered -v '\[STARTING\]$' | tee "$log" || broken=1
  local summary
  summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
  rm -f "$log"
  if [[ $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+) ]]; then
    failed=$((failed + BASH_REMATCH[2] + BASH_REMATCH[3]))
    skipped=$((skipped + BASH_REMATCH[4]))
    passed=$((passed + BASH_REMATCH[1] - BASH_REMATCH[3] - BASH_REMATCH[4]))
  else
    echo "test: $name ended without a summary" >&2
    broken=1
  fi
}

for suite; do
  case $suite in
    unit) run "unit and property tests" tests/tests.csproj \
      tests/bin/$configuration/net10.0/kruise-image-tests ;;
    e2e) run "scenarios on a ${CLUSTER:-local} cluster" e2e/scenarios/scenarios.csproj \
      e2e/sandbox.sh e2e/scenarios/bin/$configuration/net10.0/kruise-image-scenarios -class- '*FaultScenarios' ;;
    faults) run "faults on a local cluster" e2e/scenarios/scenarios.csproj \
      e2e/sandbox.sh e2e/scenarios/bin/$configuration/net10.0/kruise-image-scenarios -class '*FaultScenarios' ;;
    conformance) run "conformance of the cluster of ${KUBECONFIG:-no kubeconfig}" e2e/scenarios/scenarios.csproj \
      e2e/scenarios/bin/$configuration/net10.0/kruise-image-scenarios -class '*ConformanceScenarios' ;;
  esac
done

[ "$broken" = 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
