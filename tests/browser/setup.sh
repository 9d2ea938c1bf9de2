#!/bin/sh
# What the tests of report.html need and the host lacks: a real browser, which Debian has in the package chromium, and a font
# to draw letters with. Nothing of either starts by itself.
set -eu

fail() { echo "browser: $1" >&2; exit 1; }

missing=
[ -x /usr/bin/chromium ] || missing="$missing chromium"
[ -d /usr/share/fonts/truetype/dejavu ] || missing="$missing fonts-dejavu-core"
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || fail "needs root: it installs$missing"
command -v apt-get >/dev/null 2>&1 || fail "install by hand:$missing (only Debian's apt-get is known here)"
echo "browser: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 — a list of package names
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install$missing"
}
