#!/bin/sh
# `npm run verify`: the project's own tests, from a fresh clone. The steps are in verify.ts; this makes that it can run.
set -eu
cd "$(dirname "$0")/.."
sh lab/packages.sh
sh tests/setup.sh
exec node --import tsx tests/verify.ts
