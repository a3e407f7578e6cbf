// The command line has a flag for each row of the table of settings, and for no other setting.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "support/program.h"
#include "support/small_set.h"
#include "train/settings.h"

namespace unroll::app {
namespace {

TEST(TrainFlags, AreTheTableOfSettings) {
  std::set<std::string> flags, headings;
  for (const std::string& line : test::lines_of(test::run_program({"train", "--help"}).out)) {
    if (line.starts_with("  --")) flags.insert(line.substr(2, line.find(' ', 2) - 2));
    if (line.ends_with(":") && !line.starts_with(" ")) headings.insert(line);
  }
  std::set<std::string> expected = {"--config",      "--data-dir", "--fallback-fashion",
                                    "--out",         "--resume",   "--checkpoint-every",
                                    "--json",        "--quiet",    "--verbose",
                                    "--dry-run",     "--report",   "--diagnose",
                                    "--tensorboard", "--seeds",    "--sweep"};
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

using Arguments = std::vector<std::string>;

/// unroll train DATASET, with few steps of a small model.
Arguments short_run(const std::string& dataset, const Arguments& more) {
  Arguments all = {"train", dataset, "--steps", "2", "--hidden", "4"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// config.json has the scale as numbers, though the data decided them.
TEST(ScaleOfTheData, IsNoDifferenceToTheRecipeWhenTheRunIsRepeated) {
  const test::TemporaryFolder folder;
  const std::string own = test::write_small_set(folder, "own");
  for (const auto& [flags, part] :
       {std::pair(Arguments{}, ""), {{"--normalize", "0.5,0.25"}, "-normalize-0.5-0.25"}}) {
    const std::string name = "runs/own-rnn-tuned-hidden4-steps2" + std::string(part) + "-seed0";
    test::Program first(short_run(own, flags));
    const auto result = first.finish();
    EXPECT_NE(result.err.find(name), std::string::npos) << result.err;
    const std::string config = first.folder() / ("work/" + name + "/config.json");
    const auto again = test::run_program({"train", "--config", config});
    EXPECT_NE(again.err.find(name), std::string::npos) << again.err;
  }
}

TEST(ScaleOfTheData, IsNamedWhereOtherDataIsTrainedOn) {
  const test::TemporaryFolder folder;
  const std::string own = test::write_small_set(folder, "own"),
                    other = test::write_small_set(folder, "other");
  ASSERT_EQ(test::run_program(short_run(own, {"--out", folder / "run"})).code, 0);
  const Arguments with_config = {"--dry-run", "--config", folder / "run/config.json"};
  const auto note = [&](const std::string& dataset, const Arguments& more = {}) {
    Arguments all = short_run(dataset, with_config);
    all.insert(all.end(), more.begin(), more.end());
    const auto result = test::run_program(all);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.err;
  };
  EXPECT_NE(note(other).find("--normalize auto"), std::string::npos) << note(other);
  EXPECT_EQ(note(other, {"--normalize", "auto"}), "");
  EXPECT_EQ(note(own), "");
  EXPECT_EQ(note("adding"), "");
}

// The run's config.json has numbers where the flag says auto.
TEST(ScaleOfTheData, ResumesARunThatHasIt) {
  const test::TemporaryFolder folder;
  const std::string own = test::write_small_set(folder, "own");
  const auto arguments = [&](const std::string& scale, const Arguments& more) {
    Arguments all = {"train", own, "--normalize", scale, "--hidden", "4"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  for (const char* scale : {"auto", "0.5,0.25"}) {
    const std::string out = folder / scale;
    test::Program first(arguments(scale, {"--out", out, "--steps", "100000", "--eval-every", "5",
                                          "--checkpoint-every", "10"}));
    first.wait_for_output("Iteration: 30,");
    first.send_signal(SIGKILL);
    first.finish();
    test::Program second(arguments("auto", {"--resume", out, "--eval-every", "5"}));
    if (scale == std::string("auto")) {
      second.wait_for_error("going on with");
      second.send_signal(SIGKILL);
    }
    const auto result = second.finish();
    if (scale == std::string("auto")) continue;
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.err.find("normalize is [0.5,0.25] there"), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace unroll::app
