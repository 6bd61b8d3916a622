#!/usr/bin/env bash
# Prints the path of a development tool. Builds the tool first when this machine does not have it yet.
#
#   hack/tool.sh NAME
#
# The go.mod and go.sum of the tool's own module below tools/ pin the versions. Binaries are kept in $CACHE/bin (by default
# ~/.cache/function-pod-identity-provider/bin). A binary's name contains a hash of all its inputs, so a new version, another
# Go or other flags give another file, and checkouts can share it. Only the path is printed to stdout.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat >&2 <<'TEXT'
usage: hack/tool.sh NAME
  crossplane-render-v2 crossplane-cli-v2 crossplane-core-v2 crossplane-core-v2.3 crossplane-render-v1 crossplane-core-v1
  etcd kube-apiserver kube-controller-manager kubectl pod-identity-webhook
  provider-aws-config provider-aws-iam provider-aws-eks provider-aws-s3 provider-aws-sqs
  terraform terraform-provider-aws aws
  golangci-lint controller-gen actionlint vale govulncheck cyclonedx-gomod benchstat
TEXT
  exit 2
}

[ $# -eq 1 ] || usage
name=$1
module=tools/$name
ldflags="-s -w"

# takes is how long a first build takes on two cores.
case $name in
  crossplane-render-v2 | crossplane-render-v1)
    module=tools/${name/render/core}
    package=./render
    own=render
    takes="one to three minutes"
    ;;
  crossplane-cli-v2)
    package=github.com/crossplane/cli/v2/cmd/crossplane
    takes="4 to 7 minutes"
    ;;
  crossplane-core-v2 | crossplane-core-v2.3)
    package=github.com/crossplane/crossplane/v2/cmd/crossplane
    stamp=github.com/crossplane/crossplane-runtime/v2/pkg/version.version
    stamped=github.com/crossplane/crossplane/v2
    takes="2 to 3 minutes"
    ;;
  crossplane-core-v1)
    package=github.com/crossplane/crossplane/cmd/crossplane
    stamp=github.com/crossplane/crossplane/internal/version.version
    stamped=github.com/crossplane/crossplane
    takes="a minute or two"
    ;;
  etcd)
    package=go.etcd.io/etcd/server/v3
    takes="up to a minute"
    ;;
  kube-apiserver | kube-controller-manager | kubectl)
    module=tools/kubernetes
    package=k8s.io/kubernetes/cmd/$name
    stamp=k8s.io/component-base/version.gitVersion
    stamped=k8s.io/kubernetes
    takes="4 to 9 minutes for the first of Kubernetes, a minute or two for each other"
    ;;
  pod-identity-webhook)
    package=github.com/aws/amazon-eks-pod-identity-webhook
    takes="a minute or two"
    ;;
  provider-aws-config | provider-aws-iam | provider-aws-eks | provider-aws-s3 | provider-aws-sqs | terraform-provider-aws)
    # Only these services are built: all services have six times the code. provider-aws-config is provider-family-aws.
    services=iam,eks,s3,sqs
    module=tools/provider-aws
    own=.
    package=./cmd/provider/${name#provider-aws-}
    stamp=github.com/upbound/provider-aws/v2/internal/version.Version
    stamped=github.com/upbound/provider-aws/v2
    takes="5 to 10 minutes for the first of provider-aws, half a minute for each other"
    # Terraform's provider that they are made of.
    if [ "$name" = terraform-provider-aws ]; then package=github.com/hashicorp/terraform-provider-aws; fi
    ;;
  terraform)
    # OpenTofu, unless Terraform is installed.
    module=tools/opentofu
    package=github.com/opentofu/opentofu/cmd/tofu
    takes="3 to 6 minutes"
    ;;
  aws)
    # It is written in Python, and Debian's package does not know Pod Identity yet: nothing can be built or installed here.
    IFS=. read -r major minor _ <<<"$(aws --version 2>/dev/null | sed 's|^aws-cli/||')"
    case ${major:-0} in
      0) minor=0 least=1 ;;
      1) least=32 ;;
      *) least=15 ;;
    esac
    [ "$minor" -ge "$least" ] || { echo "aws: install the AWS CLI, version 1.32, 2.15 or later" >&2; exit 1; }
    command -v aws
    exit
    ;;
  golangci-lint)
    package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint
    stamp=main.version
    stamped=github.com/golangci/golangci-lint/v2
    takes="2 to 3 minutes"
    ;;
  controller-gen)
    module=tools/generate
    package=sigs.k8s.io/controller-tools/cmd/controller-gen
    takes="up to a minute"
    ;;
  actionlint)
    package=github.com/rhysd/actionlint/cmd/actionlint
    takes="up to a minute"
    ;;
  vale)
    package=github.com/errata-ai/vale/v2/cmd/vale
    stamp=main.version
    stamped=github.com/errata-ai/vale/v2
    takes="up to a minute"
    ;;
  govulncheck)
    package=golang.org/x/vuln/cmd/govulncheck
    takes="up to a minute"
    ;;
  cyclonedx-gomod)
    package=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
    takes="up to a minute"
    ;;
  benchstat)
    package=golang.org/x/perf/cmd/benchstat
    takes="a few seconds"
    ;;
  *) usage ;;
