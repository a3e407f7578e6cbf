# A page as a package has it: a link to a file of the source tree that is not among `pages` becomes
# its text. `page` is the path of the page itself; paths are those of the source tree, which is the
# current folder.

BEGIN {
  count = split(pages, list, " ")
  for (i = 1; i <= count; i++) packaged[list[i]] = 1
  folder = page
  if (!sub(/\/[^\/]*$/, "/", folder)) folder = ""
}

{
  rest = $0
  result = ""
  while (match(rest, /\[[^][]*\]\([A-Za-z0-9_.\/-]+(#[^)]*)?\)/)) {
    link = substr(rest, RSTART, RLENGTH)
    result = result substr(rest, 1, RSTART - 1) (stays(link) ? link : text_of(link))
    rest = substr(rest, RSTART + RLENGTH)
  }
  print result rest
}

function text_of(link) {
  sub(/\]\(.*/, "", link)
  return substr(link, 2)
}

function stays(link, path) {
  path = link
  sub(/^.*\]\(/, "", path)
  sub(/[#)].*$/, "", path)
  path = folder path
  while (sub(/[^\/]+\/\.\.\//, "", path)) {}
  return path in packaged || system("test -e '" path "'") != 0
}
