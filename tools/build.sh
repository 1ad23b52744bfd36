#!/usr/bin/env bash
# Configures and builds a preset: tools/build.sh PRESET [TARGET…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset="$1"
shift
targets=()
if [ "$#" -gt 0 ]; then
  targets=(--target "$@")
fi
cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log" >&2; exit 1; }
rm -f "build-$preset.log"
cmake --build --preset "$preset" "${targets[@]}"
