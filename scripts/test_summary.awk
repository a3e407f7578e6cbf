# Reads ctest's JUnit file. Prints the skipped tests with their reasons, then the line "N passed, M failed,
# K skipped". Exits 1 if a test failed or none ran. ctest says "notrun" for a test that skipped itself and
# for a test that it could not start, which is a failure. Only the message tells them apart.

# The output of tests is in the file too, but escaped, so it can't look like a line of ctest.
/^\t<testcase / {
  name = $0
  sub(/^.* classname="/, "", name)
  sub(/" time=.*/, "", name)
  gsub(/&quot;/, "\"", name)
  gsub(/&lt;/, "<", name)
  gsub(/&gt;/, ">", name)
  gsub(/&amp;/, "\\&", name)
  status = $0
  sub(/^.* status="/, "", status)
  sub(/".*/, "", status)
  if (status == "run") passed++
  else if (status == "disabled") skip(name)
  else if (status != "notrun") failed++
}

/^\t\t<skipped message="SKIP_/ { skip(name) }
/^\t\t<skipped / && !/message="SKIP_/ { failed++ }

# GoogleTest prints "file:line: Skipped" and the reason on the next line.
reason_follows {
  if ($0 != "") skipped_tests[skipped] = skipped_tests[skipped] ": " $0
  reason_follows = 0
}
/: Skipped$/ && status == "notrun" { reason_follows = 1 }

function skip(test) {
  skipped_tests[++skipped] = "skipped: " test
}

END {
  for (i = 1; i <= skipped; i++) print skipped_tests[i]
  printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
  exit(failed > 0 || passed == 0)
}
