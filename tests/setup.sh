#!/bin/sh
# Installs what the tests need on the host beside the lab's tools, and the host lacks. No package brings a service that runs.
set -eu
PATH=$PATH:/usr/sbin:/sbin

fail() { echo "tests: $1" >&2; exit 1; }

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need xmllint libxml2-utils
need systemd-analyze systemd
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || fail "needs root to install:$missing"
command -v apt-get >/dev/null 2>&1 || fail "install by hand:$missing (only Debian's and Ubuntu's apt-get is known here)"
echo "tests: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 — a list of package names
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install$missing"
}
