#!/usr/bin/env bash
# run.sh CASE: one look at the installed tree, as other projects see it. From the environment: SOURCE
# and BUILD, the folders; WORK, a folder for this; SHARED, whether shared libraries were built; CC, CXX
# and CMAKE.
set -euo pipefail
export CC CXX
export LC_ALL=C
unset CDPATH  # with it, cd goes elsewhere and says so

fail() {
  echo "$*" >&2
  exit 1
}

skip() {
  printf 'install: Skipped\n%s\n' "$*"  # GoogleTest's words, for scripts/test_summary.awk
  exit 0
}

# consume TREE NAME: the consumer project built against TREE with find_package, and run.
consume() {
  rm -rf "${WORK:?}/$2"
  "$CMAKE" -S "$SOURCE/tests/install/consumer" -B "$WORK/$2" -DCMAKE_PREFIX_PATH="$1" \
    -DUNROLL_SOURCE="$SOURCE" "${@:3}"
  "$CMAKE" --build "$WORK/$2"
  for program in runs_in_c streams trains; do
    if [[ -x $WORK/$2/$program ]]; then (cd -- "$WORK/$2" && "./$program"); fi
  done
}

# consume_by_pkg_config TREE LIBRARIES...: the same programs by hand.
consume_by_pkg_config() {
  local tree=$1 lib flags
  lib=$(dirname "$(find "$tree" -name unroll_infer.pc)")
  mkdir -p "$WORK/by_hand"
  cd -- "$WORK/by_hand"
  for module in "${@:2}"; do
    flags=$(PKG_CONFIG_PATH=$lib pkg-config --cflags --libs "$module")
    [[ $flags == *"$tree"* ]] || fail "pkg-config points elsewhere: $flags"
    case $module in
      unroll_infer)
        # shellcheck disable=SC2086
        # The test itself needs libm.
        "$CC" "$SOURCE/tests/c/c_test.c" $flags -lm -o runs_in_c
        LD_LIBRARY_PATH=$lib/.. ./runs_in_c
        ;;
      unroll)
        # shellcheck disable=SC2086
        "$CXX" -std=c++20 "$SOURCE/tests/install/consumer/trains.cpp" $flags -o trains
        LD_LIBRARY_PATH=$lib/.. ./trains
        ;;
    esac
  done
}

# consume_static TREE: a program with libunroll_infer.a, though the shared library is beside it.
consume_static() {
  local tree=$1 lib flags
  lib=$(dirname "$(find "$tree" -name unroll_infer.pc)")
  mkdir -p "$WORK/static_by_hand"
  cd -- "$WORK/static_by_hand"
  flags=$(PKG_CONFIG_PATH=$lib pkg-config --static --cflags --libs unroll_infer)
  # shellcheck disable=SC2086
  "$CC" "$SOURCE/tests/c/c_test.c" ${flags/-lunroll_infer/-l:libunroll_infer.a} -lm -o runs_in_c
  ! objdump -p runs_in_c | grep 'NEEDED.*unroll' || fail "the shared library was linked"
  ./runs_in_c
}

# check_links FOLDER: links of its pages lead to files.
check_links() {
  local page link count=0
  while IFS= read -r page; do
    while IFS= read -r link; do
      count=$((count + 1))
      [[ -e $(dirname "$page")/$link ]] || fail "$page has a link to $link, which is not installed"
    done < <(tr '\n' ' ' <"$page" | grep -oE '\]\([A-Za-z0-9_-]*[./][A-Za-z0-9_./-]*[#)]' |
      sed 's/^](//; s/[#)]$//')
  done < <(find "$1" -name '*.md')
  ((count > 10)) || fail "$1 has $count links"
}

# dpkg_in_root ARGUMENTS...: dpkg with a copy of this system's database, so that dependencies are looked
# at, and the folder $WORK/root, so that nothing is installed here.
dpkg_in_root() {
  local root=()
  ((EUID == 0)) || root=(fakeroot)
  PATH=$PATH:/usr/sbin:/sbin "${root[@]}" dpkg --instdir="$WORK/root" --admindir="$WORK/admin" \
    --log="$WORK/dpkg.log" --path-include='/*' --force-not-root --no-triggers "$@"
}

