#!/bin/sh
# The host's tools: installs what the lab needs and the host lacks, and nothing else.
# None of these packages brings a service that runs: they are programs and keys.
set -eu
who=lab
. "$(dirname "$0")/debian.sh"

[ "$(id -u)" = 0 ] || fail "needs root: it makes network namespaces and a root file system"

need ip iproute2
need nft nftables
need mmdebstrap mmdebstrap
need ssh openssh-client
need unshare util-linux
need setpriv util-linux
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || lack debian-archive-keyring
install_missing
