#!/usr/bin/env bash
# sentences.sh UNROLL [PAGE...]: prints the longest sentence, and its number of words, of each page and of
# the help of ./dev and of each command of the program UNROLL. Fails if a sentence on a page has more than 25
# words, or one of the help more than 15. Default: all .md files of the tree. `-` for UNROLL: no help.
set -euo pipefail
unset CDPATH  # with it, cd goes elsewhere and says so

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
unroll=$1
shift
status=0

# longest FORMAT LIMIT NAME: of the text on stdin.
longest() {
  awk -v format="$1" -v limit="$2" -v name="$3" -f "$root/scripts/sentences.awk" || status=1
}

if (($# == 0)); then
  mapfile -t pages < <(find "$root" -name '*.md' -not -path "$root/build/*" | sort)
  set -- "${pages[@]}"
fi
for page; do longest markdown 25 "${page#"$root"/}" <"$page"; done

if [[ $unroll != - ]]; then
  # Through variables, so that a program that fails ends this script.
  text=$("$root/dev" help)
  longest help 15 "./dev help" <<<"$text"
  text=$("$unroll" --help)
  longest help 15 "unroll --help" <<<"$text"
  manual=$("$unroll" manual)
  # The man page has a section for each command, such as .SS \fBunroll data fetch\fR.
  while read -r command; do
    # shellcheck disable=SC2086  # a command may be two words
    text=$("$unroll" $command --help)
    longest help 15 "unroll $command --help" <<<"$text"
  done < <(sed -nE 's/^\.SS \\fBunroll ([a-z ]+)\\fR.*/\1/p' <<<"$manual")
fi
exit "$status"
