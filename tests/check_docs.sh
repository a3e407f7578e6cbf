#!/usr/bin/env bash
# check_docs.sh ROOT: what the documentation names must exist. Prints each breach and exits 1.
# - Files and folders that a page names in backticks or links to. Source files may be named from src/ or
#   include/ on: `train/config.h`. Names with placeholders (NAME, *) are skipped, and CHANGELOG.md, which
#   names files of the past.
# - The tables of src/README.md: they list all files of each folder, without their endings, and link to
#   all files of the report's page.
# - The tests in the last column of docs/robustness.md.
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

# The files of the report's page, in subfolders, are links there.
while IFS= read -r path; do
  if ! grep -qF "](${path#src/})" src/README.md; then
    echo "src/README.md does not link to $path"
    status=1
  fi
done < <(find src/report/page -type f 2>/dev/null | sort)

# A name is a suite, a test, or the beginning of several: `Trial13Npy`, `File.ALinkStays`, `c.trial06_*`.
# Each part of it must stand in a file of tests/.
while read -r name; do
  for part in ${name//[.\/*]/ }; do
    if ! grep -rqF --include='*.cpp' --include='*.txt' --include='*.sh' -e "$part" tests; then
      echo "docs/robustness.md: there is no test $name"
      status=1
    fi
  done
done < <(awk -F'|' '/^\|/ { print $(NF - 1) }' docs/robustness.md | grep -oE '`[^`]+`' | tr -d '`' | sort -u)
exit "$status"
