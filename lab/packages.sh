#!/bin/sh
# The npm packages that package-lock.json names, installed if they are not (or an older lock file's are).
set -eu
cd "$(dirname "$0")/.."
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' ||
  { echo "Node $(node -v 2>/dev/null || echo 'is missing'): flowproof needs 20.19 or newer, or 22.12 or newer" >&2; exit 1; }
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'installing the npm packages'
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
