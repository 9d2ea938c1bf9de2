#!/bin/sh
# What the tests of deploy/ need and the host lacks: systemd-analyze, which Debian has in the package systemd. The package
# brings programs and unit files; nothing of it starts on a machine that another init has started.
set -eu
PATH=$PATH:/usr/sbin:/sbin

fail() { echo "tests: $1" >&2; exit 1; }

if command -v systemd-analyze >/dev/null 2>&1; then exit 0; fi
[ "$(id -u)" = 0 ] || fail "needs root: it installs the package systemd, for systemd-analyze"
command -v apt-get >/dev/null 2>&1 || fail "install systemd-analyze by hand (only Debian's and Ubuntu's apt-get is known here)"
echo "tests: installing systemd"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update && apt-get install -y --no-install-recommends systemd; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install systemd"
}
