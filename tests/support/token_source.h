// Texts of tokens, whose next token is to be told.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "data/source.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::test {

/// Every text of n tokens is a sequence of n - 1 steps. Training and test part are the same.
class TokenSource : public data::Source {
 public:
  TokenSource(std::int64_t tokens, std::vector<std::vector<std::int64_t>> texts)
      : tokens_(tokens), texts_(std::move(texts)) {
    for (const auto& text : texts_) lengths_.push_back(std::ssize(text) - 1);
  }

  std::string name() const override { return "texts"; }
  spec::InputSpec input() const override { return spec::TokenInput{.tokens = tokens_}; }
  data::TargetSpec target() const override {
    return {.kind = data::TargetSpec::Kind::next_token, .size = tokens_};
  }
  std::int64_t size(data::Split part) const override {
    return part == data::Split::validation ? 0 : std::ssize(texts_);
  }
  std::span<const std::int64_t> lengths(data::Split) const override { return lengths_; }

  void batch(data::Split, std::span<const data::Pick> picks, DType,
             data::Examples& to) const override {
    to.lengths.clear();
    for (const data::Pick& pick : picks) to.lengths.push_back(lengths_[at(pick)]);
    const auto count = static_cast<std::int64_t>(picks.size());
    const std::int64_t steps = std::ranges::max(to.lengths);
    to.inputs = Tensor::empty({count, steps}, DType::i64);
    to.targets = Tensor::empty({count, steps}, DType::i64);
    const auto inputs = to.inputs.values<std::int64_t>(),
               targets = to.targets.values<std::int64_t>();
    std::ranges::fill(inputs, 0);
    std::ranges::fill(targets, data::no_target);
    for (std::size_t n = 0; n < picks.size(); ++n) {
      const auto& text = texts_[at(picks[n])];
      const std::size_t row = n * static_cast<std::size_t>(steps);
      for (std::size_t t = 0; t + 1 < text.size(); ++t) {
        inputs[row + t] = text[t];
        targets[row + t] = text[t + 1];
      }
    }
  }
  std::string sizes_text() const override { return {}; }

 private:
  static std::size_t at(const data::Pick& pick) { return static_cast<std::size_t>(pick.index); }

  std::int64_t tokens_;
  std::vector<std::vector<std::int64_t>> texts_;
  std::vector<std::int64_t> lengths_;
};

}  // namespace unroll::test
