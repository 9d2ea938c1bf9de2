#!/bin/sh
# The host's tools: installs what the lab needs and the host lacks, and nothing else.
# None of these packages brings a service that runs: they are programs and keys.
set -eu
PATH=$PATH:/usr/sbin:/sbin

fail() { echo "lab: $1" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root: it makes network namespaces and a root file system"

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need ip iproute2
need nft nftables
need mmdebstrap mmdebstrap
need ssh openssh-client
need unshare util-linux
need setpriv util-linux
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || fail "install by hand:$missing (only Debian's and Ubuntu's apt-get is known here)"
echo "lab: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 — a list of package names
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install$missing"
}
