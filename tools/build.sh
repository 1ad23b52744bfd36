#!/usr/bin/env bash
# Configures and builds a preset: tools/build.sh PRESET [CMAKE OPTION…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --preset "$1" --log-level=WARNING "${@:2}" >/dev/null
cmake --build --preset "$1"
