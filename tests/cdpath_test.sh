#!/usr/bin/env bash
# cdpath_test.sh ROOT: with CDPATH in the environment, as some shells have it, `cd` goes elsewhere and
# prints where. Each script of ours is run by a relative path from above a copy of the tree, with a
# decoy of the same name on CDPATH.
set -euo pipefail
unset CDPATH

root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
  printf '%s\n' "$*"
  failures=$((failures + 1))
}

# Every script that changes its folder says what CDPATH is before it does.
while IFS= read -r -d '' script; do
  [[ $(head -c 2 "$script") == '#!' ]] || continue
  grep -qE '(^|[;&(]|\bthen|\bdo)[[:space:]]*cd[[:space:]]' "$script" || continue
  first_cd=$(grep -nE '(^|[;&(]|\bthen|\bdo)[[:space:]]*cd[[:space:]]' "$script" | head -n 1)
  unset_line=$(grep -nE '^unset CDPATH' "$script" | head -n 1) || true
  [[ -n $unset_line && ${unset_line%%:*} -lt ${first_cd%%:*} ]] ||
    fail "${script#"$root"/} has cd without: unset CDPATH"
done < <(find "$root" \( -name build -o -name .git \) -prune -o -type f \
  \( -name '*.sh' -o -name dev -o -path '*/.ci/*' \) -print0)

tree=$scratch/work/tree
mkdir -p "$tree" "$scratch/decoys/tree" "$scratch/bin"
cp -r "$root/dev" "$root/.ci" "$root/scripts" "$tree"
mkdir -p "$tree/tests" "$tree/src/signature" "$tree/include/unroll"
cp "$root"/tests/check_includes* "$tree/tests"
cp "$root/src/signature/expected.h" "$tree/src/signature"
cp -r "$tree" "$scratch/decoys"
# Programs that say where they were called.
for name in cmake cpack clang-format clang-tidy apt-get sudo git; do
  printf '#!/bin/sh\necho "%s in $PWD" >&2\n' "$name" >"$scratch/bin/$name"
done
printf '#!/bin/sh\necho install ok installed\n' >"$scratch/bin/dpkg-query"
chmod +x "$scratch"/bin/*

# says PART COMMAND...: what the command prints, run beside the tree, has PART and no decoy.
says() {
  local said part=$1
  shift
  said=$(cd "$scratch/work" && PATH=$scratch/bin:$PATH CDPATH=$scratch/decoys "$@" 2>&1) || true
  [[ $said == *"$part"* && $said != *decoys* ]] ||
    fail "$* with CDPATH; expected to be in $part, said: ${said:0:300}"
}

says "cmake in $tree" bash tree/dev build
says "cpack in $tree/build/release" bash -c 'mkdir -p tree/build/release && bash tree/dev package'
says "git in $tree" bash tree/dev format
says "clang-tidy in $tree" bash tree/dev tidy
says "$tree/build/fuzz" bash -x tree/scripts/fuzz.sh 1 none
# A program that finds one hash: it must get into this tree's header.
printf '#!/bin/sh\necho '"'"'{"revision":4,"models":{"rnn_relu":"0123456789abcdef"}}'"'"'\n' \
  >"$scratch/bin/signs"
chmod +x "$scratch/bin/signs"
says "src/signature/expected.h: 1 hashes" bash tree/scripts/expected_signature.sh "$scratch/bin/signs"
grep -q 0123456789abcdef "$tree/src/signature/expected.h" || fail "the header of the decoy was written"
printf '#include "app/x.h"\n' >"$tree/src/core_file.cpp"
mkdir -p "$tree/src/core" && mv "$tree/src/core_file.cpp" "$tree/src/core/x.cpp"
says "src/core/x.cpp:1" bash tree/tests/check_includes.sh tree
printf '#!/bin/sh\necho "dev $* in $PWD"\n' >"$tree/dev"
says "dev format --check in $tree" bash tree/.ci/run

((failures == 0)) && echo "all right"
