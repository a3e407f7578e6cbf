# Prints "WORDS NAME:LINE: SENTENCE" of the longest sentence in a text, after every other sentence of more
# than `limit` words. Exits 1 if one has more. Variables:
#   format  markdown, or help: the output of `unroll COMMAND --help`
#   name    of the text
#   limit   words that a sentence may have
# A word has a letter or a digit. `code` is one word. An item of a list, a cell of a table and the help of
# a flag end a sentence. Headings, blocks of code and the targets of links don't count.

# The paragraph, item or cell that was read so far; its lines are joined by the word NEW_LINE.
function add(text) {
  if (block == "") line = FNR
  block = block == "" ? text : block " " NEW_LINE " " text
}

function end_block(    i, n, words) {
  if (block == "") return
  gsub(/!\[[^]]*\]\([^)]*\)/, "", block)
  block = code_as_words(block)
  while (match(block, /\]\([^) ]*\)/)) {
    block = substr(block, 1, RSTART) substr(block, RSTART + RLENGTH)
  }
  n = split(block, words, /[ \t]+/)
  start_sentence()
  for (i = 1; i <= n; i++) {
    if (words[i] == NEW_LINE) { line++; if (!count) first_line = line; continue }
    if (words[i] ~ /[A-Za-z0-9]/) count++
    sentence = sentence (sentence == "" ? "" : " ") words[i]
    if (words[i] ~ /[.!?][]")'_*]*$/ && words[i] !~ /^\(?(e\.g|i\.e|vs|cf)\.$/) end_sentence()
  }
  end_sentence()
  block = ""
}

function start_sentence() {
  sentence = ""
  count = 0
  first_line = line
}

function end_sentence(    report) {
  gsub(SPACE_IN_CODE, " ", sentence)
  report = count " " name ":" first_line ": " sentence
  if (count > limit) too_long[++failures] = report
  if (count > longest) {
    longest = count
    longest_report = report
  }
  start_sentence()
}

function code_as_words(text,    done, code) {
  while (match(text, /`[^`]*`/)) {
    code = substr(text, RSTART, RLENGTH)
    gsub(" " NEW_LINE " ", " ", code)
    gsub(/[ \t]+/, SPACE_IN_CODE, code)
    done = done substr(text, 1, RSTART - 1) code
    text = substr(text, RSTART + RLENGTH)
  }
  return done text
}

function indent() { return match($0, /[^ ]/) - 1 }

BEGIN {
  SPACE_IN_CODE = "\001"
  NEW_LINE = "\002"
}

{ sub(/\r$/, "") }

format == "markdown" && /^ *```/ { end_block(); fenced = !fenced; next }
fenced { next }
/^[ \t]*$/ { end_block(); after_blank = 1; next }

format == "markdown" {
  item = $1 ~ /^([-*+]|[0-9]+\.)$/
  if (/^#/) { end_block(); next }
  if (after_blank && indent() >= 4 && !item) next  # code, until a line that is not indented
  after_blank = 0
  if (/^ *\|/) {
    end_block()
    gsub(/\\\|/, "/")
    cells = split($0, cell, /\|/)
    for (c = 1; c <= cells; c++) { add(cell[c]); end_block() }
    next
  }
  if (item) { end_block(); sub(/^ *([-*+]|[0-9]+\.) +/, "") }
  sub(/^ *(> ?)?/, "")
  add($0)
}

# Lines are wrapped at 80 columns: one whose first word would fit on the line before begins a paragraph.
format == "help" {
  if (/^(Usage|Example):/ || /:$/) { end_block(); next }
  if (indent() == 0 && width + 1 + length($1) <= 80) end_block()
  width = length($0)
  term = indent() > 0 && indent() < 8  # a flag or a command, perhaps with its help; or an example
  if (term) {
    end_block()
    sub(/^ +/, "")
    if (!match($0, /  +/)) next
    $0 = substr($0, RSTART + RLENGTH)
  }
  sub(/^ +/, "")
  add($0)
}

END {
  end_block()
  for (i = 1; i <= failures; i++) if (too_long[i] != longest_report) print too_long[i]
  if (longest) print longest_report
  exit(failures > 0)
}
