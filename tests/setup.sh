#!/bin/sh
# Makes target/venv, the Python environment of the wire tests. Quick when it is there already.
set -eu
cd "$(dirname "$0")/.."
wanted=tests/wire/requirements.txt
done_mark=target/venv/.installed
if [ -f "$done_mark" ] && cmp -s "$wanted" "$done_mark"; then
    exit 0
fi
command -v python3 >/dev/null || {
    echo "tests/setup.sh: python3 is missing; install it (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
}
mkdir -p target
rm -f "$done_mark"
python3 -m venv --clear target/venv || {
    echo "tests/setup.sh: python3 cannot make a virtual environment; on Debian install python3-venv" >&2
    exit 1
}
target/venv/bin/pip install --quiet --disable-pip-version-check -r "$wanted"
cp "$wanted" "$done_mark"
echo "tests/setup.sh: target/venv is ready"
