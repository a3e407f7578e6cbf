#include "support/refusal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace unroll::test {

void expect_refused(const std::vector<std::string>& arguments, int code,
                    const std::vector<std::string>& parts, const ProgramOptions& options) {
  SCOPED_TRACE(testing::PrintToString(arguments));
  Program program(arguments, options);
  const ProgramResult result = program.finish();
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
  EXPECT_TRUE(std::ranges::none_of(result.err, [](unsigned char c) {
    return (c < ' ' && c != '\n') || c == 0x7f;
  })) << testing::PrintToString(result.err);
  for (const std::string& part : parts)
    EXPECT_NE(result.err.find(part), std::string::npos) << part << " in\n" << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(program.folder() / "work"));
}

std::string within_megabytes(int megabytes) {
  return "ulimit -v " + std::to_string(megabytes * 1024) + R"( && exec "$0" "$@")";
}

}  // namespace unroll::test
