#!/usr/bin/env bash
# Installs what is missing, builds Gemel, runs the flagship study: 10,000 virtual patients of three
# ancestries on warfarin. Writes results/warfarin.h5 and says what is in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
tools/install.sh build
tools/build.sh release -DBUILD_TESTING=OFF # tests need more packages
mkdir -p results
build/release/gemel run examples/warfarin/study.toml -o results/warfarin.h5 "$@"