# library NAME LIMIT: what a shared library weighs and shows.
library() {
  local file size headers
  file=$(find "$WORK/tree" -name "lib$1.so.*.*.*")
  strip -o "$WORK/stripped" "$file"
  size=$(stat -c %s "$WORK/stripped")
  echo "$1: $size bytes stripped, needs$(objdump -p "$file" | awk '/NEEDED/ { printf " " $2 }')"
  ((size < $2)) || fail "expected less than $2"
  nm -DC --defined-only "$file" | cut -c 20- >"$WORK/$1.symbols"
  echo "$(wc -l <"$WORK/$1.symbols") symbols"
  mapfile -t headers < <(find "$SOURCE/include/unroll" -name '*.h')
  awk -f "$SOURCE/tests/install/check_symbols.awk" "${headers[@]}" "$WORK/$1.symbols" ||
    fail "lib$1 shows what is not public"
  # Every function of the C header is there.
  grep -oE '\bunroll_[a-z_]+\(' "$SOURCE/include/unroll/c.h" | tr -d '(' | sort -u |
    grep -vxFf "$WORK/$1.symbols" && fail "lib$1 lacks these" || true
}

# find_package HOW...: what a project's CMake says to find_package(unroll HOW).
find_package() {
  rm -rf "${WORK:?}/components"
  "$CMAKE" -S "$SOURCE/tests/install/components" -B "$WORK/components" \
    -DCMAKE_PREFIX_PATH="$WORK/tree" -DHOW="${1// /;}" 2>&1
}

# Sets CMAKE to one of version 3.22, of Ubuntu 22.04, which PyPI has.
use_cmake_3_22() {
  local venv=$BUILD/cmake-3.22-venv
  if [[ ! -x $venv/bin/cmake ]]; then
    python3 -m venv "$venv" >"$WORK/pip" 2>&1 &&
      "$venv/bin/python" -m pip install -q --disable-pip-version-check --retries 1 --timeout 20 \
        'cmake==3.22.*' >>"$WORK/pip" 2>&1 || skip "no CMake 3.22: $(tail -n 1 "$WORK/pip")"
  fi
  CMAKE=$venv/bin/cmake
  "$CMAKE" --version | grep -F 'version 3.22.'
}

no_library() {
  ! objdump -p "$(find "$WORK/tree" -name "lib$1.so")" | grep NEEDED | grep -E "$2" || fail "$1 needs these"
}

