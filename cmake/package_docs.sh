#!/usr/bin/env bash
# package_docs.sh OUT LIBRARY_PACKAGE VERSION CONTACT: makes OUT/PACKAGE for each Debian package, its
# folder of /usr/share/doc. The program and the development files both have README and docs, because
# one can be installed without the other. The pages are not compressed, so that their links work.
set -euo pipefail
unset CDPATH
umask 022
out=$1 library=$2 version=$3 contact=$4
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# The licence, and those of libraries whose code is compiled in.
copyright() {
  local package file
  printf 'Unroll\n\n'
  cat LICENSE
  for package in libhwy-dev nlohmann-json3-dev libcli11-dev libprotozero-dev \
    libjs-chart.js; do
    file=/usr/share/doc/$package/copyright
    if [[ -f $file ]]; then
      printf '\n\nCompiled in from Debian'\''s package %s\n\n' "$package"
      cat "$file"
    fi
  done
}

# Debian's own changelog is about packaging; the project's is beside it.
debian_changelog() {
  local released
  released=$(sed -n 's/^## \[[0-9.]*\] - //p' CHANGELOG.md | head -n 1)
  printf 'unroll (%s) UNRELEASED; urgency=medium\n\n' "$version"
  printf '  * Packages of Unroll %s. Its changes are in changelog.gz.\n\n' "${version%-*}"
  printf ' -- %s  %s\n' "$contact" "$(LC_ALL=C date --utc --date "$released" -R)"
}

# pages PACKAGE FILES...: without links to files that are not among FILES.
pages() {
  local page folder=$out/$1
  shift
  for page in "$@"; do
    mkdir -p "$folder/$(dirname "$page")"
    case $page in
      *.md) awk -v page="$page" -v pages="$*" -f cmake/package_docs.awk "$page" >"$folder/$page" ;;
      *) cp "$page" "$folder/$page" ;;
    esac
  done
}

rm -rf "$out"
for package in unroll "$library" libunroll-dev; do
  mkdir -p "$out/$package"
  copyright >"$out/$package/copyright"
  gzip -9n <CHANGELOG.md >"$out/$package/changelog.gz"
  debian_changelog | gzip -9n >"$out/$package/changelog.Debian.gz"
done
mapfile -t docs < <(find docs -type f | sort)
mapfile -t examples < <(find examples -type f | sort)
pages unroll README.md "${docs[@]}"
pages libunroll-dev README.md "${docs[@]}" "${examples[@]}"
touch "$out/made"
