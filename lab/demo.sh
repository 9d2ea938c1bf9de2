#!/bin/sh
# `npm run demo`: from a fresh clone to the tested matrix. Installs the packages of the lock file where they are missing,
# builds the lab, types `npm test` at the operator's seat, and takes the lab down again, however that ended.
set -u
cd "$(dirname "$0")/.."
sh lab/packages.sh || exit 1
trap 'node --import tsx lab/cli.ts down' EXIT
trap 'exit 130' INT TERM
node --import tsx lab/cli.ts up --phase steady || exit 1
node --import tsx lab/cli.ts test
