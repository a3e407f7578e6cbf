#!/usr/bin/env bash
# expected_signature.sh [PROGRAM]: writes the hashes that `unroll signature` finds into
# src/signature/expected.h. Run it after you raised numerics::revision or added a model. Then build again.
# PROGRAM is build/release/unroll by default.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
header=src/signature/expected.h
program=${1:-build/release/unroll}
# Its status says whether the hashes changed, which doesn't matter here.
line=$("$program" signature --json 2>/dev/null) || [[ -n $line ]]
revision=$(sed -E 's/.*"revision":([0-9]+).*/\1/' <<<"$line")
entries=$(sed -E 's/.*"models":\{([^}]*)\}.*/\1/' <<<"$line" | tr ',' '\n' |
  sed -E 's/^"([^"]+)":"([0-9a-f]{16})"$/    {"\1", "\2"},/')
[[ $entries == *'"rnn_relu"'* ]] || { echo "no signature in what $program printed: $line" >&2 && exit 1; }

awk -v revision="$revision" -v entries="$entries" '
  /int expected_revision =/ { sub(/= [0-9]+/, "= " revision) }
  /^    \{"/ { next }
  { print }
  /Expected expected\[\] = \{/ { print entries }
' "$header" >"$header.new"
mv "$header.new" "$header"
echo "$header: $(grep -c "^    {" "$header") hashes of revision $revision; build again"
