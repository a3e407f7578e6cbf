// The command line has a flag for each row of the table of settings, and for no other setting.
#include <gtest/gtest.h>

#include <set>

#include "support/program.h"
#include "train/settings.h"

namespace unroll::app {
namespace {

TEST(TrainFlags, AreTheTableOfSettings) {
  std::set<std::string> flags, headings;
  for (const std::string& line : test::lines_of(test::run_program({"train", "--help"}).out)) {
    if (line.starts_with("  --")) flags.insert(line.substr(2, line.find(' ', 2) - 2));
    if (line.ends_with(":") && !line.starts_with(" ")) headings.insert(line);
  }
  std::set<std::string> expected = {
      "--config", "--data-dir", "--fallback-fashion", "--out",    "--resume", "--checkpoint-every",
      "--json",   "--quiet",    "--verbose",          "--dry-run"};
  for (const train::Setting& setting : train::settings()) {
    if (setting.key != "dataset") expected.insert(setting.flag());
    EXPECT_TRUE(headings.contains(std::string(name_of(setting.group)) + ":")) << setting.key;
  }
  EXPECT_EQ(flags, expected);
}

}  // namespace
}  // namespace unroll::app
