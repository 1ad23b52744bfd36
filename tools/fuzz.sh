#!/usr/bin/env bash
# Fuzzes every reader of outside files: tools/fuzz.sh [SECONDS [READER…]]; 60 s each without.
# What it finds lies in build/fuzz/found; mended, it belongs into tests/fuzz/corpus/READER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-60}"
readers=("${@:2}")
[ "${#readers[@]}" -gt 0 ] || readers=(variants pharmcat genotype_table toml data_file)
tools/install.sh build fuzz
cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz --target "${readers[@]/#/fuzz_}"
mkdir -p build/fuzz/found
for reader in "${readers[@]}"; do
  echo "fuzzing $reader for $seconds s"
  mkdir -p "build/fuzz/corpus/$reader"
  "build/fuzz/tests/fuzz/fuzz_$reader" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=2048 \
    -verbosity=0 -print_final_stats=1 -artifact_prefix="build/fuzz/found/$reader-" \
    "build/fuzz/corpus/$reader" "tests/fuzz/corpus/$reader"
done