case $1 in
  tree)
    rm -rf "${WORK:?}"
    mkdir -p "$WORK"
    "$CMAKE" --install "$BUILD" --prefix "$WORK/tree" >"$WORK/log"
    for file in bin/unroll include/unroll/c.h include/unroll/unroll.h share/man/man1/unroll.1.gz \
      share/bash-completion/completions/unroll share/zsh/vendor-completions/_unroll \
      share/fish/vendor_completions.d/unroll.fish; do
      [[ -s $WORK/tree/$file ]] || fail "not installed: $file"
    done
    "$WORK/tree/bin/unroll" --version
    ;;
  cmake) consume "$WORK/tree" consumer ;;
  pkg_config) consume_by_pkg_config "$WORK/tree" unroll_infer unroll ;;
  moved)
    rm -rf "$WORK/else where" "$WORK/elsewhere"
    mv "$WORK/tree" "$WORK/else where"
    trap 'mv "$WORK/else where" "$WORK/tree"' EXIT
    consume "$WORK/else where" consumer_moved
    cp -a "$WORK/else where" "$WORK/elsewhere"
    consume_by_pkg_config "$WORK/elsewhere" unroll_infer unroll
    ;;
  libraries)
    [[ $SHARED == ON ]] || skip "no shared libraries were built"
    library unroll_infer "$LARGEST_INFER"
    library unroll 3300000
    no_library unroll_infer 'curl|ssl|crypto|deflate|libz|gtest'
    no_library unroll 'curl|ssl|gtest'
    ;;
  subproject)
    # All of it is configured, what runs models is built, and then installed as a static library.
    rm -rf "${WORK:?}/whole" "$WORK/subproject" "$WORK/static"
    "$CMAKE" -S "$SOURCE/tests/install/subproject" -B "$WORK/whole" -DUNROLL_SOURCE="$SOURCE"
    "$CMAKE" -S "$SOURCE/tests/install/subproject" -B "$WORK/subproject" \
      -DUNROLL_SOURCE="$SOURCE" -DUNROLL_INFER_ONLY=ON -DUNROLL_INSTALL=ON -DCMAKE_BUILD_TYPE=Debug
    "$CMAKE" --build "$WORK/subproject" -j 2
    "$WORK/subproject/runs_in_c"
    "$CMAKE" --install "$WORK/subproject" --prefix "$WORK/static"
    consume "$WORK/static" consumer_static -DINFER_ONLY=ON
    consume_by_pkg_config "$WORK/static" unroll_infer
    ;;
  trial15_c_only)
    # The static tree of `subproject`.
    rm -rf "${WORK:?}/c_only"
    "$CMAKE" -S "$SOURCE/tests/install/c_only" -B "$WORK/c_only" \
      -DCMAKE_PREFIX_PATH="$WORK/static" -DUNROLL_SOURCE="$SOURCE"
    "$CMAKE" --build "$WORK/c_only"
    (cd -- "$WORK/c_only" && ./runs_in_c)
    flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$WORK/static" -name unroll_infer.pc)") \
      pkg-config --cflags --libs unroll_infer)
    # shellcheck disable=SC2086
    "$CC" "$SOURCE/tests/c/c_test.c" $flags -o "$WORK/c_only/by_pkg_config"
    (cd -- "$WORK/c_only" && ./by_pkg_config)
    ;;
  trial15_components)
    said=$(find_package 'REQUIRED COMPONENTS train') && fail "train was found: $said"
    [[ $said == *"no component train here; installed: infer and unroll"* ]] || fail "$said"
    said=$(find_package 'REQUIRED COMPONENTS infer train learn') && fail "train was found: $said"
    [[ $said == *"no component train, learn here"* ]] || fail "$said"
    said=$(find_package 'COMPONENTS train') || fail "not required, and yet: $said"
    [[ $said == *"no component train here"*"found: 0"* ||
      $said == *"no component train here"*"found: FALSE"* ]] || fail "$said"
    said=$(find_package 'REQUIRED COMPONENTS infer OPTIONAL_COMPONENTS train') || fail "$said"
    [[ $said == *"found: 1, train: , infer: TRUE"* ]] || fail "$said"
    said=$(find_package 'REQUIRED') || fail "$said"
    [[ $said == *"found: 1, train: , infer: TRUE"* ]] || fail "$said"
    ;;
  trial15_cmake_3_22)
    use_cmake_3_22
    consume "$WORK/tree" consumer_3_22
    # The static tree of `subproject`.
    consume "$WORK/static" consumer_static_3_22 -DINFER_ONLY=ON
    said=$(find_package 'REQUIRED COMPONENTS train') && fail "train was found: $said"
    [[ $said == *"no component train here"* ]] || fail "$said"
    ;;
  manual)
    command -v man >/dev/null || skip "no man"
    MANWIDTH=100 man --warnings --local-file "$WORK/tree/share/man/man1/unroll.1.gz" \
      >"$WORK/manual" 2>"$WORK/warnings"
    [[ ! -s $WORK/warnings ]] || fail "$(cat "$WORK/warnings")"
    # All commands that --help lists.
    "$WORK/tree/bin/unroll" --help | sed -n '/commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$WORK/commands"
    (($(wc -l <"$WORK/commands") >= 7)) || fail "no commands in --help"
    while read -r command; do
      grep -q "unroll $command" "$WORK/manual" || fail "not in the man page: $command"
    done <"$WORK/commands"
    ;;
  bash)
    # What bash offers behind these words.
    offers() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
      _unroll
      echo "${COMPREPLY[*]}"
    }
    # shellcheck disable=SC1091
    source "$WORK/tree/share/bash-completion/completions/unroll"
    [[ $(offers unroll tra) == train ]] || fail "tra: $(offers unroll tra)"
    for command in train predict inspect data; do
      [[ " $(offers unroll '') " == *" $command "* ]] || fail "commands: $(offers unroll '')"
    done
    [[ $(offers unroll train mnist --weight-de) == --weight-decay ]] || fail "flags of train"
    [[ $(offers unroll data fet) == fetch ]] || fail "commands of data"
    [[ " $(offers unroll data fetch --) " == *" --data-dir "* ]] || fail "flags of data fetch"
    # Values: choices, data sets, folders, files; and nothing for a number.
    cd -- "$WORK/tree"
    [[ $(offers unroll train --optimizer ada) == 'adam adamw adagrad' ]] || fail "optimizers"
    [[ $(offers unroll train --optimizer = mu) == muon ]] || fail "--optimizer=mu"
    [[ $(offers unroll train --recipe '') == 'tuned sprint tutorial' ]] || fail "recipes"
    [[ $(offers unroll train --lr 0.1 --json fash) == fashion-mnist ]] || fail "data sets of train"
    [[ $(offers unroll eval bi) == bin ]] || fail "models are paths: $(offers unroll eval bi)"
    [[ $(offers unroll eval run kmn) == kmnist ]] || fail "data sets of eval"
    [[ $(offers unroll export run --format '') == 'onnx npz cpp js' ]] || fail "formats"
    [[ $(offers unroll import --check a b --ar) == --arch ]] || fail "two values"
    [[ $(offers unroll completion '') == 'bash zsh fish' ]] || fail "shells"
    [[ $(offers unroll help verif) == verify ]] || fail "help of commands"
    [[ $(offers unroll train --out bi) == bin ]] || fail "folders: $(offers unroll train --out bi)"
    [[ -z $(offers unroll train --out bin/un) ]] || fail "a file is no folder"
    [[ $(offers unroll train --config bin/un) == bin/unroll ]] || fail "files"
    [[ -z $(offers unroll train --epochs '') ]] || fail "numbers: $(offers unroll train --epochs '')"
    ;;
  zsh)
    command -v zsh >/dev/null || skip "no zsh"
    # What zsh offers behind these words. Functions take the place of zsh's own, and print.
    # shellcheck disable=SC2016  # zsh expands it
    offers() {
      zsh -f -c '
        compdef() { }
        source "$1"
        _describe() { print -r -- ${${(P)@[-1]}%%:*} }
        compadd() { print -r -- ${(P)2} }
        compset() { PREFIX=${PREFIX#*=} }
        _files() { print -r -- files "$@" }
        words=("${@:2}") CURRENT=$#words PREFIX=$words[-1]
        _unroll' zsh "$WORK/tree/share/zsh/vendor-completions/_unroll" "$@"
    }
    [[ " $(offers unroll tra) " == *' train '*' verify '* ]] || fail "commands: $(offers unroll tra)"
    [[ " $(offers unroll train mnist --we) " == *' --weight-decay '* ]] || fail "flags of train"
    [[ $(offers unroll data '') == *fetch* ]] || fail "commands of data"
    [[ $(offers unroll train --optimizer ad) == 'sgd adam '* ]] || fail "optimizers"
    [[ $(offers unroll train --optimizer=ad) == 'sgd adam '* ]] || fail "--optimizer=ad"
    [[ $(offers unroll export run --format '') == 'onnx npz cpp js' ]] || fail "formats"
    [[ $(offers unroll eval run '') == mnist*files ]] || fail "data sets of eval"
    [[ $(offers unroll train --config '') == files ]] || fail "files"
    [[ -z $(offers unroll train --epochs '') ]] || fail "numbers: $(offers unroll train --epochs '')"
    ;;
  fish)
    command -v fish >/dev/null || skip "no fish"
    # What fish offers behind this text, without the descriptions.
    offers() {
      fish --no-config -c "source $WORK/tree/share/fish/vendor_completions.d/unroll.fish
                           complete -C '$1'" | cut -f 1 | xargs
    }
    cd -- "$WORK/tree"
    [[ $(offers 'unroll tra') == train ]] || fail "commands: $(offers 'unroll tra')"
    [[ $(offers 'unroll data f') == fetch ]] || fail "commands of data: $(offers 'unroll data f')"
    [[ $(offers 'unroll train --weight-de') == --weight-decay ]] || fail "flags of train"
    [[ $(offers 'unroll train --optimizer mu') == muon ]] || fail "optimizers"
    [[ $(offers 'unroll eval run kmn') == kmnist ]] || fail "data sets of eval"
    [[ $(offers 'unroll completion b') == bash ]] || fail "shells: $(offers 'unroll completion b')"
    [[ $(offers 'unroll train --out b') == bin/ ]] || fail "folders: $(offers 'unroll train --out b')"
    [[ $(offers 'unroll train --config bin/un') == bin/unroll ]] || fail "files"
    [[ -z $(offers 'unroll train --epochs b') ]] || fail "numbers"
    ;;
  libdir)
    # Where libraries go, as configured. $1: what find_package's file is below.
    libdir() {
      rm -rf "${WORK:?}/libdir"
      "$CMAKE" -S "$SOURCE" -B "$WORK/libdir" -DUNROLL_INFER_ONLY=ON "${@:2}" >"$WORK/libdir.log"
      grep -qF "{CMAKE_INSTALL_PREFIX}/$1/cmake/unroll\"" "$WORK/libdir/cmake_install.cmake" ||
        fail "not in $1: $(grep cmake/unroll "$WORK/libdir/cmake_install.cmake" | head -n 1)"
    }
    libdir lib -DCMAKE_INSTALL_LIBDIR=lib
    libdir lib64 -DCMAKE_INSTALL_LIBDIR=lib64
    command -v dpkg-architecture >/dev/null || skip "no dpkg-architecture"
    libdir "lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)"
    ;;
  packages)
    [[ $SHARED == ON ]] || skip "packages have shared libraries, and none were built"
    command -v dpkg-shlibdeps >/dev/null || skip "no dpkg-shlibdeps"
    rm -rf "${WORK:?}/deb"
    mkdir -p "$WORK/deb"
    cd -- "$WORK/deb"
    (umask 022 && "$(dirname "$CMAKE")/cpack" -G DEB --config "$BUILD/CPackConfig.cmake" -B "$WORK/deb") \
      >log 2>&1 || fail "$(cat log)"
    for file in *.deb; do
      package=${file%%_*}
      dpkg-deb --field "$file" | tee "$package.control"
      dpkg-deb --contents "$file" >"$package.files"
      dpkg-deb --control "$file" "$package.scripts"
      # Owner and permissions: everybody may read all, and only root may write.
      ! awk '$2 != "root/root" || $1 !~ /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx)$/' \
        "$package.files" | grep . || fail "$package: owner or permissions"
      for name in copyright changelog.gz changelog.Debian.gz; do
        grep -q "/usr/share/doc/$package/$name$" "$package.files" || fail "$package has no $name"
      done
      for script in preinst postinst prerm postrm; do
        [[ ! -e $package.scripts/$script ]] || fail "$package has a $script"
      done
    done
    library=$(echo libunroll[0-9]*.control)
    library=${library%.control}
    version=$(dpkg-deb --field unroll_*.deb Version)
    [[ $(echo *.deb) == "libunroll-dev_$version"*" ${library}_$version"*" unroll_$version"* ]] ||
      fail "other packages: $(echo *.deb)"
    for needed in libc6 libfmt libstdc++6 libssl libdeflate libzip zlib1g; do
      for package in unroll "$library"; do
        grep -qE "^Depends:.*\\b${needed//+/\\+}" "$package.control" ||
          fail "$package does not depend on $needed"
      done
    done
    for needed in libpng libisal; do
      grep -qE "^Depends:.*\\b$needed" unroll.control || fail "unroll does not depend on $needed"
    done
    ! grep -E '^Depends:.*(-dev|gtest|curl|unroll)' unroll.control "$library.control" ||
      fail "depends on more than it runs with"
    grep -qxF "Depends: $library (= $version)" libunroll-dev.control || fail "dev needs another library"
    # Libraries of several architectures are installed beside each other.
    triplet=$(dpkg-architecture -q DEB_HOST_MULTIARCH)
    ! cat ./*.files | grep -E '\.(so|so\.[0-9.]+|a|pc|cmake)$' | grep -v " \./usr/lib/$triplet/" ||
      fail "not in /usr/lib/$triplet. An old build folder? cmake -U CMAKE_INSTALL_LIBDIR $BUILD"
    (($(cat ./*.files | grep -c " \./usr/lib/$triplet/lib") == 8)) || fail "other libraries"
    # Who has what.
    grep -q '/usr/bin/unroll$' unroll.files || fail "no program"
    ! grep -E '/usr/(lib|include)' unroll.files || fail "the program's package has more"
    (($(grep -cE '^-.*\.so\.[0-9.]+$' "$library.files") == 2)) || fail "other shared libraries"
    ! grep -E '/usr/(bin|include)|\.(so|a|pc|cmake)$' "$library.files" || fail "the library has more"
    for name in libunroll.so libunroll_infer.so libunroll.a libunroll_infer.a unroll_infer.pc \
      unroll.pc unroll-config.cmake include/unroll/c.h examples/CMakeLists.txt README.md; do
      grep -qE "/$name( ->.*)?$" libunroll-dev.files || fail "libunroll-dev has no $name"
    done
    cat "$library.scripts/shlibs"
    (($(grep -cE "^libunroll(_infer)? [0-9.]+ $library \\(>=" "$library.scripts/shlibs") == 2)) ||
      fail "shlibs: $(cat "$library.scripts/shlibs")"
    grep -qx 'activate-noawait ldconfig' "$library.scripts/triggers" || fail "ldconfig isn't run"
    ;;
  lintian)
    [[ $SHARED == ON ]] || skip "no packages were built"
    command -v lintian >/dev/null || skip "no lintian"
    lintian --allow-root --fail-on error,warning "$WORK"/deb/*.deb
    ;;
  dpkg)
    [[ $SHARED == ON ]] || skip "no packages were built"
    ((EUID == 0)) || command -v fakeroot >/dev/null || skip "neither root nor fakeroot"
    rm -rf "${WORK:?}/root" "$WORK/admin"
    mkdir -p "$WORK/root" "$WORK/admin/updates" "$WORK/admin/triggers"
    cp -r /var/lib/dpkg/status /var/lib/dpkg/info "$WORK/admin"  # the locks are root's
    dpkg_in_root --install "$WORK"/deb/*.deb
    usr=$WORK/root/usr
    "$usr/bin/unroll" --version
    gzip -t "$usr/share/man/man1/unroll.1.gz"
    consume "$usr" consumer_package
    consume_by_pkg_config "$usr" unroll_infer unroll
    consume_static "$usr"
    "$CMAKE" -S "$usr/share/doc/libunroll-dev/examples" -B "$WORK/examples" \
      -DCMAKE_PREFIX_PATH="$usr"
    "$CMAKE" --build "$WORK/examples" --target custom_cell
    "$WORK/examples/custom_cell"
    # /lib as a link to /usr/lib, where CMake may look first.
    ln -s usr/lib "$WORK/root/lib"
    consume "$WORK/root" consumer_merged -Dunroll_DIR="$(dirname "$(find "$WORK/root/lib/" \
      -name unroll-config.cmake)")" -DINFER_ONLY=ON
    rm "$WORK/root/lib"
    for package in unroll libunroll-dev; do
      check_links "$usr/share/doc/$package"
      for name in Highway CLI11 protozero nlohmann; do
        grep -qi "$name" "$usr/share/doc/$package/copyright" || fail "copyright lacks $name's"
      done
    done
    [[ $(zcat "$usr/share/doc/unroll/changelog.gz" | head -n 1) == "# Changelog" ]] ||
      fail "another changelog"
    mapfile -t packages < <(cd -- "$WORK/deb" && printf '%s\n' *.deb | sed 's/_.*//')
    dpkg_in_root --purge "${packages[@]}"
    left=$(find "$WORK/root" ! -type d)
    [[ -z $left ]] || fail "left behind: $left"
    ;;
  *) fail "no case $1" ;;
esac
