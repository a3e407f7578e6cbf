// A source whose parts are given as tensors.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/source.h"

namespace unroll::test {

/// One part: inputs (N, ...) and targets (N, ...), f64 or i64.
struct TensorPart {
  Tensor inputs, targets;
  std::vector<std::int64_t> lengths = {}, series_of = {};
  std::vector<std::string> names = {};
};

class TensorSource : public data::Source {
 public:
  TensorSource(spec::InputSpec input, data::TargetSpec target,
               std::map<data::Split, TensorPart> parts)
      : input_(std::move(input)), target_(std::move(target)), parts_(std::move(parts)) {}

  std::string name() const override { return "tensors"; }
  spec::InputSpec input() const override { return input_; }
  data::TargetSpec target() const override { return target_; }
  std::int64_t size(data::Split part) const override {
    return parts_.contains(part) ? parts_.at(part).inputs.size(0) : 0;
  }
  std::span<const std::int64_t> lengths(data::Split part) const override {
    return parts_.at(part).lengths;
  }
  std::span<const std::int64_t> series_of(data::Split part) const override {
    return parts_.at(part).series_of;
  }
  std::vector<std::string> names(data::Split part) const override { return parts_.at(part).names; }
  bool tests_while_training() const override { return false; }
  std::int64_t test_batch() const override { return 2; }
  std::string sizes_text() const override { return {}; }

  void batch(data::Split which, std::span<const data::Pick> picks, DType dtype,
             data::Examples& to) const override {
    const TensorPart& part = parts_.at(which);
    to.inputs = rows(part.inputs, picks, dtype);
    to.targets = rows(part.targets, picks, dtype);
    to.lengths.clear();
    if (part.lengths.empty()) return;
    for (const data::Pick& pick : picks)
      to.lengths.push_back(part.lengths[static_cast<std::size_t>(pick.index)]);
  }

 private:
  static Tensor rows(const Tensor& from, std::span<const data::Pick> picks, DType dtype) {
    Shape shape = from.shape();
    const std::int64_t width = from.numel() / shape[0];
    shape[0] = static_cast<std::int64_t>(picks.size());
    const Tensor to = Tensor::empty(shape, from.dtype());
    const auto copy = [&]<class T>(T*) {
      for (std::size_t i = 0; i < picks.size(); ++i)
        std::copy_n(from.data<T>() + picks[i].index * width, width,
                    to.data<T>() + static_cast<std::int64_t>(i) * width);
    };
    if (from.dtype() == DType::i64) {
      copy(static_cast<std::int64_t*>(nullptr));
      return to;
    }
    copy(static_cast<double*>(nullptr));
    return to.to(dtype);
  }

  spec::InputSpec input_;
  data::TargetSpec target_;
  std::map<data::Split, TensorPart> parts_;
};

}  // namespace unroll::test
