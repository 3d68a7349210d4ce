#!/bin/sh
# Fetches what checks deploy/: promtool out of Debian's package of Prometheus, which is unpacked under target/ and not
# installed, and systemd-analyze. Quick when they are there already.
set -eu
cd "$(dirname "$0")/.."

if ! command -v promtool >/dev/null && [ ! -x target/promtool/usr/bin/promtool ]; then
    command -v apt-get >/dev/null || {
        echo "tests/setup-deploy.sh: promtool is missing; install Prometheus, so that it is in the path" >&2
        exit 1
    }
    mkdir -p target/promtool
    [ "$(id -u)" -ne 0 ] || apt-get update -qq
    (cd target/promtool && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .)
    target/promtool/usr/bin/promtool --version >/dev/null
fi
if ! command -v systemd-analyze >/dev/null; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "tests/setup-deploy.sh: run as root once: apt-get install -y --no-install-recommends systemd" >&2
        exit 1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null
fi
echo "tests/setup-deploy.sh: ready"
