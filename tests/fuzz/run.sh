#!/usr/bin/env bash
# Fuzzes one parser, or all of them one after another, and keeps what reaches new branches in tests/data/fuzz.
# Needs nightly Rust and `cargo install cargo-fuzz`. What crashes is left under target/fuzz/crashes, and fails.
#
#   tests/fuzz/run.sh                  every parser for ten minutes
#   tests/fuzz/run.sh config 60        one of them for a minute
set -euo pipefail
cd "$(dirname "$0")/../.."

parsers=${1:-answers config dump names notes presses record stretch targets templates value}
seconds=${2:-600}
work=target/fuzz
cargo +nightly fuzz build --fuzz-dir tests/fuzz --target-dir "$work/build" parser
binary=$(find "$work/build" -path '*/release/parser' -type f | head -1)

for parser in $parsers; do
  kept=tests/data/fuzz/$parser.txt
  corpus=$work/$parser
  mkdir -p "$corpus" "$work/crashes/$parser"
  python3 tests/fuzz/corpus.py unpack "$kept" "$corpus"
  BOA_FUZZ=$parser "$binary" "$corpus" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=4096 \
    -artifact_prefix="$work/crashes/$parser/" -print_final_stats=1 2>&1 | tail -n 12
  rm -rf "$corpus.small" && mkdir "$corpus.small"
  BOA_FUZZ=$parser "$binary" -merge=1 "$corpus.small" "$corpus" >/dev/null 2>&1
  python3 tests/fuzz/corpus.py pack "$corpus.small" "$kept"
  echo "$parser: $seconds s, $(wc -l <"$kept") inputs kept"
done
