#!/usr/bin/env bash
# Installs what is missing, builds everything, runs all tests; ends with CTest's summary.
#   ./test.sh         the tests
#   ./test.sh --all   also the sanitizers on everything, a build without LLVM, every public header by itself, every
#                     reader fuzzed for a minute, and README and tests in a bare Debian root (tools/fresh.sh; needs
#                     root or sudo)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
all=no
case "${1:-}" in
  "") ;;
  --all) all=yes ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
tools/install.sh build test
tools/build.sh release
if [ "$all" = yes ]; then
  cmake --build --preset release --target all_verify_interface_header_sets
  for preset in sanitize threads no-jit; do
    tools/build.sh "$preset"
    ctest --preset "$preset"
  done
  tools/fuzz.sh
  tools/install.sh fresh
  tools/fresh.sh
fi
ctest --preset release
