#!/bin/sh
# Installs the Alertmanager that Debian ships, which one test sends to and reads back from. Quick when it is there already.
# Its templates lie where the package puts them, so that it has to be installed, by root. Where it cannot be had, that is
# noted in target/alertmanager-unavailable, and the test says that it is skipped.
set -eu
cd "$(dirname "$0")/.."
mkdir -p target
note=target/alertmanager-unavailable
rm -f "$note"
if command -v prometheus-alertmanager >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    # RUNLEVEL: a package that is installed for a test starts no service.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus-alertmanager >"$note" 2>&1; then
    rm -f "$note"
    echo "tests/setup-alertmanager.sh: prometheus-alertmanager is installed"
else
    echo "1 test is skipped" >>"$note"
    echo "tests/setup-alertmanager.sh: prometheus-alertmanager cannot be installed here: 1 test is skipped (a real Alertmanager)"
fi
