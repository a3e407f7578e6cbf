// The table of settings says all there is to know about a setting, and says it of each.
#include "train/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using Json = Setting::Json;
using test::error_of;

const Setting& row(std::string_view key) {
  return *std::ranges::find(settings(), key, &Setting::key);
}

/// Stands for a value of any type.
struct Any {
  template <class T>
  operator T() const;
};

template <std::size_t... kIndex>
constexpr bool takes(std::index_sequence<kIndex...>) {
  return requires { Config{(static_cast<void>(kIndex), Any())...}; };
}

/// How many members Config has: one with more values than that can't be made.
template <std::size_t kCount = 0>
constexpr std::size_t members() {
  if constexpr (takes(std::make_index_sequence<kCount + 1>()))
    return members<kCount + 1>();
  else
    return kCount;
}

/// A value that is not the default.
Json another(const Setting& setting) {
  const Json now = setting.json(Config());
  if (const auto* choice = std::get_if<Choice>(&setting.member))
    return now == choice->names[0] ? choice->names[1] : choice->names[0];
  if (setting.key == "normalize") return {0.25, 0.75};
  if (now.is_null()) return 7;
  if (now.is_array()) return {3, 5};
  if (now.is_boolean()) return true;
  if (now.is_string()) return "another";
  return now.is_number_float() ? Json(now.get<double>() / 2 + 0.25) : Json(now.get<int>() + 1);
}

/// As many rows as members, and each row changes what no other one shows: so each member has one.
TEST(Settings, EveryMemberOfConfigHasARow) {
  EXPECT_EQ(members(), settings().size());
  for (const Setting& setting : settings()) {
    Config config;
    ASSERT_TRUE(setting.read(config, another(setting))) << setting.key;
    for (const Setting& other : settings())
      EXPECT_EQ(other.json(config) == other.json(Config()), other.key != setting.key)
          << setting.key << " and " << other.key;
  }
}

TEST(Settings, WhatIsWrittenIsRead) {
  Config all, copy;
  for (const Setting& setting : settings()) {
    setting.read(all, another(setting));
    ASSERT_TRUE(setting.read(copy, setting.json(all))) << setting.key;
    EXPECT_EQ(setting.json(copy), another(setting)) << setting.key;
    Config other;
    EXPECT_FALSE(setting.read(other, Json::object())) << setting.key;
  }
  EXPECT_EQ(copy, all);
}

TEST(Settings, DifferencesNameAllButTheThreads) {
  for (const Setting& setting : settings()) {
    Config config;
    setting.read(config, another(setting));
    const std::vector<std::string> all = differences(Config(), config);
    if (setting.key == "threads") {
      EXPECT_TRUE(all.empty());
      continue;
    }
    ASSERT_EQ(all.size(), 1U) << setting.key;
    EXPECT_EQ(all[0], std::string(setting.key) + " is " + setting.json(Config()).dump() +
                          " there, " + setting.json(config).dump() + " here");
  }
}

TEST(Settings, EachHasHelpAndAGroup) {
  for (const Setting& setting : settings()) {
    EXPECT_FALSE(setting.help.empty()) << setting.key;
    EXPECT_FALSE(setting.group.empty()) << setting.key;
  }
  EXPECT_EQ(row("zoneout_h").flag(), "--zoneout-h");
  EXPECT_EQ(row("input").flag(), "--pixels");
  EXPECT_EQ(row("rng").help_text(), "native or torch: Unroll's own random numbers, or PyTorch's");
}

TEST(Settings, OfFlagsTexts) {
  const auto parsed = [](std::string_view key, const std::string& text) {
    Config config;
    row(key).parse(config, text);
    return row(key).json(config);
  };
  EXPECT_EQ(parsed("save_at", "1,10,100"), Json({1, 10, 100}));
  EXPECT_EQ(parsed("save_at", "7"), Json::array({7}));
  for (const char* bad :
       {"", "0", "-1", "1,", ",1", "1,,2", "1.5", "one", "1 ,2", "99999999999999999999"})
    EXPECT_THROW(parsed("save_at", bad), ValueError) << bad;
  EXPECT_EQ(parsed("seed", "18446744073709551615"), Json(18446744073709551615U));
  EXPECT_EQ(parsed("permute", ""), Json(0));
  EXPECT_EQ(parsed("normalize", "0.25,0.5"), Json({0.25, 0.5}));
  EXPECT_EQ(parsed("normalize", "none"), Json({0.0, 1.0}));
  EXPECT_EQ(parsed("schedule", "one-cycle"), "one-cycle");
  EXPECT_EQ(parsed("augment", "shift3"), "shift3");
  EXPECT_EQ(parsed("input", "pixels"), "pixels");
  EXPECT_EQ(error_of<ValueError>([&] { parsed("permute", "-1"); }),
            "[usage] --permute -1, expected a whole number from 0 to 18446744073709551615");
  EXPECT_EQ(error_of<ValueError>([&] { parsed("readout", "lats"); }),
            "[readout] 'lats' is not known, expected one of last, mean, max, mean_last; did you "
            "mean last?");
}

TEST(Settings, RangesAreTexts) {
  const auto refused = [](std::string_view key, const Json& value) {
    Config config;
    EXPECT_TRUE(row(key).read(config, value));
    return error_of<ValueError>([&] { row(key).check(config); });
  };
  EXPECT_EQ(refused("batch_size", 0), "[batch-size] 0, expected a whole number from 1 to 1048576");
  EXPECT_EQ(refused("threads", 1025), "[threads] 1025, expected a whole number from 0 to 1024");
  EXPECT_EQ(refused("lr", 0.0), "[lr] 0, expected a number above 0");
  EXPECT_EQ(refused("clip_norm", -1.5), "[clip-norm] -1.5, expected a number of at least 0");
  EXPECT_EQ(refused("momentum", 1.0), "[momentum] 1, expected a number from 0 to below 1");
  EXPECT_EQ(refused("gamma", 1.5), "[gamma] 1.5, expected a number from 0 to 1");
}

}  // namespace
}  // namespace unroll::train
