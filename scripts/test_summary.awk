# From ctest's JUnit file: the skipped tests with their reasons, then the line "N passed, M failed,
# K skipped". Exits 1 when a test failed or none ran. ctest says "notrun" both of a test that
# skipped itself and of one that it could not start (a failure); only the message tells them apart.

# What tests print is in the file too, but escaped, so that it cannot pass for a line of ctest's.
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
