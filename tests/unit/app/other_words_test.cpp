// Words of other libraries lead to those of Unroll.
#include "app/other_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "core/suggest.h"
#include "support/refusal.h"

namespace unroll::app {
namespace {

using Words = std::vector<std::string>;

TEST(OtherWords, OfFlagsCommandsAndValues) {
  const std::pair<Words, std::string> words[] = {
      {{"train", "--learning-rate", "0.1"}, "did you mean --lr?"},
      {{"train", "--learning_rate", "0.1"}, "did you mean --lr?"},
      {{"train", "--lrate", "0.1"}, "did you mean --lr?"},
      {{"train", "-lr", "0.1"}, "did you mean --lr?"},
      {{"train", "--learningrate", "0.1"}, "did you mean --lr?"},
      {{"train", "--checkpoint", "1s"}, "did you mean --checkpoint-every?"},
      {{"train", "--epoch", "3"}, "did you mean --epochs?"},
      {{"train", "--batch", "3"}, "did you mean --batch-size?"},
      {{"train", "--batch_size", "3"}, "did you mean --batch-size?"},
      {{"train", "--bs", "3"}, "did you mean --batch-size?"},
      {{"train", "--num-layers", "3"}, "did you mean --layers?"},
      {{"train", "--hidden-size", "3"}, "did you mean --hidden?"},
      {{"train", "--units", "3"}, "did you mean --hidden?"},
      {{"train", "--momentum-factor", "3"}, "did you mean --momentum?"},
      {{"train", "--optim", "sgd"}, "did you mean --optimizer?"},
      {{"train", "--output-dir", "x"}, "did you mean --out?"},
      {{"train", "--device", "cuda"}, "Unroll runs on the CPU"},
      {{"train", "--gpu"}, "Unroll runs on the CPU"},
      {{"eval", "model", "--num-threads", "2"}, "did you mean --threads?"},
      {{"fit"}, "did you mean train?"},
      {{"evaluate"}, "did you mean eval?"},
      {{"test"}, "did you mean eval?"},
      {{"infer"}, "did you mean predict?"},
      {{"data", "download", "mnist"}, "did you mean fetch?"},
      {{"export", "model", "--format", "numpy", "-o", "x"}, "did you mean npz?"},
  };
  for (const auto& [typed, answer] : words) {
    SCOPED_TRACE(testing::PrintToString(typed));
    test::expect_refused(typed, 2, {answer});
  }
}

/// The script for bash has every flag, command and choice.
std::string script_for_bash() { return test::run_program({"completion", "bash"}).out; }

TEST(OtherWords, LeadToWordsThatThereAre) {
  std::string script = script_for_bash();
  std::ranges::replace(script, '\'', ' ');
  std::istringstream words(script);
  const std::set<std::string> known{std::istream_iterator<std::string>(words), {}};
  for (const OtherWord& word : other_words()) {
    const std::string ours(word.ours);
    EXPECT_TRUE(known.contains(ours) || known.contains("--" + ours)) << ours;
    EXPECT_NE(word.theirs, word.ours);
  }
}

/// The lists between single quotes, flags without dashes: those that suggestions choose from.
std::vector<Words> lists_in(const std::string& script) {
  std::vector<Words> lists;
  std::istringstream parts(script);
  bool quoted = false;
  for (std::string part; std::getline(parts, part, '\''); quoted = !quoted) {
    if (!quoted) continue;
    std::istringstream words(part);
    lists.emplace_back(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>());
    for (std::string& word : lists.back())
      if (word.starts_with("--")) word.erase(0, 2);
  }
  return lists;
}

TEST(OtherWords, AreNotFoundBySpelling) {
  const std::vector<Words> lists = lists_in(script_for_bash());
  for (const OtherWord& word : other_words())
    EXPECT_TRUE(std::ranges::any_of(lists, [&](const Words& list) {
      const std::vector<std::string_view> names(list.begin(), list.end());
      return std::ranges::find(names, word.ours) != names.end() &&
             nearest_word(word.theirs, names) != word.ours;
    })) << word.theirs;
}

TEST(OtherWords, AreNothingWhereUnrollsWordIsNoCandidate) {
  constexpr std::string_view names[] = {"out", "seed"};
  EXPECT_EQ(suggestion("learning-rate", names), "");
  EXPECT_EQ(suggestion("save", names, "--"), "; did you mean --out?");
}

}  // namespace
}  // namespace unroll::app
