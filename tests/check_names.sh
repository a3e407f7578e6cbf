#!/usr/bin/env bash
# check_names.sh SOURCE: the files of a folder that are compiled together (cmake/unity.cmake) share
# their anonymous namespaces. A function of the same name in two of them might be called instead of
# the file's own, without a word from the compiler. A type or a constant of the same name is an error only
# where both are in one unit, which the next new file may change. Prints such names and fails.
set -euo pipefail
unset CDPATH
cd -- "$1"
# Overloads that are meant: each for a type of its own.
meant=' work json_of PrintTo '
awk -v meant="$meant" '
  function check(name) {
    key = folder " " name
    if (key in file && file[key] != FILENAME) {
      print name " is in " file[key] " and " FILENAME ": rename one"
      failed = 1
    }
    file[key] = FILENAME
  }
  FNR == 1 { inside = 0; folder = FILENAME; sub("/[^/]*$", "", folder) }
  /^namespace {$/ { inside = 1; next }
  /^}  \/\/ namespace$/ { inside = 0 }
  !inside || /^(template|TEST|TYPED_TEST|INSTANTIATE|using|static_assert|namespace)/ { next }
  /^(struct|class|union|enum) / {
    name = $0
    sub(/^(enum class|enum|struct|class|union) /, "", name)
    sub(/[^a-zA-Z_0-9].*/, "", name)
    check(name)
    next
  }
  /^[a-zA-Z\[][^=]*\(/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ &*]/, "", name)
    if (name ~ /^[a-z_0-9]+$/ && !index(meant, " " name " ")) check(name)
    next
  }
  /^[a-zA-Z][^(]*( =|[{\[])/ {
    name = $0
    sub(/ =.*/, "", name)
    sub(/[{\[].*/, "", name)
    sub(/.*[ &*]/, "", name)
    if (name ~ /^[a-zA-Z_0-9]+$/) check(name)
  }
  END { exit failed }
' $(find src tests/unit tests/grad tests/slow tests/steady tests/export tests/support -name '*.cpp' |
  grep -vE '^src/(kernels|infer)/' | sort)
