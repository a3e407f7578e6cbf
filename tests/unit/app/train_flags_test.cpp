// The command line has a flag for each row of the table of settings, and for no other setting.
#include <gtest/gtest.h>

#include <algorithm>
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

/// Each flag of the help with its text, as "--layers N Hidden layers. Default 1".
std::vector<std::string> entries_of_help() {
  std::vector<std::string> entries;
  for (const std::string& line : test::lines_of(test::run_program({"train", "--help"}).out)) {
    if (line.starts_with("  --"))
      entries.emplace_back();
    else if (!line.starts_with("   "))
      continue;
    if (!entries.empty()) entries.back() += " " + line.substr(line.find_first_not_of(' '));
  }
  return entries;
}

TEST(TrainFlags, EachHasADefaultAndItsChoices) {
  const std::vector<std::string> entries = entries_of_help();
  EXPECT_GT(entries.size(), train::settings().size());
  for (const std::string& entry : entries)
    EXPECT_NE(entry.find(" Default "), std::string::npos) << entry;
  for (const train::Setting& setting : train::settings()) {
    if (setting.choices().empty()) continue;
    std::string wanted = " " + setting.flag() + " {";
    for (const std::string_view name : setting.choices()) wanted += std::string(name) + ",";
    wanted.back() = '}';
    EXPECT_TRUE(std::ranges::any_of(entries, [&](const std::string& entry) {
      return entry.starts_with(wanted);
    })) << wanted;
  }
}

}  // namespace
}  // namespace unroll::app
