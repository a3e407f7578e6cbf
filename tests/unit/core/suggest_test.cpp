#include "core/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace unroll {
namespace {

TEST(Suggest, TheNearestWord) {
  constexpr std::string_view names[] = {"train", "eval",   "predict", "inspect",
                                        "data",  "lstm",   "lr",      "layer-norm",
                                        "ar",    "epochs", "logits",  "dropout"};
  const std::pair<std::string_view, std::string_view> words[] = {
      {"trian", "train"},            // letters exchanged
      {"predct", "predict"},         // left out
      {"inspectt", "inspect"},       // added
      {"inspect", "inspect"},        // the word itself
      {"dat", "data"},               //
      {"LSTM", "lstm"},              // other case
      {"layer_norm", "layer-norm"},  // _ for -
      {"Layer_Nrom", "layer-norm"},  // both, and letters exchanged
      {"rl", "lr"},                  // two letters
      {"epoch", "epochs"},           //
      {"evaluate", "eval"},          // begins with it
      {"dropout-probability", "dropout"},
      {"xyzzyplugh", ""},
      {"name", ""},  // neither ar nor data
      {"a", ""},
      {"la", ""},
      {"", ""},
  };
  for (const auto& [given, nearest] : words)
    EXPECT_EQ(nearest_word(given, names), nearest) << given;
}

TEST(Suggest, TheFirstOfTwoThatAreAsNear) {
  constexpr std::string_view names[] = {"f32", "f64", "f65"};
  EXPECT_EQ(nearest_word("f66", names), "f64");
}

TEST(Suggest, AsTheEndOfAMessage) {
  constexpr std::string_view names[] = {"train", "eval"};
  EXPECT_EQ(did_you_mean("trian", names), "; did you mean train?");
  EXPECT_EQ(did_you_mean("anything", names), "");
  EXPECT_EQ(did_you_mean("anything", {}), "");
  EXPECT_EQ(did_you_mean(std::string(1000000, 't'), names), "");
}

TEST(Suggest, SameWords) {
  EXPECT_TRUE(same_word("Learning_Rate", "learning-rate"));
  EXPECT_TRUE(same_word("learningrate", "learning-rate"));
  EXPECT_FALSE(same_word("learning-rate", "learning-rates"));
}

}  // namespace
}  // namespace unroll
