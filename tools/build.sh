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
cmake --preset "$preset" --log-level=WARNING >/dev/null
cmake --build --preset "$preset" "${targets[@]}"
