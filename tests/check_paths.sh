#!/usr/bin/env bash
# check_paths.sh ROOT: every file or folder that a page of documentation names in backticks, or links
# to, exists. Source files may be named from src/ or include/ on: `train/config.h`. Names with
# placeholders (NAME) and other characters than a path's are skipped. CHANGELOG.md is left out, because
# it names files of the past. src/README.md has a section for each folder of src/; the tables there name
# all files of the folder, without their endings. Prints what is missing or too much and exits 1.
set -euo pipefail
unset CDPATH
export LC_ALL=C
cd -- "$1"
status=0
find . -name '*.md' -not -path './build/*' -not -path './.git/*' -not -name CHANGELOG.md -print0 |
  sort -z | xargs -0 awk '
  # The folder of the page, for links.
  FNR == 1 { folder = FILENAME; sub("[^/]*$", "", folder); fenced = 0 }
  /^ *```/ { fenced = !fenced }
  fenced || /^    / { next }
  function missing(path, from) {
    return system("test -e \"" from path "\"") != 0
  }
  function report(path) {
    print substr(FILENAME, 3) ":" FNR ": there is no " path
    failed = 1
  }
  {
    rest = $0
    while (match(rest, /`[^`]*`/)) {
      path = substr(rest, RSTART + 1, RLENGTH - 2)
      rest = substr(rest, RSTART + RLENGTH)
      if (path !~ /^[A-Za-z0-9_.\/-]+\/[A-Za-z0-9_.-]*[a-z0-9_-]\/?$/ && path !~ /^[a-z_]+\/$/) continue
      if (path ~ /NAME|^\/|^\.\.|^build\//) continue
      # A path of the tree has an ending, or starts with one of its folders.
      if (path !~ /\.(cpp|h|md|py|sh|awk|cmake|inc|txt)$/ &&
          path !~ /^(bench|cmake|docs|examples|include|scripts|src|tests)\//) continue
      if (missing(path, "") && missing(path, "src/") && missing(path, "include/") &&
          missing(path, "include/unroll/")) report(path)
    }
    rest = $0
    while (match(rest, /\]\([^)#]+/)) {
      path = substr(rest, RSTART + 2, RLENGTH - 2)
      rest = substr(rest, RSTART + RLENGTH)
      if (path !~ /^[a-z]+:/ && missing(path, folder)) report(path)
    }
  }
  END { exit failed }
' || status=1

breaches=$(comm -3 \
  <(find src -mindepth 2 -maxdepth 2 '(' -name '*.h' -o -name '*.cpp' ')' |
    sed 's/\.[a-z]*$//' | sort -u) \
  <(awk -F'|' '/^## / { folder = substr($0, 4) }
    /^\| `/ { gsub(/[`,]/, "", $2); n = split($2, name, " ")
              for (i = 1; i <= n; i++) print "src/" folder "/" name[i] }' src/README.md | sort) |
  sed 's/^\t/src\/README.md lists what is not there: /; t; s/^/src\/README.md does not list /')
if [[ -n $breaches ]]; then
  echo "$breaches"
  status=1
fi
exit "$status"
