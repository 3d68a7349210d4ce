#!/bin/sh
# Installs what the browser test of the status page needs: Debian's Chromium, Node.js with npm, and the pinned
# JavaScript packages of tests/browser/package-lock.json (under target/, never in the tree). Safe to run again.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
place="${CARGO_TARGET_DIR:-$root/target}/browser"

missing=""
command -v chromium >/dev/null || missing="$missing chromium"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing:$missing; run as root once: apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

mkdir -p "$place"
if ! cmp -s "$root/tests/browser/package-lock.json" "$place/installed-lock.json"; then
    cp "$root/tests/browser/package.json" "$root/tests/browser/package-lock.json" "$place/"
    (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$root/tests/browser/package-lock.json" "$place/installed-lock.json"
fi
echo "browser ready: $(chromium --version 2>/dev/null | head -1)"
