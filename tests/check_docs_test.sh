#!/usr/bin/env bash
# The check of the documentation must find each kind of wrong name, and nothing else.
set -euo pipefail
unset CDPATH

check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_docs.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{docs,src/train,include/unroll/nn,tests/unit,build}
touch "$tree"/{docs/other.md,src/train/config.h,src/train/config.cpp,src/train/loss.cpp,include/unroll/nn/rnn.h}
source_page='## train\n\n| file | content |\n|---|---|\n| `config`, `loss` | settings |\n'
printf "$source_page" >"$tree/src/README.md"
robustness='| 1 | a fault | refused | `Fault01`, `Idx.Empty*` |'
echo "$robustness" >"$tree/docs/robustness.md"
echo 'TEST(Idx, EmptyFault01) {}' >"$tree/tests/unit/idx_test.cpp"
failures=0

# expect BREACH LINE: with LINE alone in docs/page.md the check says exactly BREACH.
expect() {
  local said status=0
  printf '%s\n' "$2" >"$tree/docs/page.md"
  said=$("$check" "$tree") || status=$?
  if [[ $said != "$1" || $status -ne $([[ -z $1 ]] && echo 0 || echo 1) ]]; then
    printf '%s\n  expected: %s\n  said (%d): %s\n' "$2" "$1" "$status" "$said"
    failures=$((failures + 1))
  fi
}

expect '' 'A `src/train/config.h`, `train/config.h`, `nn/rnn.h`, `tests/unit` and [page](other.md#part).'
expect '' 'No paths: `a/b`, `NAME/x.cpp`, `src/train/*.h`, `build/x.h`, `1/sqrt`, [site](https://a.b/c.md).'
expect '' '    `src/in/code.h`'
expect 'docs/page.md:1: there is no src/train/gone.h' 'See `train/config.h` and `src/train/gone.h`.'
expect 'docs/page.md:1: there is no train/gone.cpp' '| `train/gone.cpp` | `train/config.h` |'
expect 'docs/page.md:1: there is no tests/gone' 'In `tests/gone`.'
expect 'docs/page.md:1: there is no gone.md' 'See [page](gone.md#part) and [page](other.md).'

printf "${source_page/, \`loss\`/}" >"$tree/src/README.md"
expect 'src/README.md does not list src/train/loss' 'A page.'
printf "${source_page/\`loss\`/\`loss\`, \`gone\`}" >"$tree/src/README.md"
expect 'src/README.md lists what is not there: src/train/gone' 'A page.'

mkdir -p "$tree/src/report/page"
touch "$tree/src/report/page/new.js"
printf "$source_page" >"$tree/src/README.md"
expect 'src/README.md does not link to src/report/page/new.js' 'A page.'
printf "$source_page\n[new](report/page/new.js)\n" >"$tree/src/README.md"
expect '' 'A page.'
rm -r "$tree/src/report"
printf "$source_page" >"$tree/src/README.md"
echo "${robustness/Empty/Gone}" >"$tree/docs/robustness.md"
expect 'docs/robustness.md: there is no test Idx.Gone*' 'A page.'

exit $((failures > 0))
