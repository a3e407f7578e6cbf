#!/usr/bin/env bash
# check_includes.sh ROOT: every folder of src/ and include/unroll/ includes only itself and what is
# below it, public headers only each other and the standard library, intrinsics stay in kernels, and CLI11
# in one file of app.
# Prints file:line for each breach and exits 1.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

rules=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_includes.awk
cd -- "$1"
find include/unroll src -type f \( -name '*.h' -o -name '*.cpp' \) -print0 | sort -z |
  xargs -0 awk -f "$rules" || exit 1
