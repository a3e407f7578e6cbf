# The rules of tests/check_includes.sh, over all files that it names. docs/architecture.md has the
# order of the folders.

BEGIN {
  # From the bottom, the rows of docs/folders.svg; "." is include/unroll/unroll.h, made for programs: no
  # folder of the library may include it.
  levels = split("core|kernels|io spec|infer|c|tensor|autograd|nn optim data|train signature|run|.|" \
                 "bench import export|report|app", order, "|")
  for (i = 1; i <= levels; i++) {
    folders = split(order[i], names, " ")
    for (j = 1; j <= folders; j++) level[names[j]] = i
  }
}

FNR == 1 {
  public = FILENAME ~ /^include\//
  own = folder_of(FILENAME)
  if (!(own in level)) breach(own " has no place in the order of folders")
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
  included = $0
  sub(/^[ \t]*#[ \t]*include[ \t]*/, "", included)
  quoted = included ~ /^"/
  included = substr(included, 2)
  sub(/[">].*/, "", included)

  if (included ~ /(^|\/)\.\.?\//) {
    breach("includes start at include/ or src/: not \"" included "\"")
  } else if (is_intrinsics(included)) {
    if (public || own != "kernels") breach("only src/kernels may include <" included ">")
  } else if (included == "CLI/CLI.hpp" && FILENAME != "src/app/arguments.cpp") {
    breach("CLI11 is slow to compile: flags are declared to app/command.h")
  } else if (!is_own(included)) {
    # The C header includes C's own.
    if (public && (quoted || included ~ /[\/.]/) && !(FILENAME ~ /\/c\.h$/ && included == "stddef.h")) {
      breach("public headers may not include " included)
    }
  } else if (public && included !~ /^unroll\//) {
    breach("public headers may not include the private " included)
  } else {
    theirs = folder_of(included)
    if (theirs != own && level[theirs] >= level[own]) breach(own " may not include " theirs)
  }
}

# "src/nn/rnn.h", "include/unroll/nn/rnn.h", "unroll/nn/rnn.h" and "nn/rnn.h" are all in nn.
function folder_of(path) {
  sub(/^(src|include)\//, "", path)
  sub(/^unroll\//, "", path)
  if (path == "c.h") return "c"
  if (path !~ /\//) return "."
  sub(/\/.*/, "", path)
  return path
}

function is_own(path) { return path ~ /^unroll\// || (path ~ /\// && folder_of(path) in level) }

function is_intrinsics(path) { return path ~ /intrin\.h$|^arm_(neon|sve|acle|fp16)\.h$/ }

function breach(text) {
  print FILENAME ":" FNR ": " text
  breaches++
}

END { exit(breaches > 0 || NR == 0) }
