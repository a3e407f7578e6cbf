#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: runs each fuzzer (the preset fuzz) for so many seconds. The inputs start from
# tests/fuzz/corpus and from build/fuzz/corpus, which earlier runs filled. A third of the time goes to
# inputs of up to 1 MB, which start from those of fuzz_seeds.py. Prints the executions and the lines of the
# parser that were reached. Exits 1 on a finding and keeps its input in build/fuzz/findings.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/fuzz

# Each target, and the files of its parser.
parsers='
architecture import/architecture.cpp import/guess.cpp import/words.cpp import/weight_names.cpp
config       train/config_json.cpp train/config.cpp train/setting.cpp train/settings.cpp
gzip         data/gzip.cpp
idx          data/idx.cpp
model        spec/model_json.cpp spec/features.cpp
npy          io/npy.cpp
npz          data/npz_recordings.cpp data/zip_archive.cpp
pt           import/pt_file.cpp import/pickle.cpp data/zip_archive.cpp
safetensors  io/safetensors.cpp io/safetensors_header.cpp io/to_floats.cpp spec/from_weights.cpp
metrics      run/metrics_log.cpp run/inside_json.cpp
samples      run/samples.cpp
table        data/table_reader.cpp data/table_head.cpp data/table_column.cpp data/table_value.cpp data/field_reader.cpp
tfrecord     run/tfrecord.cpp
ts           data/ts_file.cpp data/table_value.cpp'

seconds=$1
shift
wanted=" $* "
mkdir -p "$build/findings" "$build/log"
"$root/scripts/fuzz_seeds.py" "$build/large"
findings=0

# run TARGET SECONDS LONGEST LOG CORPUS SEEDS
run() {
  local target=$1 program=$build/tests/fuzz/fuzz_$1 log=$4 options=()
  mkdir -p "$5"
  if [[ -f $root/tests/fuzz/$target.dict ]]; then options=("-dict=$root/tests/fuzz/$target.dict"); fi
  # Each target limits the cost of an input itself (run_within_budget in target.cpp). These limits are for
  # endless loops and for one allocation of all memory, which the targets don't see.
  if ! LLVM_PROFILE_FILE=/dev/null "$program" "$5" "$6" -max_total_time="$2" -max_len="$3" \
    -timeout=120 -malloc_limit_mb=1100 -rss_limit_mb=3072 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$target-" "${options[@]}" 2>"$log"; then
    findings=$((findings + 1))
    echo "$target: a finding"
    grep -aE '^does not hold|ERROR:|runtime error:|SUMMARY:|Test unit written|in unroll::' "$log" || true
  fi
}

# figure NAME LOG: the highest value of a figure in libFuzzer's log, for example of "cov: 412".
figure() { grep -aoE "$1: *[0-9]+" "$2" | grep -oE '[0-9]+$' | sort -n | tail -n 1; }

# fuzz TARGET: runs it and prints its figures in one line.
fuzz() {
  local target=$1 corpus=$build/corpus/$1 log=$build/log/$1
  local large=$((seconds / 3 > 0 ? seconds / 3 : 1))
  run "$target" $((seconds > large ? seconds - large : 1)) 8192 "$log" \
    "$corpus" "$root/tests/fuzz/corpus/$target"
  run "$target" "$large" 1048576 "$log.large" "$build/corpus-large/$target" "$build/large/$target"
  printf '%-12s %9d executions, %4d edges, %5d features, %4d inputs kept; %d of large inputs\n' \
    "$target" "$(figure number_of_executed_units "$log")" "$(figure cov "$log")" \
    "$(figure ft "$log")" "$(find "$corpus" -type f | wc -l)" \
    "$(figure number_of_executed_units "$log.large")"
}

# coverage TARGET FILE...: replays all inputs and prints the lines of FILE that they reach.
coverage() {
  local target=$1 program=$build/tests/fuzz/fuzz_$1 profile=$build/log/$1.profraw
  LLVM_PROFILE_FILE=$profile "$program" -runs=0 -artifact_prefix="$build/findings/$target-" \
    "$build/corpus/$target" "$root/tests/fuzz/corpus/$target" 2>/dev/null || return 0  # told above
  llvm-profdata merge -sparse "$profile" -o "$profile.merged"
  llvm-cov report "$program" -instr-profile="$profile.merged" | awk -v wanted="${*:2}" '
    { name = $1; sub(/^.*src\//, "", name) }
    index(" " wanted " ", " " name " ") {
      printf "  %-30s %4d of %4d lines, %s\n", name, $8 - $9, $8, $10
    }'
}

# one TARGET FILE...: all of a target, printed at once when it ends. Fails on a finding.
one() {
  local report=$build/log/$1.report
  { fuzz "$1"; coverage "$@"; } >"$report"
  cat "$report"
  ((findings == 0))
}

# The targets run side by side, one a core. After Ctrl-C no further one begins.
cores=$(nproc) running=0 failed=0
finish() {
  wait -n || failed=$((failed + 1))
  running=$((running - 1))
}
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
while read -r target files; do
  if [[ -z $target || ($wanted != '  ' && $wanted != *" $target "*) ]]; then continue; fi
  if ((running == cores)); then finish; fi
  # shellcheck disable=SC2086  # a list
  one "$target" $files &
  running=$((running + 1))
done <<<"$parsers"
while ((running > 0)); do finish; done
if ((failed > 0)); then
  echo "$failed of the targets have findings; their inputs are in $build/findings"
  exit 1
fi
