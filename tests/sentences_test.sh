#!/usr/bin/env bash
# scripts/sentences.sh must find a sentence that is too long in every place where one can stand, and
# nothing in text without one.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect STATUS START TEXT: of a page that is TEXT the script prints a line that begins with START.
expect() {
  local said status=0
  printf '%b\n' "$3" >"$scratch/page.md"
  said=$(cd "$scratch" && "$root/scripts/sentences.sh" - page.md) || status=$?
  if [[ $said != "$2"* || $status != "$1" ]]; then
    printf 'page: %s\n  expected (%d): %s\n  said (%d): %s\n' "$3" "$1" "$2" "$status" "$said"
    failures=$((failures + 1))
  fi
}

five='one two three four five'
ten="$five $five"
twenty_five="$ten $ten $five"

expect 0 '25 page.md:1: one' "$twenty_five. Two."
expect 1 '26 page.md:2: more' "Short.\nmore $twenty_five."
expect 1 '27 page.md:2: Then more' "First\nline. Then\nmore $ten\n$ten $five"
expect 0 '25 page.md:1: one' "$twenty_five, -- !"
expect 0 '25 page.md:1: one' "$ten\n$ten $five\n\n$twenty_five"
expect 1 '26 page.md:3: more' "- $twenty_five\n- few\n- more $twenty_five\n- few"
expect 1 '26 page.md:2: more' "1. $twenty_five\n2. more\n   $twenty_five"
expect 0 '25 page.md:3: one' "| a | b |\n|---|---|\n| $twenty_five | $ten |"
expect 1 '26 page.md:3: more' "| a | b |\n|---|---|\n| $ten | more $twenty_five |"
expect 0 '25 page.md:1: [one] two' "[one](page.md#one) two three four \`a b c\` $ten $ten"
expect 0 '5 page.md:11: one' "# more $twenty_five\n\n    more $twenty_five\n\n\`\`\`\nmore $twenty_five\n\`\`\`\n\n- item\n\n$five"

# In a tree of its own, whose ./dev has the help of two words: a program whose help has a sentence of 15
# words, then one of 16.
mkdir "$scratch/scripts"
cp "$root"/scripts/sentences.* "$scratch/scripts"
printf '#!/bin/sh\necho "  build    Build all."\n' >"$scratch/dev"
chmod +x "$scratch/dev"
cat >"$scratch/unroll" <<'END'
#!/bin/sh
case "$*" in
  manual) printf '%s\n' '.SS \fBunroll data fetch\fR \fIname\fR' ;;
  --help) printf '%s\n' 'Usage: unroll COMMAND more words than fifteen are in this line but it is a usage' \
    '' 'Commands:' "  data fetch      $FIFTEEN." '' 'Example:' '  unroll data fetch mnist' \
    '' "$FIFTEEN" "More: $FIVE" ;;
  'data fetch --help') printf '%s\n' 'Flags:' "  --name NAME [x]      $FIFTEEN" \
    '  --a-very-long-name none|NAME' "                       $LAST" \
    '                       words that go on' ;;
esac
END
chmod +x "$scratch/unroll"
export FIFTEEN="$ten $five" FIVE="$five" LAST="$ten two"
expected="1 page.md:1: Short.
2 ./dev help:1: Build all.
15 unroll --help:4: $FIFTEEN.
15 unroll data fetch --help:2: $FIFTEEN"
printf 'Short.\n' >"$scratch/page.md"
said=$("$scratch/scripts/sentences.sh" "$scratch/unroll" "$scratch/page.md") || said+=" failed"
if [[ $said != "$expected" ]]; then
  printf 'help\n  expected: %s\n  said: %s\n' "$expected" "$said"
  failures=$((failures + 1))
fi
export LAST="$ten two three"
if said=$("$scratch/scripts/sentences.sh" "$scratch/unroll" "$scratch/page.md") ||
  [[ $said != *"16 unroll data fetch --help:4: $LAST words that go on"* ]]; then
  printf 'long help\n  said: %s\n' "$said"
  failures=$((failures + 1))
fi

exit $((failures > 0))
