# Read by the set-up scripts (`. …/lab/debian.sh`): Debian's packages, installed where the host lacks them, and nothing else.
# `need` and `lack` note what is missing, `install_missing` installs it.
PATH=$PATH:/usr/sbin:/sbin
missing=

fail() { echo "$who: $1" >&2; exit 1; }
lack() { missing="$missing $1"; }                             # package
need() { command -v "$1" >/dev/null 2>&1 || lack "$2"; }      # command, package

install_missing() {
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || fail "needs root to install:$missing"
  command -v apt-get >/dev/null 2>&1 || fail "install by hand:$missing (only Debian's and Ubuntu's apt-get is known here)"
  echo "$who: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # shellcheck disable=SC2086 — a list of package names
  { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get could not install$missing"
  }
}
