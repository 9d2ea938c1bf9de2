#!/bin/sh
# What the tests of report.html need and the host lacks: a real browser, which Debian has in the package chromium, and a font
# to draw letters with. Nothing of either starts by itself.
set -eu
who=browser
. "$(dirname "$0")/../../lab/debian.sh"

[ -x /usr/bin/chromium ] || lack chromium
[ -d /usr/share/fonts/truetype/dejavu ] || lack fonts-dejavu-core
install_missing
