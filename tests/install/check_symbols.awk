# check_symbols.awk HEADERS... SYMBOLS: of what a shared library shows (`nm -DC --defined-only`,
# without addresses) everything is in the public headers: C functions and C++ names as words of
# theirs, in namespaces that are folders of theirs.

FILENAME !~ /\.symbols$/ {
  if (match(FILENAME, /include\/unroll\/[a-z_]+\//))
    folder[substr(FILENAME, RSTART + 15, RLENGTH - 16)] = 1
  line = $0
  while (match(line, /~?[A-Za-z_][A-Za-z_0-9]*/)) {
    word[substr(line, RSTART, RLENGTH)] = 1
    line = substr(line, RSTART + RLENGTH)
  }
  next
}

{
  symbols++
  name = $0
  sub(/^(vtable|typeinfo|typeinfo name|VTT|guard variable) for /, "", name)
  gsub(/\[abi:cxx11\]/, "", name)
  if (name ~ /^unroll_/) {
    if (!(name in word)) breach()
    next
  }
  sub(/operator[^A-Za-z_]+\(.*/, "operator", name)
  while (sub(/<[^<>]*>/, "", name)) {
  }
  sub(/\(.*/, "", name)
  sub(/^.* /, "", name)  # a template's return type
  if (name !~ /^unroll::/) {
    breach()
    next
  }
  parts = split(name, part, "::")
  if (part[2] ~ /^[a-z]/ && parts > 2 && !(part[2] in folder)) breach()
  last = part[parts]
  sub(/^~/, "", last)
  if (!(last in word)) breach()
}

function breach() {
  print "not public: " $0
  breaches++
}

END { exit(breaches > 0 || symbols == 0) }
