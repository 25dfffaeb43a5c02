#!/usr/bin/env bash
# kind.sh up|demo|down: the product on a kind cluster, where Docker is. Neither .NET nor anything else of ours is needed on the machine:
# the image is built in Docker, and ctl runs in it.
#
#   up     a cluster of three workers, the image built and loaded, `ctl install`
#   demo   a job that puts one image on all workers, and what became of it; IMAGE=name chooses another
#   down   the cluster goes, and the image
set -euo pipefail

name=kruise-image
built=kruise-image:kind
root=$(realpath "$(dirname "$0")/..")

die() { echo "kind: $*" >&2; exit 1; }

need() {
  command -v docker >/dev/null || die "docker is not installed. Install Docker, or try 'make demo', which needs none."
  docker info >/dev/null 2>&1 || die "Docker does not answer. Start it, or try 'make demo', which needs none."
  command -v kind >/dev/null || die "kind is not installed. Install kind (0.20 or newer), or try 'make demo', which needs neither."
  command -v kubectl >/dev/null || die "kubectl is not installed. Install it: the cluster is shown with it."
}

is_up() { kind get clusters 2>/dev/null | grep -qx "$name"; }

# ctl as the administrator, from its image, on the network of the cluster.
ctl() {
  local kubeconfig
  kubeconfig=$(mktemp)
  kind get kubeconfig --internal --name "$name" >"$kubeconfig"
  chmod 644 "$kubeconfig" # the image's user reads it; it opens a cluster of this machine
  docker run --rm --network kind --volume "$kubeconfig:/kubeconfig:ro" --env KUBECONFIG=/kubeconfig "$built" ctl "$@" || { rm -f "$kubeconfig"; return 1; }
  rm -f "$kubeconfig"
}

kube() { kubectl --context "kind-$name" "$@"; }

case ${1:-} in
  up)
    need
    is_up || kind create cluster --name "$name" --config "$root/e2e/kind.yaml" --wait 120s
    docker build --tag "$built" --build-arg "COMMIT=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)" "$root"
    kind load docker-image "$built" --name "$name"
    ctl install --image "$built"
    kube --namespace kruise-image-system rollout status deployment/kruise-image-controller --timeout 180s
    kube --namespace kruise-image-system rollout status daemonset/kruise-image-daemon --timeout 180s
    echo "kind: up. Next: make kind-demo, or kubectl --context kind-$name get nodeimages"
    ;;
  demo)
    need
    is_up || die "there is no cluster yet. 'make kind-up' makes one."
    kube label nodes --selector '!node-role.kubernetes.io/control-plane' node-type=xxx --overwrite
    # The manual's job. Its nginx:1.9.1 is of 2015, in a format that today's containerd refuses.
    kube apply --filename - <<EOF
apiVersion: apps.kruise.io/v1alpha1
kind: ImagePullJob
metadata:
  name: job-with-always
spec:
  image: ${IMAGE:-nginx:alpine}
  parallelism: 10
  selector:
    matchLabels:
      node-type: xxx
EOF
    ctl wait job-with-always --timeout 5m
    kube get imagepulljobs,nodeimages
    ctl describe job job-with-always
    ;;
  down)
    need
    kind delete cluster --name "$name"
    docker image rm "$built" >/dev/null 2>&1 || true # it may never have been built
    ;;
  *)
    echo "usage: kind.sh up|demo|down" >&2
    exit 2
    ;;
esac
