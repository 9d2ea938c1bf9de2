#!/bin/sh
# Installs what the tests need on the host beside the lab's tools, and the host lacks. No package brings a service that runs.
set -eu
who=tests
. "$(dirname "$0")/../lab/debian.sh"

need xmllint libxml2-utils
need systemd-analyze systemd
install_missing
