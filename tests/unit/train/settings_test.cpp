// The table of settings says all there is to know about a setting, and says it of each.
#include "train/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

using SettingJson = Setting::Json;
using test::error_of;

/// Stands for a value of any type.
struct Any {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... kIndex>
constexpr bool takes(std::index_sequence<kIndex...>) {
  return requires { T{(static_cast<void>(kIndex), Any())...}; };
}

/// How many members T has: one with more values than that can't be made. A base is one member.
template <class T, std::size_t kCount = 0>
constexpr std::size_t members() {
  if constexpr (takes<T>(std::make_index_sequence<kCount + 1>()))
    return members<T, kCount + 1>();
  else
    return kCount;
}

/// A value that is not the default.
SettingJson another(const Setting& setting) {
  const SettingJson now = setting.json(Config());
  if (const auto* choice = std::get_if<Choice>(&setting.member))
    return now == choice->names[0] ? choice->names[1] : choice->names[0];
  if (setting.key == "normalize") return {0.25, 0.75};
  if (now.is_null()) return 7;
  if (std::holds_alternative<std::vector<std::string> Config::*>(setting.member))
    return {"one", "another"};
  if (now.is_array()) return {3, 5};
  if (now.is_boolean()) return true;
  if (now.is_string()) return "another";
  return now.is_number_float() ? SettingJson(now.get<double>() / 2 + 0.25)
                               : SettingJson(now.get<int>() + 1);
}

/// As many rows as members, and each row changes what no other one shows: so each member has one.
TEST(Settings, EveryMemberOfConfigHasARow) {
  EXPECT_EQ(members<Config>() - 1 + members<data::SeriesSettings>(), settings().size());
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
    EXPECT_FALSE(setting.read(other, SettingJson::object())) << setting.key;
  }
  EXPECT_EQ(copy, all);
}

TEST(Settings, DifferencesNameAllThatChangeABit) {
  for (const Setting& setting : settings()) {
    Config config;
    setting.read(config, another(setting));
    const std::vector<std::string> all = differences(Config(), config);
    if (setting.key == "threads" || setting.key == "rows_at_once") {
      EXPECT_TRUE(all.empty());
      continue;
    }
    ASSERT_EQ(all.size(), 1U) << setting.key;
    EXPECT_EQ(all[0], std::string(setting.key) + " is " + setting.json(Config()).dump() +
                          " there, " + setting.json(config).dump() + " here");
  }
}

/// The longest sentence of a text, in words.
std::ptrdiff_t longest_sentence(std::string_view text) {
  std::ptrdiff_t longest = 0;
  for (;;) {
    const std::size_t end = std::min(text.find(". "), text.size());
    longest = std::max(longest, std::ranges::count(text.substr(0, end), ' ') + 1);
    if (end == text.size()) return longest;
    text.remove_prefix(end + 2);
  }
}

TEST(Settings, HelpIsShortSentences) {
  EXPECT_EQ(longest_sentence("One two. Three four five. Six"), 3);
  for (const Setting& setting : settings()) {
    EXPECT_FALSE(setting.help.empty()) << setting.key;
    EXPECT_FALSE(setting.help.ends_with('.')) << setting.key;
    const std::string text = setting.help + ". Default " + default_text(setting);
    EXPECT_LE(longest_sentence(text), 15) << text;
  }
}

TEST(Settings, FlagsAndTheirValues) {
  EXPECT_EQ(setting_of("zoneout_h").flag(), "--zoneout-h");
  EXPECT_EQ(setting_of("input").flag(), "--pixels");
  for (const char* key : {"input", "bidirectional"})
    EXPECT_TRUE(setting_of(key).is_switch()) << key;
  EXPECT_EQ(setting_of("rng").choices(), (std::vector<std::string_view>{"native", "torch"}));
  EXPECT_TRUE(setting_of("input").choices().empty());
  EXPECT_EQ(setting_of("lr").value_name(), "NUMBER");
  EXPECT_EQ(setting_of("steps").value_name(), "N");
}

TEST(Settings, TextsAreReadAgain) {
  Config changed;
  for (const Setting& setting : settings()) setting.read(changed, another(setting));
  for (const Config& config : {Config(), changed})
    for (const Setting& setting : settings()) {
      const std::string text = setting.text(config);
      if (setting.is_switch()) {
        EXPECT_EQ(text, setting.json(config) == setting.json(Config()) ? "off" : "on");
      } else if (setting.json(config).is_number() && setting.key != "seed") {
        EXPECT_EQ(SettingJson::parse(text), setting.json(config)) << setting.key;
      } else if (text != "none" || !setting.choices().empty()) {
        Config copy;
        setting.parse(copy, text);
        EXPECT_EQ(setting.json(copy), setting.json(config)) << setting.key;
      }
    }
}

TEST(Settings, DefaultsAreThoseOfTheRecipes) {
  const auto text = [](std::string_view key) { return default_text(setting_of(key)); };
  EXPECT_EQ(text("batch_size"), "100");
  EXPECT_EQ(text("clip_norm"), "of tuned and sprint: 1; tutorial: 0");
  EXPECT_EQ(text("lr"), "of tuned: 0.001 to 0.01; sprint: 0.002 to 0.02; tutorial: 0.1");
  EXPECT_EQ(text("optimizer"),
            "of tuned: adamw, muon or adam; sprint: adamw or muon; tutorial: sgd");
  EXPECT_EQ(text("hidden"), "of tuned: 16, 64 or 100; sprint and tutorial: 16 or 100");
  // Only an lstm has one.
  EXPECT_EQ(text("forget_bias"), "of tuned: 0, 1 or 5; sprint: 1; tutorial: 0");
  EXPECT_EQ(text("normalize"), "of tuned and sprint: 0.1307,0.3081 or auto; tutorial: none");
  EXPECT_EQ(text("model"), "of tuned: rnn or gru; sprint and tutorial: rnn");
  EXPECT_EQ(text("recipe"), "tuned");
  EXPECT_EQ(text("input"), "off");
}

TEST(Settings, OfFlagsTexts) {
  const auto parsed = [](std::string_view key, const std::string& text) {
    Config config;
    setting_of(key).parse(config, text);
    return setting_of(key).json(config);
  };
  EXPECT_EQ(parsed("save_at", "1,10,100"), SettingJson({1, 10, 100}));
  EXPECT_EQ(parsed("save_at", "7"), SettingJson::array({7}));
  for (const char* bad :
       {"", "0", "-1", "1,", ",1", "1,,2", "1.5", "one", "1 ,2", "99999999999999999999"})
    EXPECT_THROW(parsed("save_at", bad), ValueError) << bad;
  EXPECT_EQ(parsed("seed", "18446744073709551615"), SettingJson(18446744073709551615U));
  EXPECT_EQ(parsed("permute", ""), SettingJson(0));
  EXPECT_EQ(parsed("normalize", "0.25,0.5"), SettingJson({0.25, 0.5}));
  EXPECT_EQ(parsed("normalize", "none"), SettingJson({0.0, 1.0}));
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
  const auto refused = [](std::string_view key, const SettingJson& value) {
    Config config;
    EXPECT_TRUE(setting_of(key).read(config, value));
    return error_of<ValueError>([&] { setting_of(key).check(config); });
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
