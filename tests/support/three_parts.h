// Sequences with a training, a validation and a test part, and settings to train on them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "data/sequence_source.h"
#include "data/source.h"
#include "train/config.h"
#include "unroll/core/random.h"

namespace unroll::test {

/// `count` sequences of 1 to 6 random numbers. The label is whether the last one is positive; in
/// `wrong` of 100 sequences it is not.
inline data::Sequences signs(std::int64_t count, std::uint64_t seed, std::uint32_t wrong = 0) {
  data::Sequences s;
  Generator generator(seed);
  for (std::int64_t k = 0; k < count; ++k) {
    s.lengths.push_back(1 + generator.next_u32() % 6);
    std::vector<float> values(static_cast<std::size_t>(s.lengths.back()));
    generator.uniform(values, -1, 1);
    s.values.insert(s.values.end(), values.begin(), values.end());
    s.labels.push_back((values.back() > 0) != (generator.next_u32() % 100 < wrong));
  }
  return s;
}

/// Its results on the test part come after the last step, as those of series.
class ThreeParts : public data::Source {
 public:
  ThreeParts(const data::Sequences& train, const data::Sequences& validation,
             const data::Sequences& test)
      : train_(train),
        validation_(validation),
        test_(test),
        first_(source(train, test)),
        second_(validation.lengths.empty() ? nullptr : source(validation, validation)) {}

  std::string name() const override { return "signs"; }
  spec::InputSpec input() const override { return first_->input(); }
  data::TargetSpec target() const override { return first_->target(); }
  std::int64_t size(data::Split part) const override {
    if (part == data::Split::validation) return second_ ? second_->size(part_of(part)) : 0;
    return first_->size(part);
  }
  std::span<const std::int64_t> lengths(data::Split part) const override {
    return of(part).lengths(part_of(part));
  }
  std::string sha256(data::Split part) const override {
    return size(part) > 0 ? of(part).sha256(part_of(part)) : "";
  }
  bool tests_while_training() const override { return false; }
  std::shared_ptr<const data::Source> with_validation() const override {
    if (!second_) return nullptr;
    data::Sequences both = train_;
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(both.lengths, validation_.lengths);
    append(both.values, validation_.values);
    append(both.labels, validation_.labels);
    return std::make_shared<ThreeParts>(both, data::Sequences{}, test_);
  }
  void batch(data::Split part, std::span<const data::Pick> picks, DType dtype,
             data::Examples& to) const override {
    of(part).batch(part_of(part), picks, dtype, to);
  }
  std::string sizes_text() const override { return {}; }

 private:
  static std::shared_ptr<const data::Source> source(const data::Sequences& train,
                                                    const data::Sequences& test) {
    return data::sequence_source("signs", train, test, 2);
  }
  static data::Split part_of(data::Split part) {
    return part == data::Split::validation ? data::Split::train : part;
  }
  const data::Source& of(data::Split part) const {
    return part == data::Split::validation ? *second_ : *first_;
  }

  data::Sequences train_, validation_, test_;
  std::shared_ptr<const data::Source> first_, second_;
};

inline std::shared_ptr<const data::Source> three_parts(std::uint64_t test_seed = 3) {
  return std::make_shared<ThreeParts>(signs(40, 1, 35), signs(30, 2, 20), signs(30, test_seed));
}

/// 24 steps of 4 batches a pass. The rate is so high that the validation loss soon rises.
inline train::Config three_parts_config() {
  train::Config c;
  c.model = train::ModelKind::gru;
  c.hidden = 12;
  c.batch_size = 10;
  c.steps = 24;
  c.optimizer = train::Algorithm::adam;
  c.lr = 0.1;
  c.eval_every = 3;
  c.threads = 1;
  return c;
}

}  // namespace unroll::test
