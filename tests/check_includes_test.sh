#!/usr/bin/env bash
# The check of include directions must find each kind of breach, and nothing in a tree without one.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# expect BREACH FILE INCLUDES...: in a tree of FILE alone, whose lines are INCLUDES, the check says
# exactly BREACH; an empty one means that it passes.
expect() {
  local breach=$1 file=$2 said status=0
  shift 2
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/src" "$tree/include/unroll" "$tree/$(dirname "$file")"
  printf '#include %s\n' "$@" >"$tree/$file"
  said=$("$check" "$tree") || status=$?
  if [[ $said != "$breach" || $status -ne $([[ -z $breach ]] && echo 0 || echo 1) ]]; then
    printf '%s with %s\n  expected: %s\n  said (%d): %s\n' \
      "$file" "$*" "$breach" "$status" "$said"
    failures=$((failures + 1))
  fi
}

expect '' src/nn/a.cpp '"unroll/nn/a.h"' '"nn/b.h"' '"autograd/tape.h"' '"core/file.h"' \
  '<vector>' '<fmt/format.h>' '<sys/stat.h>'
expect '' src/data/a.cpp '"unroll/data/a.h"' '"autograd/b.h"' '"unroll/tensor/tensor.h"'
expect '' src/c/c.cpp '"unroll/c.h"' '"unroll/infer/model.h"'
expect '' include/unroll/nn/a.h '<cstdint>' '"unroll/nn/b.h"' '"unroll/tensor/tensor.h"'
expect '' include/unroll/unroll.h '"unroll/train/trainer.h"' '"unroll/core/error.h"'
expect '' src/kernels/a.cpp '<immintrin.h>' '"hwy/highway.h"' '"kernels/b-inl.h"'

expect 'src/nn/a.cpp:2: nn may not include optim' src/nn/a.cpp '<vector>' '"optim/sgd.h"'
expect 'src/data/a.cpp:1: data may not include nn' src/data/a.cpp '"nn/b.h"'
expect 'src/infer/a.cpp:1: infer may not include c' src/infer/a.cpp '"unroll/c.h"'
expect 'src/optim/a.cpp:1: optim may not include nn' src/optim/a.cpp '"unroll/nn/rnn.h"'
expect 'src/core/a.h:1: core may not include kernels' src/core/a.h '<kernels/a.h>'
expect 'src/infer/a.cpp:1: infer may not include tensor' src/infer/a.cpp '"tensor/a.h" // why'
expect 'src/core/a.h:1: core may not include .' src/core/a.h '"unroll/unroll.h"'
expect 'src/misc/a.cpp:1: misc has no place in the order of folders' src/misc/a.cpp '<vector>'
expect 'src/nn/a.cpp:1: includes start at include/ or src/: not "../optim/a.h"' \
  src/nn/a.cpp '"../optim/a.h"'
expect 'src/core/a.cpp:1: only src/kernels may include <immintrin.h>' \
  src/core/a.cpp '<immintrin.h>'
expect '' src/app/arguments.cpp '"app/arguments.h"' '<CLI/CLI.hpp>'
expect 'src/app/command.cpp:1: CLI11 is slow to compile: flags are declared to app/command.h' \
  src/app/command.cpp '<CLI/CLI.hpp>'
expect 'include/unroll/io/a.h:1: public headers may not include fmt/format.h' \
  include/unroll/io/a.h '<fmt/format.h>'
expect 'include/unroll/io/a.h:1: public headers may not include math.h' \
  include/unroll/io/a.h '<math.h>'
expect 'include/unroll/io/a.h:1: public headers may not include the private core/file.h' \
  include/unroll/io/a.h '"core/file.h"'

exit $((failures > 0))
