#!/usr/bin/env bash
# Builds the Debian package. Needs cargo-deb (cargo install cargo-deb) and prints where the package is.
#
#   deploy/package.sh                  what is published: profile `release`
#   deploy/package.sh --profile ci     what the tests look into: quick, large, not for use
set -euo pipefail
cd "$(dirname "$0")/.."

profile=release
[ "${1:-}" = "--profile" ] && profile=$2
folder=${CARGO_TARGET_DIR:-target}/$profile
[ -n "${BOA_PACKAGE_BINARY:-}" ] || cargo build --profile "$profile" --locked --bin bedrock-ops-alert
program=${BOA_PACKAGE_BINARY:-$folder/bedrock-ops-alert}

# What the program itself prints is packed as files. The paths are those of [package.metadata.deb].
made=target/package
rm -rf "$made"
mkdir -p "$made/man" "$made/completions"
cp "$program" "$made/bedrock-ops-alert"
"$program" man --folder "$made/man"
"$program" completions bash >"$made/completions/bedrock-ops-alert"
"$program" completions zsh >"$made/completions/_bedrock-ops-alert"
"$program" completions fish >"$made/completions/bedrock-ops-alert.fish"
"$program" schema config >"$made/config.schema.json"
"$program" schema rules >"$made/rules.schema.json"
gzip --best --no-name "$made"/man/*.1
gzip --best --no-name --stdout CHANGELOG.md >"$made/changelog.gz"

cargo deb --no-build --no-strip --locked --output "$made"
