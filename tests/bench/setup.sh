#!/bin/sh
# The peer that the bench holds the harness against, where the host lacks it. It brings no service that runs.
set -eu
who=bench
. "$(dirname "$0")/../../lab/debian.sh"

need nmap nmap
install_missing