esac

# pinned prints the version of a module in the tool's go.mod.
pinned() { awk -v m="$1" '$1 == "require" { sub(/^require /, "") } $1 == m { print $2; exit }' "$module/go.mod"; }

# An installed Crossplane CLI of the same version needs no build.
if [ "$name" = crossplane-cli-v2 ] && installed=$(command -v crossplane) &&
  [ "$("$installed" version --client 2>/dev/null)" = "Client Version: $(pinned github.com/crossplane/cli/v2)" ]; then
  echo "$installed"
  exit
fi

if [ "$name" = terraform ] && command -v terraform; then
  exit
fi

# The linker stamps the version into a release binary. These binaries get the version in go.mod.
if [ -n "${stamp:-}" ]; then
  ldflags="$ldflags -X $stamp=$(pinned "$stamped")"
fi

# The same flags for every build in this repository, so that all of them share Go's build cache.
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false" GOWORK=off
unset GOOS GOARCH # The tool runs on this machine, even during a cross-compilation.

hash=$({
  cat "$module/go.mod" "$module/go.sum"
  # This repository's own programs that are part of the tool or build it.
  if [ -n "${own:-}" ]; then cat "$module/$own"/*.go; fi
  go env GOVERSION GOOS GOARCH GOFLAGS CGO_ENABLED
  echo "$package $ldflags${services:+ $services}"
} | git hash-object --stdin | cut -c 1-16)

bin=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/function-pod-identity-provider}/bin
mkdir -p "$bin"
bin=$(cd "$bin" && pwd)
tool=$bin/$name-$hash

if [ ! -x "$tool" ]; then
  # Build beside the final place and move the binary there in one step: two of these scripts may run at the same time.
  build=$(mktemp "$bin/.$name.XXXXXX")
  trap 'rm -rf "$build" "$build.source"' EXIT
  trap 'exit 130' INT TERM

  # The position among a caller's builds, such as "1 of 2".
  label=${POSITION:+$POSITION: }$name
  echo "$label: building from source into $bin. This happens once and takes $takes." >&2
  SECONDS=0
  source=$module
  if [ -n "${services:-}" ]; then
    go -C "$module" run . --out="$build.source" --services="$services" >&2
    source=$build.source/provider-aws
  fi
  hack/progress.sh "$label: still building" go -C "$source" build -ldflags "$ldflags" -o "$build" "$package" >&2
  chmod 0755 "$build"
  mv -f "$build" "$tool"
  echo "$label: built in $SECONDS s" >&2
fi

echo "$tool"
