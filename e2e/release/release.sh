#!/usr/bin/env bash
# release.sh DIRECTORY [ARCHITECTURE...]: makes a release of the checked-out commit: for amd64 and arm64, or for those that are named,
# the static executable and its SBOM; an image of all of them as OCI layout and as tar; SHA256SUMS. docs/release.md tells more.
# Everything is built from what git has, in a directory of its own: what is not committed, and what was built before, has no part in it.
set -euo pipefail

out=$(realpath -m "$1")
shift
architectures=(amd64 arm64)
[ $# -eq 0 ] || architectures=("$@")
root=$(realpath "$(dirname "$0")/../..")
cache=${KRUISE_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kruise-image}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export RELEASE_COMMIT RELEASE_VERSION SOURCE_DATE_EPOCH
RELEASE_COMMIT=$(git -C "$root" rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
git -C "$root" archive HEAD | tar --extract --directory "$work"
# The version is that of Directory.Build.props, which the manifests have too; the tag vX.Y.Z makes it a release.
RELEASE_VERSION=$(sed -n 's|.*<VersionPrefix>\(.*\)</VersionPrefix>.*|\1|p' "$work/Directory.Build.props")
tag=$(git -C "$root" describe --exact-match --tags --match 'v[0-9]*' 2>/dev/null || true)
case $tag in
  "v$RELEASE_VERSION") ;;
  '') RELEASE_VERSION+=-dev ;;
  *) echo "release: the tag is $tag, but Directory.Build.props and the manifests say $RELEASE_VERSION: make the two agree" >&2; exit 2 ;;
esac
git -C "$root" diff --quiet HEAD || echo "release: what is not committed is not in it" >&2

"$root/e2e/install-parts.sh" release
rm -rf "$out"
mkdir -p "$out"
dotnet build "$work/e2e/bed" --configuration Release --verbosity quiet -clp:NoSummary -p:RestoreLockedMode=true
bed=$work/e2e/bed/bin/Release/net10.0/bed
tools=("clang=$(clang -dumpversion)" "lld=$(ld.lld --version | grep -oE '[0-9.]{3,}' | head -n 1)"
  "llvm=$(llvm-objcopy --version | grep -oE '[0-9.]{3,}' | head -n 1)" "dotnet-sdk=$(dotnet --version)")
images=()
for architecture in "${architectures[@]}"; do
  case $architecture in
    amd64) rid=linux-x64 machine=x86_64 ;;
    arm64) rid=linux-arm64 machine=aarch64 ;;
    *) echo "release: $architecture is none of amd64 and arm64" >&2; exit 2 ;;
  esac
  echo "release: $RELEASE_VERSION for $rid (ahead-of-time compiled, some minutes)"
  sysroot=$cache/sysroot-$architecture executable=$out/kruise-image-$rid
  # No node of MSBuild may be left that remembers this architecture's environment.
  RELEASE_MACHINE=$machine RELEASE_SYSROOT=$sysroot CMAKE_TOOLCHAIN_FILE=$work/e2e/release/cross.cmake \
    dotnet publish "$work/kruise-image.csproj" --configuration Release --runtime $rid --output "$work/publish/$rid" \
    --verbosity quiet -clp:NoSummary -nodeReuse:false -p:RestoreLockedMode=true -p:Version="$RELEASE_VERSION" -p:SourceRevisionId="$RELEASE_COMMIT" \
    -p:SysRoot="$sysroot" -p:LinkedFiles="$work/publish/$rid.linked"
  install -m 755 "$work/publish/$rid/kruise-image" "$executable"
  "$bed" sbom "$executable" "$work" $rid "$architecture" "$sysroot" "${tools[@]}"
  images+=("$architecture=$executable")
done
"$bed" image "$out" "${images[@]}"
(cd "$out" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
echo "release: $RELEASE_VERSION ($RELEASE_COMMIT) is in $out"
